"""A log in this process's memory."""

from __future__ import annotations

import hashlib
import math
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from textstream.protocol import EndReason
from textstream.stream.log import Ending
from textstream.stream.segments import Segments

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

    def __init__(self, stream_id: str, count: Callable[[int], object], *, max_bytes: int) -> None:
        """Make an empty log of a stream; `count` is told the bytes that it keeps more, or fewer."""
        self._stream_id = stream_id
        self._lock = threading.Lock()  # guards everything below
        self._max_bytes = max_bytes
        self._count = count
        self._counted = 0  # bytes that it was told of
        self._units = Segments()
        self._takes_more = True
        # Copies of the units' own, to be read without the lock: they are asked for several times
        # for each unit.
        self.first = self.next = 0
        self.ending: Ending | None = None
        # Offsets, ascending, and the hash of the text before each. The first is that of the
        # first unit kept, if anything was cut. One hash that ran ahead would not do: sealing may
        # go back behind it.
        self._hashed: list[int] = []
        self._hashes: list[hashlib._Hash] = []
        self._hashed_bytes = 0  # the bytes before the last of them

    def append(self, units: Sequence[str], *, keep_from: int) -> int:
        """Append `units` at once, trim to the bound, return the offset of the first.

        None of them is empty. A string is a sequence of units of one code point each, and the
        fastest to append.
        """
        with self._lock:
            if not self._takes_more:
                raise ValueError(f"the log of {self._stream_id} is sealed")
            kept = self._units
            offset = kept.next
            kept.append(units)
            if kept.next_byte - self._hashed_bytes >= HASHED_BYTES:
                self._hashes.append(self._hash_before(kept.next))
                self._hashed.append(kept.next)
                self._hashed_bytes = kept.next_byte
            if kept.next_byte - kept.first_byte > self._max_bytes:
                self._trim(keep_from)
            self._tell()
            return offset

    def has_room(self, *, keep_from: int, most: float = math.inf) -> bool:
        """Return whether what must be kept is within the bound, and within `most` bytes."""
        most = min(most, self._max_bytes)
        with self._lock:
            units = self._units
            if units.next_byte - units.first_byte < most:
                return True  # all of it is
            return units.next_byte - units.byte_at(keep_from) < most

    def read(self, offset: int, limit: int) -> Sequence[str] | None:
        """Return up to `limit` units from `offset`; None where they are gone.

        They are a string where each is one code point, else a list.
        """
        with self._lock:
            units = self._units
            if units.first <= offset < units.next:
                return units.read(offset, offset + limit)
            return () if offset == units.next else None

    def seal(
        self, reason: EndReason, offset: int | None = None, error: dict[str, Any] | None = None
    ) -> Ending:
        """Take no more units, forget those from `offset` on, return how it ended."""
        with self._lock:
            if self.ending is None:
                self._takes_more = False
                units = self._units
                units.forget_interned()
                if offset is not None and offset < units.next:
                    # Hashes of what lies behind stay: they are never asked for again.
                    units.cut_from(max(offset, units.first))
                    self._tell()
                text_sha256 = self._hash_before(units.next).hexdigest()
                self.ending = Ending(reason, units.next, text_sha256, error)
            return self.ending

    def discard(self) -> None:
        """Forget all units, and take no more."""
        with self._lock:
            self._takes_more = False
            self._cut_before(self._units.next)
            self._units.forget_interned()
            self._tell()

    def sha256(self, offset: int | None = None) -> str:
        """Return the SHA-256 of the text before `offset`, in hex."""
        with self._lock:
            if offset is None:
                offset = self._units.next
            if not self._units.first <= offset <= self._units.next:
                raise ValueError(f"offset {offset} is not in the log")
            return self._hash_before(offset).hexdigest()

    def _tell(self) -> None:
        """Bring what others know of the units up to date."""
        units = self._units
        self.first, self.next = units.first, units.next
        nbytes = units.next_byte - units.first_byte
        self._count(nbytes - self._counted)
        self._counted = nbytes

    def _hash_before(self, offset: int) -> hashlib._Hash:
        index = bisect_right(self._hashed, offset) - 1
        begin = self._hashed[index] if index >= 0 else 0
        data = self._units.text(begin, offset).encode()
        if index < 0 and len(data) <= HELD_BYTES:
            return hashlib.sha256(data)  # of most texts, and the only one
        digest = self._hashes[index].copy() if index >= 0 else hashlib.sha256()
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
