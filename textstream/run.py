"""A run: units made ready ahead of time, for a reader with a fixed pace and text ahead of it.

This is the short way from a due time to the socket. A reader of such a stream is served
thousands of times in a row with nothing to decide: the text is there, nobody has paused or
stopped it, the socket takes it. Reading the log, asking the pace and asking the sink for each
unit took twice the time of the system call that sends it; now they are asked once for a run.

A run is a promise that holds until somebody breaks it: whoever changes what the reader may send
(pause, stop, pace, seek) takes its run away, with the stream's lock held.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from textstream.pacing import FixedPace
from textstream.sink import Ready

if TYPE_CHECKING:
    from textstream.subscription import Subscription

RUN = 64
"""Units in a run. More would hardly be cheaper: the long way is 1 in 64 then."""

RUN_SECONDS = 0.25
"""Seconds that a run lasts at least, at paces at which `RUN` units would be gone at once."""

MAX_RUN = 4096
"""Units in a run, at most: it is memory that each reader has for itself."""

SLOWEST = 1.0
"""Units per second from which on a run pays: its entry in the schedule stays until it is due."""


class Run:
    """Frames, and where it stands in them. The target's lock guards it.

    A thousand readers do not fit into the processor's cache, and to fetch an object that is not in
    it takes as long as all that is done with it: so a step touches few of them. The reader itself
    is not among them; the interval is one object for all; the due time is computed and not kept;
    a tuple is one object where a list is two.
    """

    __slots__ = ("_begin", "_frames", "_interval", "_sent", "_target", "reader")

    def __init__(self, ready: Ready, pace: FixedPace, reader: Subscription) -> None:
        """Make a run of at least one frame, to be sent at `pace`."""
        self._frames, self._target = ready
        self._interval = pace.interval
        self._begin = pace.next_due()
        self._sent = 0
        self.reader = reader

    @property
    def sent(self) -> int:
        """Units sent so far."""
        return self._sent

    @property
    def due(self) -> float:
        """When the next unit is due."""
        return self._begin + self._sent * self._interval

    @property
    def last_due(self) -> float:
        """When the unit before the next one was due."""
        return self._begin + (self._sent - 1) * self._interval

    def step(self, now: float) -> float | None:
        """Write what is due, one unit at least; return when the next is, None: do without the run.

        It is at its end then, or was taken away, or the client is behind.
        """
        target = self._target
        with target.lock:
            sent = self._sent
            interval = self._interval
            late = now - self._begin - sent * interval
            try:
                data = self._frames[sent]
            except IndexError:
                return None
            if late < interval:
                sent += 1
                late -= interval
            else:
                owed = self._frames[sent : sent + 1 + int(late / interval)]
                sent += len(owed)
                late -= len(owed) * interval
                data = b"".join(owed)
            if not target.offer(data):
                return None
            self._sent = sent
        return now - late

    def end(self) -> int:
        """Send nothing more; return how many units were sent."""
        with self._target.lock:
            self._frames = ()
            return self._sent


_turn = itertools.count()


def run_length(backlog: int, rate: float) -> int:
    """Return how many of the `backlog` units to make ready, 0: not worth it.

    Half at the most: where a run has taken everything, the producer would be asked for more only
    when there is nothing left to send. And not the same for all: a thousand readers that began
    together would all come to the end of their runs together, and be late.
    """
    if rate < SLOWEST:
        return 0
    length = max(RUN, int(min(rate * RUN_SECONDS, MAX_RUN)))
    length = min(backlog // 2, length - next(_turn) % (length // 2))
    return length if length >= RUN // 8 else 0
