"""What happens to which connection after which byte. Pure: no socket, no clock."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

CutKind: TypeAlias = Literal["fin", "rst"]
"""``"fin"``: an orderly end. ``"rst"``: a reset; what is in flight is lost."""

FOREVER = math.inf


@dataclass(frozen=True)
class ByteRange:
    """A number of bytes from `minimum` to `maximum`, both included, each as likely.

    Raises:
        ValueError: not 1 <= minimum <= maximum.

    """

    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.maximum:
            raise ValueError(
                f"a range of bytes starts at 1 or more and does not run backwards: "
                f"{self.minimum}-{self.maximum}"
            )


@dataclass(frozen=True)
class Cut:
    """Both sides of the connection are closed once `position` bytes have gone to the client."""

    position: int
    kind: CutKind


@dataclass(frozen=True)
class Stall:
    """Nothing is carried either way for `seconds` once `position` bytes have gone."""

    position: int
    seconds: float


Fault: TypeAlias = Cut | Stall


class Plan(Protocol):
    """Knows the faults of each connection."""

    def faults(self, connection: int) -> Iterator[Fault]:
        """Yield the faults of a connection, by position, which is at least 1.

        Args:
            connection: its number; the first that the proxy takes is 1.

        """
        ...


class RandomPlan:
    """Faults at random positions. The same seed gives the same ones, whatever the traffic.

    Each kind of fault of each connection has a random stream of its own: one more connection,
    or one more kind of fault, moves none of the others.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        cut_every: ByteRange | None = None,
        cut: Literal["fin", "rst", "both"] = "rst",
        stall_every: ByteRange | None = None,
        stall: float = FOREVER,
    ) -> None:
        """Make a plan.

        Args:
            seed: any integer.
            cut_every: how many bytes a connection carries to the client before it is cut; None:
                it is not cut.
            cut: how; ``"both"`` tosses a coin for each cut.
            stall_every: how many bytes go to the client before a stall, and from one to the
                next; None: there is none.
            stall: how many seconds a stall lasts, above 0; `FOREVER`: the connection carries
                nothing any more, and neither side is told.

        Raises:
            ValueError: `stall` is not above 0.

        """
        if not stall > 0:
            raise ValueError("a stall takes more than 0 seconds")
        self.seed = seed
        self._cut_every = cut_every
        self._kinds: tuple[CutKind, ...] = ("fin", "rst") if cut == "both" else (cut,)
        self._stall_every = stall_every
        self._stall = stall

    def faults(self, connection: int) -> Iterator[Fault]:
        """Yield the faults of a connection without end.

        There are more after a cut: the proxy may have been told to cut only so often.
        """
        # Of cuts and stalls at one position the cut comes first: a merge is stable.
        return heapq.merge(
            self._cuts(connection), self._stalls(connection), key=lambda fault: fault.position
        )

    def _cuts(self, connection: int) -> Iterator[Fault]:
        if self._cut_every:
            kinds = self._stream(connection, "kind")
            for position in _positions(self._cut_every, self._stream(connection, "cut")):
                yield Cut(position, kinds.choice(self._kinds))

    def _stalls(self, connection: int) -> Iterator[Fault]:
        if self._stall_every:
            for position in _positions(self._stall_every, self._stream(connection, "stall")):
                yield Stall(position, self._stall)

    def _stream(self, connection: int, kind: str) -> random.Random:
        # A string: Python hashes it with SHA-512, the same in each process and version.
        return random.Random(f"{self.seed}/{connection}/{kind}")  # noqa: S311 (no secret)


class ScriptedPlan:
    """One fault, or none, for each connection in turn: for tests that need a certain one."""

    def __init__(
        self,
        positions: Iterable[int | None] = (),
        *,
        cut: CutKind = "rst",
        stall: float | None = None,
    ) -> None:
        """Make a plan.

        Args:
            positions: after how many bytes to the client, for each connection in turn; may be
                endless. None, and when they run out: nothing happens.
            cut: how it is cut.
            stall: seconds to stall instead of cutting; `FOREVER`: until somebody hangs up.

        """
        self._positions = iter(positions)
        self._cut: CutKind = cut
        self._stall = stall

    def faults(self, connection: int) -> Iterator[Fault]:  # noqa: ARG002 (it counts by itself)
        """Yield the fault of the next connection. To be called once for each."""
        position = next(self._positions, None)
        if position is not None and self._stall is not None:
            yield Stall(position, self._stall)
        elif position is not None:
            yield Cut(position, self._cut)


class Passage:
    """Where a connection is among its faults: how far it may go, and what happens there."""

    def __init__(self, faults: Iterator[Fault]) -> None:
        """Begin before the first byte.

        Args:
            faults: by position, none before byte 1.

        """
        self._faults = faults
        self._next = next(faults, None)
        self.position = 0
        """Bytes that have gone to the client."""

    @property
    def left(self) -> float:
        """How many bytes may go before something happens: 0 is now, infinite is never."""
        return math.inf if self._next is None else self._next.position - self.position

    def carried(self, count: int) -> None:
        """Take `count` bytes off what is left, at most `left`: they have gone."""
        self.position += count

    def due(self) -> Fault | None:
        """Return the fault that is to happen here and go on to the next; None: there is none."""
        if self._next is None or self._next.position > self.position:
            return None
        fault, self._next = self._next, next(self._faults, None)
        return fault


def _positions(every: ByteRange, choose: random.Random) -> Iterator[int]:
    position = 0
    while True:
        position += choose.randint(every.minimum, every.maximum)
        yield position
