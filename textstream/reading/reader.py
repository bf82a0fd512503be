"""A reader: a cursor into a stream's log, a pace, a format, and a sink to write to.

Nothing is queued for a reader. One that cannot take its units has a cursor that stands still.
"""

from __future__ import annotations

import contextlib
import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from textstream.errors import INTERNAL_ERROR, OffsetGone
from textstream.protocol import EndReason, FormatName, Rate
from textstream.reading import announce
from textstream.reading.pacing import FixedPace, new_pace
from textstream.reading.run import PHASES, RUN, Run, next_part
from textstream.reading.sink import MAX_UNITS_PER_STEP, Sink
from textstream.stream.life import Ending
from textstream.stream.log import ReadStatus
from textstream.stream.stream import Stream

FIRST_CHUNK = 64
"""Units of a reader's first chunk; each of the next may have twice as many.

What is cut in the middle is sent again: with large chunks from the start, connections that live
for less than one of them would bring nothing at all.
"""

RETRY_MIN = 0.005
RETRY_MAX = 0.05
"""Seconds between two looks at a sink that had no room. Doubles from the one to the other."""


_turn = itertools.count()


class Reader:
    """One reader of one stream.

    `step` is called by the dispatcher's one thread only, and alone writes to the sink: so
    ``stream_start`` comes before the first unit, and ``stream_end`` after the last. The other
    methods may be called from any thread. The stream's lock guards the state.
    """

    __slots__ = (
        "__weakref__",
        "_chunk",
        "_cursor",
        "_cut",
        "_first",
        "_last_sent",
        "_on_over",
        "_pace",
        "_phase",
        "_reached",
        "_retry",
        "_run",
        "_serve_run",
        "_started",
        "_wake_me",
        "_writing",
        "client",
        "format",
        "over",
        "parked",
        "paused",
        "sink",
        "stream",
        "ticket",
    )

    def __init__(
        self,
        stream: Stream,
        sink: Sink,
        *,
        offset: int,
        reached: int,
        rate: Rate | None,
        format_: FormatName,
        now: float,
        wake: Callable[[Reader], None],
        serve_run: Callable[[Run[Reader]], None],
        on_over: Callable[[Reader], None],
        client: str = "",
    ) -> None:
        """Make a reader that begins at `offset`.

        Args:
            stream: what to read.
            sink: where to write.
            offset: the first unit to send.
            reached: units before this one go at once, the rest at the pace.
            rate: units per second, 0, ``"auto"``, or None for the stream's own.
            format_: one event per unit, or chunks.
            now: seconds of the dispatcher's clock.
            wake: asks the dispatcher to serve this reader soon.
            serve_run: asks the dispatcher, in its own thread, to serve a run whenever it is due.
            on_over: called once after ``stream_end`` was written, in the dispatcher's thread.
            client: the connection that reads.

        """
        self.stream = stream
        self.sink = sink
        self.client = client
        self.format = format_
        self._cursor = offset
        self.paused = False
        self.parked = False
        self.over = False
        self.ticket = 0  # the dispatcher's: which entry of its schedule counts
        self._first = offset
        self._reached = reached
        self._pace = new_pace(stream.rate if rate is None else rate, now)
        self._started = False
        self._run: Run[Reader] | None = None
        self._phase = (hash(stream.id) + next(_turn) % PHASES * (RUN // PHASES)) % RUN
        self._writing = Lock()  # held from taking units to writing them; before the stream's
        self._cut: EndReason | None = None
        self._chunk = FIRST_CHUNK
        self._last_sent = float("-inf")
        self._retry = RETRY_MIN
        self._wake_me = wake
        self._serve_run = serve_run
        self._on_over = on_over

    @property
    def cursor(self) -> int:
        """The offset of the next unit."""
        run = self._run
        return self._cursor + run.sent if run else self._cursor

    @property
    def reading(self) -> bool:
        """Whether it goes on: it is neither over nor told to end."""
        return not self.over and self._cut is None

    @property
    def info(self) -> dict[str, Any]:
        """The payload of ``stream_start``."""
        return announce.info(
            self.stream, rate=self._pace.rate, format_=self.format, offset=self._first
        )

    def wake(self) -> None:
        """Be served soon."""
        self._wake_me(self)

    def set_rate(self, rate: Rate, now: float) -> None:
        """Change the pace, from the unit after the last one that was sent."""
        with self.stream.lock:
            self.settle()
            begin = now
            if isinstance(rate, (int, float)) and rate > 0:
                # Not at once: a client that repeats itself would read as fast as it asks.
                begin = max(now, self._last_sent + 1 / rate)
            self._pace = new_pace(rate, begin)
        self.wake()

    def pause(self) -> None:
        """Stand still."""
        with self._writing, self.stream.lock:  # so that what was taken is written before
            self.settle()
            self.paused = True
            self.stream.reconsider()

    def go_on(self, now: float) -> None:
        """Go on at the same pace; the time of the pause is no credit."""
        with self.stream.lock:
            if not self.paused:
                return
            self.paused = False
            self.stream.reconsider()
        self.set_rate(self._pace.rate, now)

    def end_now(self, reason: EndReason) -> None:
        """Send ``stream_end`` in the next step, whatever is left to read."""
        with self.stream.lock:
            self.settle()
            self._cut = reason
        self.wake()

    def leave(self, *, may_return: bool = True) -> None:
        """Stop reading without a word: the connection is gone, and may come back."""
        with self.stream.lock:
            if not self.over:
                self.settle()
                self.over = True
                self.stream.detach(self, may_return=may_return)
        self.wake()  # so that the dispatcher lets go of it

    def drop(self) -> None:
        """End it after a failure of the server's own: tell the client, who may resume."""
        with self.stream.lock:
            self.settle()
            self.over = True
            self.stream.detach(self, may_return=True)
        with contextlib.suppress(Exception):  # the sink may be what failed
            announce.error(self.sink, self.stream.id, INTERNAL_ERROR)
        self._on_over(self)

    def step(self, now: float) -> float | None:
        """Write what is due at `now`; return when to be called next, None: when woken.

        With a run it does nothing: that is served itself.
        """
        if self._run is not None:
            return None
        with self._writing:
            return self._step_fully(now)

    def end_run(self, run: Run[Reader]) -> bool:
        """Take the long way again; return whether `run` was not taken away before."""
        with self.stream.lock:
            if self._run is not run:
                return False
            self.settle()
            return True

    def settle(self) -> None:
        """Leave the short way, with the stream's lock held, and take note of what was sent."""
        run, self._run = self._run, None
        if run is None:
            return
        sent = run.end()
        self._cursor += sent
        self._pace.sent(sent)
        self._last_sent = run.last_due
        self.stream.advanced(self)

    def _begin_run(self, behind: int) -> Run[Reader] | None:
        """Take the short way for the next units, if nothing stands in its way."""
        with self.stream.lock:
            pace = self._pace
            if (
                not isinstance(pace, FixedPace)
                or self.format != "char"
                or self.cursor < self._reached
                or self.paused
                or not self.reading
            ):
                return None
            log = self.stream.log
            part = next_part(self.cursor, behind, log.first, self._phase, pace.per_second)
            if not part:
                return None
            status, units = log.read(part.start, part.size)
            if status is ReadStatus.UNITS and (
                ready := self.sink.prepare(self.stream.id, part.start, units, part.done)
            ):
                self._run = Run(ready, part.done, pace, self)
            return self._run

    def _step_fully(self, now: float) -> float | None:
        with self.stream.lock:
            if self.over:
                return None
            starting, self._started = not self._started, True
            offset = self.cursor
            units: Sequence[str] = ()
            lost = ending = None
            behind = self.stream.log.next
            try:
                units = self._take(now, behind)
                ending = self._ending(behind)
            except OffsetGone as error:
                lost = error
            if lost or ending:
                self.over = True
                self.stream.detach(self)
            due = None if self.over else self._next_step(now, behind, sent=bool(units))
        if starting:
            announce.start(self.sink, self.info)
        if units:
            self.sink.write_units(self.stream.id, self.format, offset, units)
            if due is not None and (run := self._begin_run(behind)):
                self._serve_run(run)
                due = None
        if lost:
            announce.error(self.sink, self.stream.id, lost.to_wire())
        if ending:
            announce.end(self.sink, self.stream.id, ending)
        if self.over:
            self._on_over(self)
        return due

    def _take(self, now: float, behind: int) -> Sequence[str]:
        """Return the units due now, and move the cursor behind them."""
        if self.paused or self._cut:
            return ()
        backlog = behind - self.cursor
        if self.cursor < self._reached:
            due = min(backlog, self._reached - self.cursor)
        else:
            due = self._pace.due(backlog, now)
        if not due:
            return ()
        count = min(due, self._room(), MAX_UNITS_PER_STEP)
        if count <= 0:
            return ()
        status, units = self.stream.log.read(self.cursor, count)
        if status is ReadStatus.GONE:
            first = self.stream.log.first
            raise OffsetGone(
                f"The text before offset {first} was trimmed while you read at {self.cursor}. "
                f"Resume at {first}, or read faster.",
                first=first,
            )
        if self.format == "chunk":
            units = _bounded(units, count)
        catching_up = self.cursor < self._reached
        self._cursor += len(units)
        if not catching_up:
            self._pace.sent(len(units))
        elif self.cursor >= self._reached:
            self._pace = new_pace(self._pace.rate, now)
        self._last_sent = now
        self.stream.advanced(self)
        return units

    def _room(self) -> int:
        """Return how many units the next write may have."""
        room = self.sink.room(self.format)
        if self.format == "char" or room <= 0:
            return room
        room, self._chunk = min(self._chunk, room), min(2 * self._chunk, MAX_UNITS_PER_STEP)
        return room

    def _ending(self, behind: int) -> Ending | None:
        if self._cut:
            return self.stream.ending_at(
                self.cursor if self._cut == "replaced" else self.stream.log.next, self._cut
            )
        if self.cursor < behind or self.paused:
            return None
        return self.stream.reached_end(self)

    def _next_step(self, now: float, behind: int, *, sent: bool) -> float | None:
        if self.paused:
            return None
        if self.cursor >= behind:
            self._pace.due(0, now)
            self.parked = True
            return None
        due = now if self.cursor < self._reached else max(now, self._pace.next_due())
        if due > now or sent:
            self._retry = RETRY_MIN
            return due
        self._retry = min(self._retry * 2, RETRY_MAX)
        return now + self._retry


def _bounded(units: Sequence[str], most: int) -> Sequence[str]:
    """Return as many of `units` as have `most` code points, one at least.

    An emoji of a family is eleven: a chunk of many would be too much at once for a slow client.
    """
    if isinstance(units, str):
        return units
    ends = list(itertools.accumulate(map(len, units)))
    return units[: max(1, bisect_right(ends, most))]
