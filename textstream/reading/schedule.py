"""When each reader is to be served: a timer wheel, one bucket of readers for each tick.

A heap of due times would compare floats a dozen times for each unit; a thousand readers at 20
units per second are twenty thousand units. Here a unit costs one append to a list. The price is
that due times are rounded up to a multiple of the tick. All readers are rounded onto the same
grid, so that a steady pace stays steady.
"""

from __future__ import annotations

import heapq
from typing import Generic, NamedTuple, Protocol, TypeVar

STALE_ENTRIES = 64
"""Outdated entries that may be kept beside as many as there are readers due."""

EPSILON = 1e-6
"""Ticks that floating point may be off by."""

_ROUND_UP = 2 - EPSILON
"""One to round up, and one since a ticket of 0 means none."""


T = TypeVar("T")


class Taken(NamedTuple, Generic[T]):
    """What was due together.

    Attributes:
        late: ticks since then.
        number: the bucket's.
        items: in order.

    """

    late: int
    number: int
    items: list[T]


class Wheel(Generic[T]):
    """Items in the order of their due times. One thread only. An item cannot be taken out."""

    def __init__(self, tick: float) -> None:
        """Make an empty wheel that rounds up to multiples of `tick` seconds."""
        self._tick = tick
        self._ticks = 1 / tick
        self._buckets: dict[int, list[T]] = {}
        self._numbers: list[int] = []  # of the buckets, as a heap

    def put(self, item: T, due: float) -> int:
        """Add `item`, due at `due`, at least 0; return its bucket's number, 0: it is never due."""
        try:
            number = int(due * self._ticks + _ROUND_UP)
        except OverflowError:
            return 0
        bucket = self._buckets.get(number)
        if bucket is None:
            self._buckets[number] = [item]
            heapq.heappush(self._numbers, number)
        else:
            bucket.append(item)
        return number

    def take(self, now: float) -> list[Taken[T]]:
        """Remove and return what is due at `now`, in order."""
        due: list[Taken[T]] = []
        last = int(now * self._ticks + 1 + EPSILON)
        while self._numbers and self._numbers[0] <= last:
            number = heapq.heappop(self._numbers)
            due.append(Taken(last - number, number, self._buckets.pop(number)))
        return due

    def replace(self, item: T, due: float, other: T) -> bool:
        """Put `other` where `item` is, which was put for `due`; return False if it is not there."""
        bucket = self._buckets.get(int(due * self._ticks + _ROUND_UP), [])
        try:
            bucket[bucket.index(item)] = other
        except ValueError:
            return False
        return True

    def items(self) -> list[T]:
        """Return what is due some time. Any thread, which may see it between two."""
        return [item for bucket in list(self._buckets.values()) for item in bucket]

    def __len__(self) -> int:
        """Return how many items are due some time. Any thread, which may see it between two."""
        return sum(map(len, list(self._buckets.values())))

    def next_due(self) -> float | None:
        """Return when something is due next, rounded up to a tick; None: there is nothing."""
        return (self._numbers[0] - 1) * self._tick if self._numbers else None


class Scheduled(Protocol):
    """What can be scheduled. `ticket` belongs to the schedule; 0: not scheduled."""

    ticket: int


S = TypeVar("S", bound=Scheduled)


class Schedule(Wheel[S]):
    """A wheel out of which items can be taken. Each is in it once.

    An entry counts only if the item holds its bucket's number as a ticket. What is scheduled
    anew, or not at all any more, leaves an outdated entry behind: taking it out of its bucket
    would cost a search.
    """

    def __init__(self, tick: float) -> None:
        """Make an empty schedule that rounds up to multiples of `tick` seconds."""
        super().__init__(tick)
        self._outdated = 0  # entries that do not count
        self._tolerated = STALE_ENTRIES  # so many of them

    def put(self, item: S, due: float) -> int:
        """Schedule `item`, which is not scheduled, for `due`."""
        item.ticket = number = super().put(item, due)
        return number

    def remove(self, item: S) -> None:
        """Forget when `item` is due, if it is scheduled."""
        if item.ticket:
            item.ticket = 0
            self._outdated += 1

    def take(self, now: float) -> list[Taken[S]]:
        """Remove and return what is due at `now`, in order."""
        taken = []
        for late, number, entries in super().take(now):
            # Once each: an item may have come back to its bucket.
            due = [item for item in dict.fromkeys(entries) if item.ticket == number]
            self._outdated -= len(entries) - len(due)
            for item in due:
                item.ticket = 0
            taken.append(Taken(late, number, due))
        return taken

    def next_due(self) -> float | None:
        """Return when something is due next, rounded up to a tick; None: there is nothing."""
        if self._outdated > self._tolerated:
            # What was due far in the future is not to be kept until then.
            self._drop_outdated()
        while self._numbers:
            number = self._numbers[0]
            if any(item.ticket == number for item in self._buckets[number]):
                break
            heapq.heappop(self._numbers)
            self._outdated -= len(self._buckets.pop(number))
        return super().next_due()

    def __len__(self) -> int:
        """Return how many items are scheduled."""
        return max(0, super().__len__() - self._outdated)

    def _drop_outdated(self) -> None:
        buckets: dict[int, list[S]] = {}
        for number, bucket in self._buckets.items():
            kept = [item for item in dict.fromkeys(bucket) if item.ticket == number]
            if kept:
                buckets[number] = kept
        self._buckets = buckets
        self._numbers = sorted(buckets)
        self._outdated = 0
        self._tolerated = STALE_ENTRIES + sum(map(len, buckets.values()))
