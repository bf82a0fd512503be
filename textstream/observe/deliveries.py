"""What readers were sent, and when: counted in the dispatcher, once for each write.

Time is counted in its ticks, which are small integers: two to subtract, one place of a list to
count up, some 35 ns where a character costs 12,000. A clock's floats and a search among bounds for
each write would be four times that. So times are known to a tick (5 ms) here, which is as exact as
the dispatcher is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from textstream.observe.figures import Buckets, Histograms, buckets

LONGEST = 10.0
"""Seconds from which on all times count as this long."""

EPSILON = 1e-6
"""Ticks that floating point may be off by."""

GAPS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.06, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds: of 20 units a second, a gap that is even falls into 0.05, one a tick late into 0.06."""

LATE = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds."""


class Deliveries:
    """The thread that takes the dispatcher's turns writes; any may read, a moment behind.

    Attributes:
        tick: number of the step that is being taken, in ticks; from 1.
        units: that readers were sent.
        gaps: by ticks, how many writes came so long after the one before to the same reader.
        late: by ticks, how many readers were served so long after they were due.
        first: by source, seconds from a stream's start to its first unit.
        gone: readers whose text was trimmed before they had come to it.

    """

    __slots__ = ("_seconds", "first", "gaps", "gone", "late", "tick", "units")

    def __init__(self, seconds: float) -> None:
        """Count nothing yet; a tick has so many `seconds`."""
        self._seconds = seconds
        size = round(LONGEST / seconds) + 1
        self.tick = 1
        self.units = 0
        self.gaps = [0] * size
        self.late = [0] * size
        self.first = Histograms()
        self.gone = 0

    def begin(self, now: float) -> None:
        """Begin a step at `now`, seconds of the dispatcher's clock."""
        self.tick = int(now / self._seconds + EPSILON) + 1

    def sent(self, units: int, readers: int, last: int) -> int:
        """Count a write of so many units to each of so many readers; return this step's number.

        Args:
            units: how many.
            readers: how many.
            last: the step of the write before, 0: there was none, or the time since is the
                reader's own doing.

        """
        self.units += units * readers
        if last:
            self.gap(self.tick - last, readers)
        return self.tick

    def gap(self, ticks: int, readers: int) -> None:
        """Count readers that were sent something so many ticks after the time before."""
        try:
            self.gaps[ticks] += readers
        except IndexError:
            self.gaps[-1] += readers

    def was_late(self, ticks: int, readers: int) -> None:
        """Count readers that were served so many ticks after theirs."""
        try:
            self.late[ticks] += readers
        except IndexError:
            self.late[-1] += readers

    def read_gaps(self) -> tuple[Buckets, float]:
        """Return the gaps between writes as a histogram, and their sum, in seconds."""
        return self._read(self.gaps, GAPS)

    def read_late(self) -> tuple[Buckets, float]:
        """Return how late readers were served as a histogram, and the sum, in seconds."""
        return self._read(self.late, LATE)

    def _read(self, ticks: Sequence[int], bounds: Sequence[float]) -> tuple[Buckets, float]:
        ticks = list(ticks)  # at once: they go on to be counted
        edges = [0, *(round(bound / self._seconds) + 1 for bound in bounds), len(ticks)]
        counts = [sum(ticks[low:high]) for low, high in pairwise(edges)]
        total = sum(number * count for number, count in enumerate(ticks))
        return buckets(bounds, counts), total * self._seconds
