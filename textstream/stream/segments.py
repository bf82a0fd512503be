"""Units with offsets, kept in segments: a string where each unit is one code point, else a list.

A string takes 1 byte per unit of ASCII and 2 per unit of CJK, and slicing it yields the units; a
list takes 8 and what its strings take. A log of many units is a few segments, found by bisection.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain

from textstream.stream.log import text_of

Segment = str | list[str]
"""A string of units of one code point each, or a list of units."""

MAX_UNITS = 4096
"""Units of a segment, at most: what cutting it in two costs is bounded."""

MERGED_UNITS = 1024
"""Units up to which appends are put together to one segment.

A live model appends 1 to 5 at a time. Adding them to a string copies it: at this length 4 kB at
the most, about 0.1 µs.
"""

MIXED_UNITS = 128
"""Units a segment has, at least, before one of the other kind begins.

Text with a cluster here and there would be segments of a few units otherwise.
"""

MAX_INTERNED = 65_536
"""Different units remembered per log, so that equal ones share one object.

A Python string of one CJK character takes 76 bytes; a text has a few thousand different ones.
"""


def utf8_size(text: str) -> int:
    """Return the bytes of `text` in UTF-8.

    Raises:
        UnicodeEncodeError: it has a lone surrogate.

    """
    return len(text) if text.isascii() else len(text.encode())


class Segments:
    """An append-only sequence of units, cut at both ends. Not thread-safe.

    Attributes:
        first: the offset of the first unit kept; 0 until something was cut.
        next: the offset behind the last unit.
        first_byte: bytes of UTF-8 before `first`, from offset 0.
        next_byte: bytes of UTF-8 before `next`, from offset 0.

    """

    __slots__ = (
        "_bytes",
        "_interned",
        "_parts",
        "_starts",
        "first",
        "first_byte",
        "next",
        "next_byte",
    )

    def __init__(self) -> None:
        self.first = self.next = self.first_byte = self.next_byte = 0
        # Three lists rather than one of objects: searching that, `bisect` would call a key
        # function for each step. No segment is empty.
        self._parts: list[Segment] = []
        self._starts: list[int] = []  # the offset of each part's first unit
        self._bytes: list[int] = []  # bytes of UTF-8 before it, from offset 0
        self._interned: dict[str, str] = {}

    def append(self, units: Sequence[str]) -> None:
        """Add units, none of them empty. A string is taken as a sequence of code points.

        Raises:
            UnicodeEncodeError: one has a lone surrogate; nothing was added.

        """
        # What `text_of` and `utf8_size` do, without a call for each delta of a live source.
        text = units if isinstance(units, str) else "".join(units)
        size = len(text) if text.isascii() else utf8_size(text)
        if len(text) == len(units):
            units = text
        count = len(units)
        if count > MAX_UNITS:
            start, byte = self.next, self.next_byte
            for index in range(0, count, MAX_UNITS):
                piece = units[index : index + MAX_UNITS]
                self._add(piece, start + index, byte)
                byte += utf8_size(text_of(piece))
        elif count:
            self._add(units, self.next, self.next_byte)
        self.next_byte += size
        self.next += count  # last, for it is read without a lock

    def read(self, start: int, stop: int) -> Sequence[str]:
        """Return the units from `start`, which is kept, to `stop` or the end: a copy."""
        starts = self._starts
        begin = starts[-1]
        if start >= begin:  # as most readers of a live stream; bisecting costs 0.1 µs
            return self._parts[-1][start - begin : stop - begin]
        index = bisect_right(starts, start) - 1
        part, begin = self._parts[index], starts[index]
        if stop - begin <= len(part):
            return part[start - begin : stop - begin]
        behind = bisect_left(starts, stop, index)
        parts = self._parts[index:behind]
        parts[-1] = parts[-1][: stop - starts[behind - 1]]
        parts[0] = parts[0][start - begin :]
        if list in map(type, parts):
            return list(chain.from_iterable(parts))
        return "".join(parts)  # type: ignore[arg-type]  # all are str

    def text(self, start: int, stop: int) -> str:
        """Return the text of the units from `start` to `stop`, which are kept."""
        return text_of(self.read(start, stop)) if start < stop else ""

    def byte_at(self, offset: int) -> int:
        """Return the bytes of UTF-8 before `offset`, or before the end that is closer to it."""
        if offset <= self.first:
            return self.first_byte
        if offset >= self.next:
            return self.next_byte
        index = bisect_right(self._starts, offset) - 1
        return self._bytes[index] + self._size(index, offset - self._starts[index])

    def offset_at(self, byte: int) -> int:
        """Return the lowest offset with at least so many bytes before it; `next` if none has."""
        index = bisect_right(self._bytes, byte) - 1
        if index < 0:
            return self.first
        start, before = self._starts[index], self._bytes[index]
        if self._is_bytes(index):
            return min(start + byte - before, self.next)
        for unit in self._parts[index]:
            if before >= byte:
                break
            before += utf8_size(unit)
            start += 1
        return start

    def cut_before(self, offset: int) -> None:
        """Let go of the units before `offset`, which lies between `first` and `next`."""
        byte = self.byte_at(offset)
        if offset < self.next:
            index = bisect_right(self._starts, offset) - 1
            self._parts[index] = self._parts[index][offset - self._starts[index] :]
            self._starts[index], self._bytes[index] = offset, byte
        else:
            index = len(self._parts)
        del self._parts[:index], self._starts[:index], self._bytes[:index]
        self.first, self.first_byte = offset, byte

    def cut_from(self, offset: int) -> None:
        """Let go of the units from `offset` on, which lies between `first` and `next`."""
        byte = self.byte_at(offset)
        index = bisect_left(self._starts, offset)
        del self._parts[index:], self._starts[index:], self._bytes[index:]
        if index:
            self._parts[-1] = self._parts[-1][: offset - self._starts[-1]]
        self.next, self.next_byte = offset, byte

    def forget_interned(self) -> None:
        """Free what only appending needs."""
        self._interned.clear()

    def _add(self, units: Sequence[str], start: int, byte: int) -> None:
        """Add at most `MAX_UNITS` units, which begin at `start`, to the last segment or anew."""
        if self._parts:
            last = self._parts[-1]
            if len(last) + len(units) <= MERGED_UNITS:
                if isinstance(last, str):
                    if isinstance(units, str):
                        self._parts[-1] = last + units
                        return
                    if len(last) < MIXED_UNITS:
                        self._parts[-1] = [*self._shared(last), *self._shared(units)]
                        return
                elif not isinstance(units, str) or len(last) < MIXED_UNITS:
                    last += self._shared(units)
                    return
        self._parts.append(units if isinstance(units, str) else self._shared(units))
        self._starts.append(start)
        self._bytes.append(byte)

    def _shared(self, units: Iterable[str]) -> list[str]:
        interned = self._interned
        if len(interned) < MAX_INTERNED:  # may be passed by one append
            return [interned.setdefault(unit, unit) for unit in units]
        return [interned.get(unit, unit) for unit in units]

    def _is_bytes(self, index: int) -> bool:
        """Whether each unit of a segment is one byte."""
        end = self._bytes[index + 1] if index + 1 < len(self._bytes) else self.next_byte
        return end - self._bytes[index] == len(self._parts[index])

    def _size(self, index: int, count: int) -> int:
        """Return the bytes of a segment's first `count` units."""
        if self._is_bytes(index):
            return count
        return utf8_size(text_of(self._parts[index][:count]))
