"""Groups: readers of one stream who are at the same place, served together.

Readers of one stream at the same pace whose runs share their frames and are due at the same
moments differ in nothing but where they are sent to. As a group they are one entry in the wheel;
what is due, and which bytes that is, is found out once for all. What is left of a character is a
lock and a send. A group lasts as long as its frames: then each member takes the long way, and
meets the others anew.

Only where a stream has two readers or more. As groups of one, readers would be dearer than runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from textstream.observe.deliveries import Deliveries
from textstream.reading.run import Counting, Place, Run
from textstream.reading.schedule import Wheel

ReaderT = TypeVar("ReaderT", bound=Counting)

PLACES_A_SECOND = 1000
"""Begins of runs that are told apart. Those on one grid differ by rounding only."""

_OFF_GRID = 0.3
"""Of such a place: what a grid is made of, halves and thirds, is not to be between two of them."""


class Group(Generic[ReaderT]):
    """Runs that stand at the same of the same frames. The dispatcher's thread only.

    Nobody is taken out: whoever takes a member's run away takes its frames, under the target's
    lock, as without a group. Its own `at` is moved with each send, under the same lock; so it
    stands exactly behind what it was sent, also while the others are being served.
    """

    __slots__ = ("_begin", "_interval", "_runs", "at", "frames", "place", "wrote")

    def __init__(self, place: Place, first: Run[ReaderT], second: Run[ReaderT]) -> None:
        """Make a group of two."""
        self.place = place
        self.frames = first.frames
        self.at = first.at
        self.wrote = first.wrote
        self._begin = first.begin
        self._interval = first.interval
        self._runs = [first, second]

    def __len__(self) -> int:
        """Return how many runs are in it, those included that were taken away meanwhile."""
        return len(self._runs)

    def add(self, run: Run[ReaderT]) -> None:
        """Add a run that stands where the group does."""
        self._runs.append(run)

    def step(
        self, now: float, drop: Callable[[ReaderT, Exception], None], deliveries: Deliveries
    ) -> tuple[float | None, list[Run[ReaderT]]]:
        """Write what is due, one unit at least.

        Args:
            now: seconds of the dispatcher's clock.
            drop: called for a reader whose target raises.
            deliveries: where it is counted.

        Returns:
            When the next is due, None: it is over; and those that were left out: they are at their
            end, behind, or gone.

        """
        frames, at, interval = self.frames, self.at, self._interval
        left: list[Run[ReaderT]] = []
        if at >= len(frames):
            left, self._runs = self._runs, []
            self._leave(left)
            return None, left
        late = now - self._begin - at * interval
        if late < interval:
            data = frames[at]
            after = at + 1
        else:
            owed = frames[at : at + 1 + int(late / interval)]
            data = b"".join(owed)
            after = at + len(owed)
        for run in self._runs:
            target = run.target
            try:
                with target.lock:
                    if run.frames is frames and target.offer(data):
                        run.at = after
                        continue
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                drop(run.reader, error)
            left.append(run)
        if left:
            gone = set(left)
            self._runs = [run for run in self._runs if run not in gone]
            self._leave(left)
        if self._runs:
            self.wrote = deliveries.sent(after - at, len(self._runs), self.wrote)
        self.at = after
        return (self._begin + after * interval if self._runs else None), left

    def _leave(self, left: list[Run[ReaderT]]) -> None:
        """Tell those who leave when they were sent something last: it was the group's to know."""
        for run in left:
            run.wrote = self.wrote


class Groups(Generic[ReaderT]):
    """Who stands where, of the readers who share their streams. The dispatcher's thread only."""

    def __init__(self, wheel: Wheel[Run[ReaderT] | Group[ReaderT]]) -> None:
        """Gather runs that stand in `wheel`."""
        self._wheel = wheel
        self._met: dict[Place, Run[ReaderT] | Group[ReaderT]] = {}

    def add(self, run: Run[ReaderT]) -> None:
        """Put `run` into the wheel, or to those that stand at its place already."""
        begin = math.floor(run.begin * PLACES_A_SECOND + _OFF_GRID)
        place = run.place = (id(run.frames), run.interval, begin)
        met = self._met.get(place)
        if met is not None and met.at == run.at and met.frames is run.frames:
            if isinstance(met, Group):
                met.add(run)
                return
            group = Group(place, met, run)
            if self._wheel.replace(met, met.due, group):
                self._met[place] = group
                return
        self._met[place] = run
        self._wheel.put(run, run.due)

    def forget(self, entry: Run[ReaderT] | Group[ReaderT]) -> None:
        """Know that a run, or a group, is over."""
        if entry.place is not None and self._met.get(entry.place) is entry:
            del self._met[entry.place]
