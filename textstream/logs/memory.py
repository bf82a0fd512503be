"""A log in this process's memory."""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections.abc import Sequence

from textstream.logs.base import Read, ReadStatus

_PENDING = Read(ReadStatus.PENDING)
_ENDED = Read(ReadStatus.ENDED)
_GONE = Read(ReadStatus.GONE)

MAX_INTERNED = 65_536
"""Different units remembered per log, so that equal ones share one object.

A Python string of one CJK character takes 76 bytes; a text has a few thousand different ones.
"""


class MemoryLog:
    """Keeps at most `max_bytes` bytes of text, as UTF-8, and what its readers still need."""

    def __init__(self, max_bytes: int) -> None:
        self._lock = threading.Lock()  # guards everything below
        self._max_bytes = max_bytes
        self._units: list[str] = []
        self._ends = array("Q")  # bytes from offset 0 to the end of each unit kept
        self._first = 0
        self._next = 0
        self._trimmed_bytes = 0  # bytes before _first
        self._trimmed_hash = hashlib.sha256()  # of the text before _first
        self._sealed = False
        self._interned: dict[str, str] = {}

    @property
    def first(self) -> int:
        """The first offset that is still there."""
        return self._first

    @property
    def next(self) -> int:
        """The number of units so far."""
        # Without the lock, for it is asked several times for each unit. An int is read at once.
        return self._next

    @property
    def nbytes(self) -> int:
        """Bytes of UTF-8 kept."""
        with self._lock:
            return self._bytes_at_end() - self._trimmed_bytes

    def append(self, units: Sequence[str], *, keep_from: int) -> int:
        """Append `units` at once, trim to the bound, return the offset of the first."""
        with self._lock:
            if self._sealed:
                raise ValueError("the log is sealed")
            offset = self._first + len(self._units)
            end = self._extend(units)
            self._next = self._first + len(self._units)
            if end - self._trimmed_bytes > self._max_bytes:
                self._trim(keep_from)
            return offset

    def has_room(self, *, keep_from: int) -> bool:
        """Return whether what must be kept is within the bound."""
        with self._lock:
            index = keep_from - self._first
            before = self._ends[index - 1] if index > 0 else self._trimmed_bytes
            return self._bytes_at_end() - before < self._max_bytes

    def read(self, offset: int, limit: int) -> Read:
        """Return up to `limit` units from `offset`, or why there is none."""
        with self._lock:
            index = offset - self._first
            if 0 <= index < len(self._units):
                return Read(ReadStatus.UNITS, self._units[index : index + limit])
            if index == len(self._units):
                return _ENDED if self._sealed else _PENDING
            return _GONE

    def seal(self, offset: int | None = None) -> None:
        """Take no more units, and forget those from `offset` on."""
        with self._lock:
            if self._sealed:
                return
            self._sealed = True
            self._interned.clear()
            if offset is not None:
                keep = max(0, offset - self._first)
                del self._units[keep:]
                del self._ends[keep:]
                self._next = self._first + len(self._units)

    def sha256(self, offset: int | None = None) -> str:
        """Return the SHA-256 of the text before `offset`, in hex."""
        with self._lock:
            count = len(self._units) if offset is None else offset - self._first
            if not 0 <= count <= len(self._units):
                raise ValueError(f"offset {offset} is not in the log")
            digest = self._trimmed_hash.copy()
            digest.update("".join(self._units[:count]).encode())
            return digest.hexdigest()

    def _extend(self, units: Sequence[str]) -> int:
        """Add units; return the bytes from offset 0 to their end."""
        end = self._bytes_at_end()
        text = "".join(units)
        if len(text) == len(units) and text.isascii():
            # One byte each, and one object each for all of Python: most text, ten times faster.
            self._units += units
            self._ends.extend(range(end + 1, end + len(units) + 1))
            return end + len(units)
        for unit in units:
            end += len(unit) if unit.isascii() else len(unit.encode())
            self._ends.append(end)
            self._units.append(self._shared(unit))
        return end

    def _bytes_at_end(self) -> int:
        return self._ends[-1] if self._ends else self._trimmed_bytes

    def _trim(self, keep_from: int) -> None:
        # Down to three quarters: deleting at the front of a list costs its length each time.
        target = self._bytes_at_end() - self._max_bytes * 3 // 4
        count, gone = 0, self._trimmed_bytes
        most = min(keep_from - self._first, len(self._units))
        while count < most and gone < target:
            gone = self._ends[count]
            count += 1
        if count == 0:
            return
        self._trimmed_hash.update("".join(self._units[:count]).encode())
        self._trimmed_bytes = gone
        self._first += count
        del self._units[:count]
        del self._ends[:count]

    def _shared(self, unit: str) -> str:
        if len(self._interned) < MAX_INTERNED:
            return self._interned.setdefault(unit, unit)
        return self._interned.get(unit, unit)
