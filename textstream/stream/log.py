"""The contract of a log: an append-only sequence of units with offsets from 0.

Whoever implements it must pass ``tests/logs/test_contract.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class ReadStatus(Enum):
    """What a read found."""

    UNITS = "units"  # at least one unit
    PENDING = "pending"  # nothing new yet
    ENDED = "ended"  # the log is sealed and was read to its end
    GONE = "gone"  # trimmed, or beyond the end: never a silent gap


class Read(NamedTuple):
    """The answer of a read: a status, and units if the status is ``UNITS``.

    Units are never empty. They may be a string, if each of its code points is a unit.
    """

    status: ReadStatus
    units: Sequence[str] = ()


def text_of(units: Sequence[str]) -> str:
    """Return the text of `units`."""
    # Joining a string makes a list of its code points first: 7 µs for 1,024.
    return units if isinstance(units, str) else "".join(units)


class ByteCount:
    """Bytes that several logs keep together. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limit = float("inf")
        self._reached: Callable[[], None] = lambda: None
        self.total = 0

    def tell(self, limit: int, reached: Callable[[], None]) -> None:
        """Call `reached` each time the total comes from below `limit` to it or above.

        It is called by whoever adds, with the locks held that this one holds: it must take none
        but the dispatcher's, and return at once.
        """
        with self._lock:
            self._limit, self._reached = limit, reached

    def add(self, nbytes: int) -> None:
        """Count `nbytes` more; fewer, if it is negative."""
        with self._lock:
            before = self.total
            self.total = after = before + nbytes
        if before < self._limit <= after:
            self._reached()


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
    def nbytes(self) -> int:
        """Bytes of UTF-8 kept."""
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

    def has_room(self, *, keep_from: int) -> bool:
        """Return whether the units at and behind `keep_from` are within the bound in bytes."""
        ...

    def read(self, offset: int, limit: int) -> Read:
        """Return up to `limit` units from `offset`, or why there is none."""
        ...

    def seal(self, offset: int | None = None) -> None:
        """Take no more units, and forget those from `offset` on. Sealing again does nothing."""
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
