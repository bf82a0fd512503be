"""The one account: the bytes that clients make the server keep, by kind, and against someone.

All clients have one, each address, each user, each connection. What is added to one is added to
those above it in the same moment, so nothing is counted twice or forgotten on the way: for a
connection, to its address's, to its user's, if it has one, and to that of all.
"""

from __future__ import annotations

import enum
import math
import threading
from collections.abc import Callable, Mapping


class Kind(enum.IntEnum):
    """What is kept. The names are those of the debug dump."""

    TEXT = 0
    """Units in logs, of running and of ended streams."""
    WAITING = 1
    """Texts of ``text`` streams that are not in their logs yet."""
    QUEUED = 2
    """Packets that wait for a client's next poll."""
    OUTGOING = 3
    """Bytes that a WebSocket's client has not taken."""
    INBOX = 4
    """Messages that wait for a worker, or that one is at."""
    UNFINISHED = 5
    """Messages of which only a part has arrived."""


KINDS = len(Kind)


class Account:
    """What is kept for one client, or for many. Any thread; an innermost lock guards all of them.

    Attributes:
        most: bytes of all kinds, at most.
        total: bytes of all kinds.

    """

    __slots__ = ("_counts", "_limits", "_lock", "_reached", "_these", "most", "total")

    def __init__(
        self,
        parent: Account | None = None,
        *,
        beside: Account | None = None,
        most: float = math.inf,
        limits: Mapping[Kind, float] | None = None,
    ) -> None:
        """Open an account.

        Args:
            parent: the account that what is added here is added to as well.
            beside: one of the same clients, in place of a parent: what is added here is not added
                there, but others may be below both.
            most: bytes of all kinds, at most.
            limits: bytes of some kinds, at most.

        """
        # It, and those above: as what is added goes through them all, each time.
        self._these: tuple[Account, ...] = (self, *parent._these) if parent else (self,)
        others = parent or beside
        self._lock: threading.Lock = others._lock if others else threading.Lock()
        self._counts = [0] * KINDS
        self.most = most
        self._limits = limits
        self._reached: Callable[[], None] | None = None
        self.total = 0

    def tell(self, reached: Callable[[], None] | None) -> None:
        """Call `reached` each time the total comes from below the most to it or above.

        It is called by whoever adds, with the locks held that this one holds: it must take none
        but the dispatcher's, and return at once.
        """
        self._reached = reached

    def put_below(self, other: Account) -> None:
        """Count what is here, and what is added from now on, for `other` as well: one beside."""
        with self._lock:
            if other not in self._these:
                self._these = (self, other, *self._these[1:])
                self._move(other, 1)

    def take_from_below(self, other: Account) -> None:
        """Count nothing of this one for `other` any more."""
        with self._lock:
            if other in self._these[1:]:
                self._these = tuple(one for one in self._these if one is not other)
                self._move(other, -1)

    def _move(self, other: Account, sign: int) -> None:
        for kind in Kind:
            other._counts[kind] += sign * self._counts[kind]
        other.total += sign * self.total

    def add(self, kind: Kind, nbytes: int) -> None:
        """Count `nbytes` more; fewer, if it is negative. Limits do not refuse: see `room`."""
        passed: list[Callable[[], None]] | None = None
        with self._lock:
            for account in self._these:
                account._counts[kind] += nbytes
                before = account.total
                account.total = after = before + nbytes
                if before < account.most <= after and account._reached:
                    passed = [*(passed or ()), account._reached]
        for reached in passed or ():
            reached()

    def room(self, kind: Kind) -> float:
        """Return how many bytes more of a kind there may be, here and above; negative: too many."""
        with self._lock:
            left = math.inf  # compared, for `min` is a call: this is asked for each start
            for account in self._these:
                if (here := account.most - account.total) < left:
                    left = here
                limits = account._limits
                if limits and (here := limits.get(kind, math.inf) - account._counts[kind]) < left:
                    left = here
            return left

    @property
    def full(self) -> bool:
        """Whether this account, those above it aside, keeps as much as it may."""
        return self.total >= self.most

    def count(self, kind: Kind) -> int:
        """Return the bytes of a kind."""
        return self._counts[kind]

    def counts(self) -> dict[str, int]:
        """Return the bytes of each kind, by name."""
        with self._lock:
            return {kind.name.lower(): self._counts[kind] for kind in Kind}


class Holding:
    """Bytes of one kind that one thing keeps: they may become fewer, and are none in the end."""

    __slots__ = ("_account", "_kind", "_lock", "_nbytes")

    def __init__(self, account: Account, kind: Kind) -> None:
        """Count bytes of a kind on `account`: none yet."""
        self._lock = threading.Lock()  # guards the rest
        self._account: Account | None = account
        self._kind = kind
        self._nbytes = 0

    def set(self, nbytes: int) -> None:
        """Count `nbytes` from now on; after `close` it does nothing. Any thread."""
        with self._lock:
            self._set(nbytes)

    def close(self) -> None:
        """Count nothing any more."""
        with self._lock:
            self._set(0)
            self._account = None

    def _set(self, nbytes: int) -> None:
        if self._account is not None:
            self._account.add(self._kind, nbytes - self._nbytes)
            self._nbytes = nbytes
