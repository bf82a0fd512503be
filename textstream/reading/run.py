"""A run: units made ready ahead of time, for a reader with a fixed pace and text ahead of it.

This is the short way from a due time to the socket. A reader of such a stream is served
thousands of times in a row with nothing to decide: the text is there, nobody has paused or
stopped it, the socket takes it. Reading the log, asking the pace and asking the sink for each
unit took twice the time of the system call that sends it; now they are asked once for a run.

A run is a promise that holds until somebody breaks it: whoever changes what the reader may send
(pause, stop, pace, seek) takes its run away, with the stream's lock held.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, Protocol, TypeVar

from textstream.reading.pacing import FixedPace
from textstream.reading.sink import Ready


class Counting(Protocol):
    """Whose run it is, as far as a run needs it: a reader."""

    def count_more(self, units: int) -> None:
        """Count units beside the one that whoever serves the run counts. Out of `Run.step`."""
        ...


ReaderT = TypeVar("ReaderT", bound=Counting)

Place = tuple[int, float, int]
"""Which frames, at which pace, from when on: those of one place are due together, always."""

RUN = 64
"""Units in a block. More would hardly be cheaper: the long way is 1 in 64 then."""

RUN_SECONDS = 0.25
"""Seconds that a block lasts at least, at paces at which `RUN` units would be gone at once."""

MAX_RUN = 4096
"""Units in a block, at most."""

SHORTEST = 8
"""Units from which on a run pays."""

PHASES = 4
"""At so many different times readers of one place come to the ends of their blocks.

A thousand that began together would all end their runs together, and be late. But those of one
phase share their blocks: 64 frames take half a kilobyte, for each reader that has its own.
"""

IN_A_ROW = 64
"""Readers that come one after the other and have the same phase: they may be at one place, and a
group."""

SLOWEST = 1.0
"""Units per second from which on a run pays: its entry in the schedule stays until it is due."""


class Run(Generic[ReaderT]):
    """Frames, and where it stands in them. The target's lock guards it.

    The frame `at` is due at ``begin + at * interval``. `place` is what `Groups` knows it by,
    `wrote` the dispatcher's step in which its reader was sent something last.

    A thousand readers do not fit into the processor's cache, and to fetch an object that is not in
    it takes as long as all that is done with it: so a step touches few of them. The reader itself
    is not among them; the interval is one object for all; the due time is computed and not kept;
    a tuple is one object where a list is two.
    """

    __slots__ = (
        "_first",
        "at",
        "begin",
        "frames",
        "interval",
        "place",
        "reader",
        "target",
        "wrote",
    )

    def __init__(
        self, ready: Ready, first: int, pace: FixedPace, reader: ReaderT, wrote: int
    ) -> None:
        """Make a run of the frames from `first` on, one at least, to be sent at `pace`."""
        self.frames, self.target = ready
        self._first = self.at = first
        self.interval = pace.interval
        self.begin = pace.next_due() - first * pace.interval
        self.reader = reader
        self.place: Place | None = None
        self.wrote = wrote

    @property
    def sent(self) -> int:
        """Units sent so far."""
        return self.at - self._first

    @property
    def due(self) -> float:
        """When the next unit is due."""
        return self.begin + self.at * self.interval

    @property
    def last_due(self) -> float:
        """When the unit before the next one was due."""
        return self.begin + (self.at - 1) * self.interval

    def step(self, now: float) -> float | None:
        """Write what is due, one unit at least; return when the next is, None: do without the run.

        It is at its end then, or was taken away, or the client is behind.
        """
        target = self.target
        with target.lock:
            at = self.at
            interval = self.interval
            late = now - self.begin - at * interval
            try:
                data = self.frames[at]
            except IndexError:
                return None
            if late < interval:
                at += 1
                late -= interval
            else:
                owed = self.frames[at : at + 1 + int(late / interval)]
                at += len(owed)
                late -= len(owed) * interval
                if not target.offer(b"".join(owed)):
                    return None
                self.at = at
                self.reader.count_more(len(owed) - 1)
                return now - late
            if not target.offer(data):
                return None
            self.at = at
        return now - late

    def end(self) -> int:
        """Send nothing more; return how many units were sent."""
        with self.target.lock:
            self.frames = ()
            return self.at - self._first


def phase_of(stream_id: str, turn: int) -> int:
    """Return where the blocks of a reader begin, the `turn`-th of the process."""
    return (hash(stream_id) + turn // IN_A_ROW % PHASES * (RUN // PHASES)) % RUN


class Part(NamedTuple):
    """What a run is made of: `size` units from the offset `start`, the first `done` of them sent.

    With `done`, it is a block that other readers of the stream may share.
    """

    start: int
    size: int
    done: int


def next_part(
    cursor: int, behind: int, first: int, phase: int, rate: float, *, whole: bool = False
) -> Part | None:
    """Return what to make ready for a reader at `cursor`; None: not worth it.

    Half of what there is at the most: where a run has taken everything, the producer would be
    asked for more only when there is nothing left to send. Of a text that is `whole` all but its
    last unit: that goes the long way, which has ``stream_end`` behind it in the same send. What is
    left of it behind a block and would be no run of its own goes with the block.

    Args:
        cursor: of the reader.
        behind: the offset behind the last unit that is there.
        first: the first that is there.
        phase: where the reader's blocks begin.
        rate: units per second.
        whole: whether nothing will come behind `behind`.

    """
    if rate < SLOWEST:
        return None
    size = RUN
    while size < MAX_RUN and size < rate * RUN_SECONDS:
        size *= 2
    done = (cursor - phase) % size
    left = size - done
    most = behind - cursor - 1 if whole else (behind - cursor) // 2
    if whole and left < most <= left + SHORTEST:  # the first behind a block goes the long way
        left = most
    elif left < SHORTEST:
        left += size  # once, to the end of the next block
    if left == size - done and left <= most and cursor - done >= first:
        return Part(cursor - done, size, done)
    count = min(most, left)
    return Part(cursor, count, 0) if count >= SHORTEST else None
