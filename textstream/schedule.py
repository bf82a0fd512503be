"""When each reader is to be served: a timer wheel, one bucket of readers for each tick.

A heap of due times would compare floats a dozen times for each unit; a thousand readers at 20
units per second are twenty thousand units. Here a unit costs one append to a list. The price is
that due times are rounded up to a multiple of the tick. All readers are rounded onto the same
grid, so that a steady pace stays steady.
"""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar

STALE_ENTRIES = 64
"""Outdated entries that may be kept beside as many as there are readers due."""

EPSILON = 1e-6
"""Ticks that floating point may be off by."""

_ROUND_UP = 2 - EPSILON
"""One to round up, and one since a ticket of 0 means none."""


class Scheduled(Protocol):
    """What can be scheduled. `ticket` belongs to the schedule; 0: not scheduled."""

    ticket: int


T = TypeVar("T", bound=Scheduled)


class Schedule(Generic[T]):
    """Knows who is due when. One thread only.

    An entry counts only if the reader holds its bucket's number as a ticket. Who is scheduled
    anew, or not at all any more, leaves an outdated entry behind: taking it out of its bucket
    would cost a search.
    """

    def __init__(self, tick: float) -> None:
        """Make an empty schedule that rounds up to multiples of `tick` seconds."""
        self._tick = tick
        self._ticks = 1 / tick
        self._buckets: dict[int, list[T]] = {}
        self._numbers: list[int] = []  # of the buckets, as a heap
        self._outdated = 0  # entries that do not count
        self._tolerated = STALE_ENTRIES  # so many of them

    def put(self, reader: T, due: float) -> None:
        """Schedule `reader`, who is not scheduled, for `due`, at least 0; infinity: never."""
        try:
            number = int(due * self._ticks + _ROUND_UP)
        except OverflowError:
            return
        reader.ticket = number
        bucket = self._buckets.get(number)
        if bucket is None:
            self._buckets[number] = [reader]
            heapq.heappush(self._numbers, number)
        else:
            bucket.append(reader)

    def remove(self, reader: T) -> None:
        """Forget when `reader` is due, if it is scheduled."""
        if reader.ticket:
            reader.ticket = 0
            self._outdated += 1

    def take(self, now: float) -> list[T]:
        """Remove and return who is due at `now`, in order."""
        due: list[T] = []
        last = now * self._ticks + 1 + EPSILON
        while self._numbers and self._numbers[0] <= last:
            number = heapq.heappop(self._numbers)
            bucket = self._buckets.pop(number)
            before = len(due)
            for reader in bucket:
                if reader.ticket == number:
                    reader.ticket = 0
                    due.append(reader)
            self._outdated -= len(bucket) - (len(due) - before)
        return due

    def next_due(self) -> float | None:
        """Return when somebody is due next, rounded up to a tick; None: nobody."""
        if self._outdated > self._tolerated:
            # A reader that was due far in the future is not to be kept until then.
            self._drop_outdated()
        while self._numbers:
            number = self._numbers[0]
            if any(reader.ticket == number for reader in self._buckets[number]):
                return (number - 1) * self._tick
            heapq.heappop(self._numbers)
            self._outdated -= len(self._buckets.pop(number))
        return None

    def _drop_outdated(self) -> None:
        buckets: dict[int, list[T]] = {}
        for number, bucket in self._buckets.items():
            # Once each: a reader may have come back to its bucket.
            kept = [r for r in dict.fromkeys(bucket) if r.ticket == number]
            if kept:
                buckets[number] = kept
        self._buckets = buckets
        self._numbers = sorted(buckets)
        self._outdated = 0
        self._tolerated = STALE_ENTRIES + sum(map(len, buckets.values()))
