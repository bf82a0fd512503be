"""The contract of a log: an append-only sequence of units with offsets from 0, and its ending.

Whoever implements it must pass ``tests/stream/test_log_contract.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from textstream.protocol import EndReason


@dataclass(frozen=True)
class Ending:
    """How a stream ended, or how it ended for one reader.

    Attributes:
        reason: see the protocol.
        offset: units in all.
        text_sha256: of their text, in hex.
        error: the error object of the protocol, when the reason is ``error``.

    """

    reason: EndReason
    offset: int
    text_sha256: str
    error: dict[str, Any] | None = None


def text_of(units: Sequence[str]) -> str:
    """Return the text of `units`."""
    # Joining a string makes a list of its code points first: 7 µs for 1,024.
    return units if isinstance(units, str) else "".join(units)


class Log(Protocol):
    """An append-only log of units. All methods may be called from any thread."""

    @property
    def first(self) -> int:
        """The first offset that is still there; 0 until something was trimmed."""
        ...

    @property
    def next(self) -> int:
        """The offset of the next unit to be appended: the number of units so far."""
        ...

    @property
    def ending(self) -> Ending | None:
        """How it was sealed, once it was."""
        ...

    def append(self, units: Sequence[str], *, keep_from: int) -> int:
        """Append `units` at once and return the offset of the first.

        Trims the oldest units below `keep_from`, as many as it takes to stay within the
        bound in bytes. What lies at or behind `keep_from` is never trimmed: whether it has room
        is for the producer to ask first.

        Raises:
            ValueError: the log is sealed.

        """
        ...

    def has_room(self, *, keep_from: int, most: float = math.inf) -> bool:
        """Return whether the units at and behind `keep_from` have fewer bytes than the bound.

        And fewer than `most`.
        """
        ...

    def read(self, offset: int, limit: int) -> Sequence[str] | None:
        """Return up to `limit` units from `offset`; none if there is none yet, or no more.

        Which of the two, `ending` tells. What was trimmed, or lies behind the last unit, is never
        a silent gap: it is None. Units may be a string, if each of its code points is one.
        """
        ...

    def seal(
        self, reason: EndReason, offset: int | None = None, error: dict[str, Any] | None = None
    ) -> Ending:
        """Take no more units, forget those from `offset` on; return how it ended.

        Sealing again changes nothing, and returns how it ended the first time.
        """
        ...

    def discard(self) -> None:
        """Forget all units: whatever is read from now on is gone. Takes no more."""
        ...

    def sha256(self, offset: int | None = None) -> str:
        """Return the SHA-256 of the text of all units before `offset` (all), in hex, of UTF-8.

        Raises:
            ValueError: `offset` lies before `first`, or behind `next`.

        """
        ...


NewLog = Callable[[str, Callable[[int], None]], Log]
"""Makes an empty log for the stream of this id.

The second argument is called with the bytes that the log keeps more, or fewer if it is negative;
its lock, and that of the stream, are held then.
"""
