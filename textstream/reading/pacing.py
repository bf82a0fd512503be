"""When a reader's next unit is due. No clock of its own: every call is told the time.

Times are seconds of one monotonic clock. A pace answers two questions: how many units are due
now, and when the next one will be. Due times are computed from the start of the pace, never
from the last unit, so that the average rate is exact and lateness does not add up.
"""

from __future__ import annotations

import functools
import math
from array import array
from bisect import bisect_left
from typing import Protocol

from textstream.protocol import Rate

AUTO_HORIZON = 0.3
"""Seconds within which an ``auto`` pace delivers what has arrived.

The promise is 0.4 s; the rest is for the dispatcher's tick and for arrivals that are seen only
when the reader is served.
"""

AUTO_GRAIN = AUTO_HORIZON / 16
"""Seconds within which arrivals share a deadline: that of the first of them.

A source of a hundred units a second would leave each reader thirty deadlines to remember and to
compare for each unit, some 4 kB; so there are at most 17.
"""

EPSILON = 1e-6
"""Seconds, or units: what floating point may be off by."""


class Pace(Protocol):
    """The pace of one reader."""

    rate: Rate

    def due(self, backlog: int, now: float) -> int:
        """Return how many of the `backlog` units that are there to read are due at `now`."""
        ...

    def sent(self, count: int) -> None:
        """Count `count` units as handed over."""
        ...

    def next_due(self) -> float:
        """Return when the next unit is due, if there is one; may lie in the past."""
        ...


@functools.lru_cache(maxsize=1024)
def _interval(rate: float) -> float:
    """Return ``1 / rate``: one object for all readers of that pace, see `run`."""
    return 1 / rate


class FixedPace:
    """`rate` units per second, the first one at once.

    A reader that could not take its units in time is owed them. A reader whose source had none
    to give is not: the pace starts anew with the next unit, or a pause of the source would be
    followed by a burst.
    """

    __slots__ = ("_count", "_ran_dry", "_start", "interval", "per_second", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate: Rate = rate
        self.interval = _interval(rate)  # seconds
        self.per_second = rate
        self._start = now
        self._count = 0  # units handed over since _start
        self._ran_dry = True  # the first unit goes when it is there, and the pace begins with it

    def due(self, backlog: int, now: float) -> int:
        """Return the units due by `now`, at most `backlog`."""
        if not backlog:
            self._ran_dry = True
            return 0
        if self._ran_dry:
            self._ran_dry = False
            self._start, self._count = max(now, self.next_due()), 0
        owed = (now - self._start) * self.per_second + EPSILON + 1 - self._count
        # Bounded first: with an absurd rate it is infinite, or no number, and has no whole part.
        if not owed < backlog:
            return backlog
        return int(owed) if owed > 0 else 0

    def sent(self, count: int) -> None:
        """Count `count` units."""
        self._count += count

    def next_due(self) -> float:
        """Return the due time of the next unit."""
        return self._start + self._count / self.per_second

    def align(self, grain: float) -> None:
        """Put off what is due to where others of this pace are served, so that they come together.

        That is at a fraction of the interval, of about `grain` seconds: the pace stays even, what
        the grain may be. Once; aligned to a grain that is a multiple it would be put off again, by
        less than one of it.
        """
        step = self.interval / max(1, round(self.interval / grain))
        due = self.next_due()
        aligned = math.ceil(due / step - EPSILON) * step
        self._start += max(0.0, aligned - due)


class UnlimitedPace:
    """As fast as the reader reads (rate 0)."""

    rate: Rate = 0.0

    def due(self, backlog: int, now: float) -> int:  # noqa: ARG002 (always all)
        """Return `backlog`: all is due."""
        return backlog

    def sent(self, count: int) -> None:
        """Do nothing."""

    def next_due(self) -> float:
        """Return the beginning of time: now."""
        return -math.inf


class AutoPace:
    """Follows a live source smoothly, with at most 0.4 s of backlog.

    What arrives is due `horizon` seconds later at the latest. Up to these deadlines the pace is
    the slowest constant one that meets them all, so that a model's bursts of a few characters
    come out evenly. The first unit after silence is due at once.

    The plan is a line: the unit at position p is due at ``_time + (p - _origin) / rate``.
    """

    __slots__ = (
        "_arrived",
        "_gap",
        "_horizon",
        "_latest",
        "_origin",
        "_position",
        "_time",
        "_up_to",
    )

    rate: Rate = "auto"

    def __init__(self, now: float, horizon: float = AUTO_HORIZON) -> None:
        self._horizon = horizon
        self._position = 0  # units handed over
        self._arrived = 0  # units known to have arrived
        # The deadlines: the last position of each, and when it is due at the latest. Numbers side
        # by side: a tuple of two takes seven times the memory.
        self._up_to = array("q")
        self._latest = array("d")
        self._time, self._origin = now, 0
        self._gap = 0.0  # seconds between the last units handed over

    def due(self, backlog: int, now: float) -> int:
        """Return the units due by `now`, at most `backlog`."""
        self._observe(backlog, now)
        if not backlog or now < self.next_due() - EPSILON:
            return 0
        rate = self._slope()
        if rate == 0:
            return 1
        reached = self._origin + math.floor((now - self._time) * rate + EPSILON) + 1
        return max(1, min(backlog, reached - self._position))

    def sent(self, count: int) -> None:
        """Move on by `count` units, to where the plan has the last of them."""
        if not count:
            return
        self._position += count
        rate = self._slope()
        if rate > 0:
            self._gap = 1 / rate
            self._time += (self._position - 1 - self._origin) / rate
        self._origin = self._position - 1
        met = bisect_left(self._up_to, self._position)
        del self._up_to[:met], self._latest[:met]

    def next_due(self) -> float:
        """Return the due time of the next unit."""
        if self._position == self._origin:
            return self._time
        rate = self._slope()
        return self._time + ((self._position - self._origin) / rate if rate else 0.0)

    def _observe(self, backlog: int, now: float) -> None:
        arrived = self._position + backlog
        if arrived <= self._arrived:
            return
        if not self._latest:
            # As far behind the unit before as that was behind its own, within what time there is.
            evenly = min(self._time + self._gap, now + self._horizon / 2)
            self._time, self._origin = max(now, evenly), self._position
        if self._latest and now + self._horizon < self._latest[-1] + AUTO_GRAIN:
            self._up_to[-1] = arrived - 1
        else:
            self._up_to.append(arrived - 1)
            self._latest.append(now + self._horizon)
        self._arrived = arrived

    def _slope(self) -> float:
        """Return the slowest rate that meets every deadline; 0 if one unit is all there is."""
        return max(
            (
                (position - self._origin) / max(deadline - self._time, EPSILON)
                for position, deadline in zip(self._up_to, self._latest, strict=True)
            ),
            default=0.0,
        )


def new_pace(rate: Rate, now: float) -> Pace:
    """Return a pace of `rate` units per second (0: unlimited, ``"auto"``) that starts `now`."""
    if rate == "auto":
        return AutoPace(now)
    if rate == 0:
        return UnlimitedPace()
    return FixedPace(float(rate), now)
