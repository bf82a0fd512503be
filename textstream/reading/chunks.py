"""How large a chunk may be: so many units, and so many bytes of text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from textstream.reading.sink import MAX_CHUNK_BYTES, MAX_UNITS_PER_STEP
from textstream.stream.log import text_of
from textstream.stream.segments import utf8_size

FIRST_CHUNK = 64
"""Units of a reader's first chunk; each of the next may have twice as many.

What is cut in the middle is sent again: with large chunks from the start, connections that live
for less than one of them would bring nothing at all.
"""

UNIT_BYTES = 32
"""Bytes of text for each of these units, or large ones would make the first chunk as large as any.

An emoji of a family is 25. What is counted is the text of the chunk: a limit of code points, or
one of bytes for each unit, would give fewer of some units than of others, for nothing.
"""


def largest(units: int, room: int) -> int:
    """Return how many bytes of text a chunk of `units` may have, with `room` bytes to write to."""
    return min(units * UNIT_BYTES, room, MAX_CHUNK_BYTES)


def after(units: int) -> int:
    """Return how many units the chunk may have that comes after one that might have had `units`."""
    return min(2 * units, MAX_UNITS_PER_STEP)


def cut(units: Sequence[str], most: int) -> Sequence[str]:
    """Return as many of `units` as have `most` bytes in UTF-8, one at least: it cannot be cut."""
    if utf8_size(text_of(units)) <= most:
        return units
    return units[: max(1, bisect_right(list(accumulate(map(utf8_size, units))), most))]
