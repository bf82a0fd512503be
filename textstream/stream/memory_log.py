"""A log in this process's memory."""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections.abc import Sequence

from textstream.stream.log import ByteCount, Read, ReadStatus
from textstream.stream.segments import Segments

# What `Read(...)` does, less the call of its function: an eighth of a read.
_new_tuple = tuple.__new__
_UNITS = ReadStatus.UNITS
_PENDING = Read(ReadStatus.PENDING)
_ENDED = Read(ReadStatus.ENDED)
_GONE = Read(ReadStatus.GONE)

HASHED_BYTES = 65_536
"""Bytes of text after which the hash is brought up to date and remembered, in about 40 µs.

So the end of a long text, which many wait for, has little left to hash. Remembering one takes
about 250 bytes.
"""

HELD_BYTES = 2047
"""Bytes hashed at once, at most: for more, `hashlib` releases the interpreter's lock.

With a log's lock held, that costs: to get it back takes up to 5 ms, and to keep it 1 µs.
"""


class MemoryLog:
    """Keeps at most `max_bytes` bytes of text, as UTF-8, and what its readers still need."""

    def __init__(self, max_bytes: int, kept: ByteCount | None = None) -> None:
        """Make an empty log; `kept` counts its bytes, and those of other logs."""
        self._lock = threading.Lock()  # guards everything below
        self._max_bytes = max_bytes
        self._kept = kept or ByteCount()
        self._counted = 0  # bytes of this log in it
        self._units = Segments()
        self._sealed = False
        # Offsets, ascending, and the hash of the text before each. The first is that of the
        # first unit kept. One hash that ran ahead would not do: sealing may go back behind it.
        self._hashed = [0]
        self._hashes = [hashlib.sha256()]
        self._hashed_bytes = 0  # the bytes before the last of them

    @property
    def first(self) -> int:
        """The first offset that is still there."""
        return self._units.first

    @property
    def next(self) -> int:
        """The number of units so far."""
        # Without the lock, for it is asked several times for each unit. An int is read at once.
        return self._units.next

    @property
    def nbytes(self) -> int:
        """Bytes of UTF-8 kept."""
        with self._lock:
            return self._units.next_byte - self._units.first_byte

    def append(self, units: Sequence[str], *, keep_from: int) -> int:
        """Append `units` at once, trim to the bound, return the offset of the first.

        None of them is empty. A string is a sequence of units of one code point each, and the
        fastest to append.
        """
        with self._lock:
            if self._sealed:
                raise ValueError("the log is sealed")
            kept = self._units
            offset = kept.next
            kept.append(units)
            if kept.next_byte - self._hashed_bytes >= HASHED_BYTES:
                self._hashes.append(self._hash_before(kept.next))
                self._hashed.append(kept.next)
                self._hashed_bytes = kept.next_byte
            if kept.next_byte - kept.first_byte > self._max_bytes:
                self._trim(keep_from)
            self._count()
            return offset

    def has_room(self, *, keep_from: int) -> bool:
        """Return whether what must be kept is within the bound."""
        with self._lock:
            units = self._units
            if units.next_byte - units.first_byte < self._max_bytes:
                return True  # all of it is
            return units.next_byte - units.byte_at(keep_from) < self._max_bytes

    def read(self, offset: int, limit: int) -> Read:
        """Return up to `limit` units from `offset`, or why there is none.

        They are a string where each is one code point, else a list.
        """
        with self._lock:
            units = self._units
            if units.first <= offset < units.next:
                return _new_tuple(Read, (_UNITS, units.read(offset, offset + limit)))
            if offset == units.next:
                return _ENDED if self._sealed else _PENDING
            return _GONE

    def seal(self, offset: int | None = None) -> None:
        """Take no more units, and forget those from `offset` on."""
        with self._lock:
            if self._sealed:
                return
            self._sealed = True
            self._units.forget_interned()
            if offset is not None and offset < self._units.next:
                # Hashes of what lies behind stay: they are never asked for again.
                self._units.cut_from(max(offset, self._units.first))
                self._count()

    def discard(self) -> None:
        """Forget all units, and take no more."""
        with self._lock:
            self._sealed = True
            self._cut_before(self._units.next)
            self._units.forget_interned()
            self._count()

    def sha256(self, offset: int | None = None) -> str:
        """Return the SHA-256 of the text before `offset`, in hex."""
        with self._lock:
            if offset is None:
                offset = self._units.next
            if not self._units.first <= offset <= self._units.next:
                raise ValueError(f"offset {offset} is not in the log")
            return self._hash_before(offset).hexdigest()

    def _count(self) -> None:
        nbytes = self._units.next_byte - self._units.first_byte
        self._kept.add(nbytes - self._counted)
        self._counted = nbytes

    def _hash_before(self, offset: int) -> hashlib._Hash:
        index = bisect_right(self._hashed, offset) - 1
        digest = self._hashes[index].copy()
        data = self._units.text(self._hashed[index], offset).encode()
        for start in range(0, len(data), HELD_BYTES):
            digest.update(data[start : start + HELD_BYTES])
        return digest

    def _trim(self, keep_from: int) -> None:
        # Down to three quarters: cutting a segment at the front costs its length each time.
        units = self._units
        if keep_from <= units.first:
            return
        enough = units.next_byte - self._max_bytes * 3 // 4
        offset = min(keep_from, units.next)
        if units.byte_at(offset) > enough:
            offset = units.offset_at(enough)
        self._cut_before(offset)

    def _cut_before(self, offset: int) -> None:
        units = self._units
        digest = self._hash_before(offset)
        index = bisect_right(self._hashed, offset)
        self._hashed[:index] = [offset]
        self._hashes[:index] = [digest]
        units.cut_before(offset)
        self._hashed_bytes = max(self._hashed_bytes, units.first_byte)
