"""Counts and histograms as plain integers: counting costs 35 to 200 ns, reading all the rest."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

Buckets = list[tuple[str, float]]
"""As Prometheus has them: each upper bound as text, ``+Inf`` the last, and how many are not above
it."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds in seconds, from what a turn of a loop takes to what a busy model keeps people waiting."""


class Counts:
    """Counts things by their labels. Any thread; ``_lock`` is an innermost one.

    Labels are names that the server or its operator gives: what a client writes must not be one,
    or it could make as many as it likes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str) -> None:
        """Count one more."""
        with self._lock:  # a sum is read, made and written: three steps
            self._counts[labels] = self._counts.get(labels, 0) + 1

    def items(self) -> dict[tuple[str, ...], int]:
        """Return all counts, by labels."""
        with self._lock:
            return dict(self._counts)


class Histogram:
    """Counts figures by their size. One thread writes; any may read, a moment behind."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        """Make it empty; `bounds` are the buckets' upper ones, which belong to them, in order."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, figure: float) -> None:
        """Count a figure, of 0 or more."""
        self._counts[bisect_left(self._bounds, figure)] += 1
        self._sum += figure

    def read(self, least: int = 0, total: float = 0.0) -> tuple[Buckets, float]:
        """Return the buckets, and the sum of all figures.

        Args:
            least: how many there were beside those observed, all in the lowest bucket.
            total: their sum.

        """
        first, *others = self._counts
        return buckets(self._bounds, [first + least, *others]), self._sum + total


class Histograms(dict[str, Histogram]):
    """A histogram for each name, made when it is first asked for. One thread writes."""

    def __missing__(self, name: str) -> Histogram:
        """Make the histogram of a name."""
        made = self[name] = Histogram()
        return made


def buckets(bounds: Sequence[float], counts: Sequence[int]) -> Buckets:
    """Return the buckets of `counts`, which has one more than there are bounds: those above all."""
    names = [*(repr(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(names, map(float, accumulate(counts)), strict=True))
