"""What a server's process uses, while its readers read."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from reliability.readers.crowd import Crowd, Viewer

SAMPLE_SECONDS = 0.25


def memory_of(pid: int) -> int:
    """Return the bytes of memory that belong to this process alone (USS)."""
    return int(psutil.Process(pid).memory_full_info().uss)


def memory_samples(pid: int, crowd: Crowd, count: int) -> list[int]:
    """Take samples of the server's memory, a quarter of a second apart, while `crowd` reads."""
    samples = []
    for _ in range(count):
        crowd.run(SAMPLE_SECONDS)
        samples.append(memory_of(pid))
    return samples


def settled_memory(
    pid: int, crowd: Crowd, count: int, wanted: Callable[[], bool] = lambda: True
) -> int:
    """Return the median of `count` samples.

    Raises:
        RuntimeError: `wanted` does not hold at the end: they were taken of something else.

    """
    samples = memory_samples(pid, crowd, count)
    if not wanted():
        raise RuntimeError("the readers were not all reading while the memory was measured")
    return int(statistics.median(samples))


@dataclass(frozen=True)
class Gaps:
    """How viewers were served in a window of time.

    Attributes:
        p50: median of the milliseconds between two events of a viewer.
        p99: 99th percentile.
        longest: the longest.
        units_per_second: of all viewers, on average.
        slowest: of the viewer that got least.

    """

    p50: float
    p99: float
    longest: float
    units_per_second: float
    slowest: float


class Window:
    """From its making to `close`: what viewers get meanwhile."""

    def __init__(self, viewers: list[Viewer]) -> None:
        self._viewers = viewers
        self._began = time.perf_counter()
        self._marks = [(len(viewer.times), viewer.next) for viewer in viewers]

    def close(self) -> Gaps:
        """Return what they got."""
        seconds = time.perf_counter() - self._began
        gaps: list[float] = []
        rates = []
        for viewer, (events, units) in zip(self._viewers, self._marks, strict=True):
            times = viewer.times[events:]
            gaps += [1000 * (b - a) for a, b in itertools.pairwise(times)]
            rates.append((viewer.next - units) / seconds)
        gaps.sort()
        return Gaps(
            p50=gaps[len(gaps) // 2],
            p99=gaps[len(gaps) * 99 // 100],
            longest=gaps[-1],
            units_per_second=statistics.mean(rates),
            slowest=min(rates),
        )
