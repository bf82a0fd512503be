"""Until when each connection may stay in the phase that it is in."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Phase(enum.Enum):
    """What an HTTP connection is at.

    Attributes:
        seconds: how long it may last.
        label: what people read.
        index: its place among all.

    """

    FRESH = (10.0, "fresh")
    """Accepted, and its first request's head has not come whole. From accepting on, and not from
    the last byte: one that sends a byte now and then would keep its place for ever."""

    IDLE = (60.0, "idle")
    """Kept alive, and nothing of another request has come."""

    HEAD = (10.0, "head")
    """Some of another request's head has come."""

    BODY = (30.0, "body")
    """Its head has come, and not all of its body."""

    WORKING = (float("inf"), "working")
    """Its request is being answered, or waits for what there will be to answer."""

    WRITING = (15.0, "writing")
    """The answer is there, and its client does not take it. Since it last took some."""

    LINGERING = (2.0, "lingering")
    """All was said, and its end of the connection is awaited."""

    def __init__(self, seconds: float, label: str) -> None:
        self.seconds = seconds
        self.label = label
        self.index = len(type(self).__members__)


class Deadlines(Generic[T]):
    """Who is in which phase until when. One thread.

    All in one phase have the same time, so the first to enter it is the first to be due: no heap is
    needed.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Know of none yet; `clock` is in seconds, monotonic."""
        self._clock = clock
        # By the index: an Enum's hash is made in Python, each time.
        self._phases: list[dict[T, float]] = [{} for _ in Phase]

    def enter(self, one: T, phase: Phase) -> None:
        """Begin a phase, with all of its time."""
        times = self._phases[phase.index]
        times.pop(one, None)  # or it keeps its place among those that were there before
        times[one] = self._clock() + phase.seconds

    def leave(self, one: T, phase: Phase) -> None:
        """End it."""
        self._phases[phase.index].pop(one, None)

    def due(self) -> Iterator[T]:
        """Yield whoever has been in a phase for too long, and let it leave that."""
        now = self._clock()
        for times in self._phases:
            while times:
                one = next(iter(times))
                if times[one] > now:
                    break
                del times[one]
                yield one

    def counts(self) -> dict[str, int]:
        """Return how many are in which phase."""
        return {phase.label: len(self._phases[phase.index]) for phase in Phase}
