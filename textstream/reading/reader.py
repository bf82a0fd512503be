"""A reader: a cursor into a stream's log, a pace, a format, and a sink to write to.

Nothing is queued for a reader. One that cannot take its units has a cursor that stands still.

Longer than other files, on purpose: all of it is one object's state, guarded by one lock, and
what a step may not do depends on all that other threads may have done before it.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Sequence
from typing import Any, Protocol

from textstream.errors import INTERNAL_ERROR, OffsetGone
from textstream.observe.deliveries import Deliveries
from textstream.protocol import EndReason, FormatName, Rate, stream_info
from textstream.reading import announce, chunks
from textstream.reading.pacing import FixedPace, new_pace
from textstream.reading.run import SHORTEST, Run, next_part, phase_of
from textstream.reading.sink import MAX_UNITS_PER_STEP, Event, Sink
from textstream.stream.log import Ending
from textstream.stream.stream import Stream

RETRY_MIN = 0.005
RETRY_MAX = 0.05
"""Seconds between two looks at a sink that had no room, and does not say when it has.

Doubles from the one to the other.
"""

GRAIN = 0.005
"""Seconds in which readers of one stream come together, however little is sent."""


_turn = itertools.count()


class Server(Protocol):
    """What serves readers: the dispatcher."""

    @property
    def deliveries(self) -> Deliveries:
        """Where is counted what readers are sent: out of a reader's step only."""
        ...

    @property
    def grain(self) -> float:
        """Seconds in which it serves readers of a pace together; 0: each for itself."""
        ...

    def wake(self, reader: Reader) -> None:
        """Serve `reader` soon. Any thread, any lock held."""
        ...

    def add_run(self, run: Run[Reader]) -> None:
        """Serve `run` itself, whenever it is due. Out of a reader's step only."""
        ...


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
        "_last_sent",
        "_pace",
        "_phase",
        "_position",
        "_reached",
        "_retry",
        "_run",
        "_server",
        "_started",
        "_writing",
        "_wrote",
        "connection",
        "first",
        "format",
        "left",
        "over",
        "parked",
        "paused",
        "replaces",
        "sink",
        "stream",
        "ticket",
    )

    def __init__(
        self,
        stream: Stream,
        sink: Sink,
        server: Server,
        *,
        now: float,
        connection: str = "",
        offset: int = 0,
        reached: int = 0,
        rate: Rate | None = None,
        format_: FormatName = "char",
    ) -> None:
        """Make a reader that begins at `offset`.

        Args:
            stream: what to read.
            sink: where to write.
            server: steps it.
            now: seconds of the server's clock.
            connection: whose reader it is.
            offset: the first unit to send.
            reached: units before this one go at once, the rest at the pace.
            rate: units per second, 0, ``"auto"``, or None for the stream's own.
            format_: one event per unit, or chunks.

        """
        self.stream = stream
        self.sink = sink
        self.connection = connection
        self.format = format_
        self._cursor = offset
        self.paused = False
        self.parked = False
        self.over = False
        self.left = False  # whether it is over because its connection is gone, or left it
        self.replaces: Reader | None = None  # another of its connection: ended when this begins
        self.ticket = 0  # the dispatcher's: which entry of its schedule counts
        self.first = offset
        self._reached = reached
        self._pace = new_pace(stream.rate if rate is None else rate, now)
        self._started = False
        self._position = 0  # in the line of the stream's source, as it was told
        self._run: Run[Reader] | None = None
        self._phase = phase_of(stream.id, next(_turn))
        self._writing = (
            threading.Lock()
        )  # held from taking units to writing them; before the stream's
        self._cut: EndReason | None = None
        self._chunk = chunks.FIRST_CHUNK
        self._last_sent = float("-inf")
        self._wrote = 0  # in which of the server's steps, 0: in none whose distance tells anything
        self._retry = RETRY_MIN
        self._server = server

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
        """The payload of ``stream_start``: `textstream.protocol.StreamInfo`."""
        stream, rate = self.stream, self._pace.rate
        return stream_info(
            stream.id,
            stream.source,
            stream.unit,
            rate,
            format_=self.format,
            offset=self.first,
        )

    def wake(self) -> None:
        """Be served soon."""
        self._server.wake(self)

    def set_rate(self, rate: Rate, now: float) -> None:
        """Change the pace, from the unit after the last one that was sent."""
        with self.stream.lock:
            self.settle()
            begin = now
            if isinstance(rate, (int, float)) and rate > 0:
                # Not at once: a client that repeats itself would read as fast as it asks.
                begin = max(now, self._last_sent + 1 / rate)
            self._pace = new_pace(rate, begin)
            self._wrote = 0  # what comes now is late for nobody but who asked for it
        self.wake()

    def pause(self) -> None:
        """Stand still."""
        with self._writing, self.stream.lock:  # so that what was taken is written before
            self.settle()
            self.paused, self._wrote = True, 0
            self.stream.release_producer()

    def go_on(self, now: float) -> None:
        """Go on at the same pace; the time of the pause is no credit."""
        with self.stream.lock:
            if not self.paused:
                return
            self.paused = False
            self.stream.release_producer()
        self.set_rate(self._pace.rate, now)

    def end_now(self, reason: EndReason) -> None:
        """Send ``stream_end`` in the next step, whatever is left to read."""
        with self.stream.lock:
            if self.over:
                return
            self.settle()
            self._cut = reason
        self._server.wake(self)

    def leave(self, *, may_return: bool = True) -> None:
        """Stop reading without a word: the connection is gone, and may come back."""
        with self.stream.lock:
            if not self.over:
                self.settle()
                self.over = self.left = True
                self.stream.detach(self, may_return=may_return)
        self.wake()  # so that the dispatcher lets go of it

    def drop(self, problem: dict[str, Any] = INTERNAL_ERROR) -> None:
        """End it with an error object: by default after a failure of the server's own.

        The client may resume, if it may at all. The dispatcher's thread only.
        """
        with self.stream.lock:
            self.settle()
            self.over = self.left = True
        with contextlib.suppress(Exception):  # the sink may be what failed
            self.sink.write_event(announce.error(self.stream.id, problem))
        self.stream.detach(self, may_return=True)

    def step(self, now: float) -> float | None:
        """Write what is due at `now`; return when to be called next, None: when woken.

        With a run it does nothing: that is served itself.
        """
        if self._run is not None:
            return None
        with self._writing:
            stream = self.stream
            with stream.lock:
                if self.over:
                    return None
                offset, behind = self._cursor, stream.log.next
                units: Sequence[str] = ()
                lost = ending = None
                try:
                    units = self._take(now, behind)
                    ending = self._ending(behind)
                except OffsetGone as error:
                    lost = error
                    self._server.deliveries.gone += 1
                self.over = over = bool(lost or ending)
                due = None if over else self._next_step(now, behind, sent=bool(units))
            after = announce.end(stream.id, ending, lost) if over else ()
            self._write(offset, units, after)
            if over:
                # Only when it was told: who goes down waits for it.
                stream.detach(self)
            elif (
                units
                and due is not None
                and behind - self._cursor >= SHORTEST
                and (run := self._begin_run(behind))
            ):
                self._server.add_run(run)
                return None
            return due

    def count_more(self, units: int) -> None:
        """Count units that a run has sent beside the one that the server counts. In its step."""
        self._server.deliveries.units += units

    def end_run(self, run: Run[Reader]) -> bool:
        """Take the long way again; return whether `run` was not taken away before."""
        with self.stream.lock:
            if self._run is not run:
                return False
            self.settle()
            return True

    def settle(self) -> None:
        """Leave the short way, with the stream's lock held; move the cursor to where it led."""
        run, self._run = self._run, None
        if run is None:
            return
        sent = run.end()
        self._cursor += sent
        self._pace.sent(sent)
        self._last_sent = run.last_due
        self._wrote = run.wrote
        self.stream.advance(self._cursor)

    def _begin_run(self, behind: int) -> Run[Reader] | None:
        """Take the short way for the next units, if nothing stands in its way."""
        with self.stream.lock:
            pace = self._pace
            if (
                not isinstance(pace, FixedPace)
                or self.format != "char"
                or self._cursor < self._reached
                or self.paused
                or not self._wrote  # it was paused, or has another pace, since it was served
                or not self.reading
            ):
                return None
            stream, log = self.stream, self.stream.log
            part = next_part(
                self._cursor,
                behind,
                log.first,
                self._phase,
                pace.per_second,
                whole=behind == log.next and bool(stream.life.outcome or log.ending),
            )
            if not part:
                return None
            units = log.read(part.start, part.size)
            if units and (ready := self.sink.prepare(stream.id, part.start, units, part.done)):
                if grain := self._server.grain or (GRAIN if len(stream.readers) > 1 else 0):
                    pace.align(grain)
                self._run = Run(ready, part.done, pace, self, self._wrote)
            return self._run

    def _write(self, offset: int, units: Sequence[str], after: Sequence[Event]) -> None:
        """Write `units`, before the first of all that it begins, and behind them `after`."""
        before: Sequence[Event] = ()
        if not self._started:
            self._started = True
            before = (announce.start(self.info),)
        if units:
            self.sink.write_units(
                self.stream.id, self.format, offset, units, before=before, after=after
            )
            return
        if self._position != self.stream.position and not after:
            # Where there is text, or the end, it no longer matters.
            self._position = self.stream.position
            before = (*before, announce.waiting(self.stream.id, self._position))
        if before or after:
            for event in (*before, *after):
                self.sink.write_event(event)

    def _take(self, now: float, behind: int) -> Sequence[str]:
        """Return the units due now, and move the cursor behind them."""
        if self.paused or self._cut:
            return ()
        cursor = self._cursor
        catching_up = cursor < self._reached
        if catching_up:
            due = min(behind, self._reached) - cursor
        else:
            due = self._pace.due(behind - cursor, now)
        if not due:
            return ()
        room = self.sink.room(self.format)
        if room <= 0:
            return ()
        chunk = self.format == "chunk"
        most = self._chunk if chunk else min(room, MAX_UNITS_PER_STEP)
        units = self.stream.log.read(cursor, min(due, most))
        if units is None:
            first = self.stream.log.first
            raise OffsetGone(
                f"The text before offset {first} was trimmed while you read at {cursor}. "
                f"Resume at {first}, or read faster.",
                first=first,
            )
        if chunk:
            units = chunks.cut(units, chunks.largest(most, room))
            self._chunk = chunks.after(most)
        elif len(units) > 1:
            units = chunks.cut(units, most * chunks.UNIT_BYTES)
        count = len(units)
        self._cursor = cursor = cursor + count
        if not catching_up:
            self._pace.sent(count)
        elif cursor >= self._reached:
            self._pace = new_pace(self._pace.rate, now)
        self._last_sent = now
        self._count(count, now)
        self.stream.advance(cursor)
        return units

    def _count(self, units: int, now: float) -> None:
        """Count what is about to be written, for the operator."""
        deliveries, stream = self._server.deliveries, self.stream
        self._wrote = deliveries.sent(units, 1, self._wrote)
        if not stream.furthest:
            deliveries.first[stream.source].observe(now - stream.life.created)

    def _ending(self, behind: int) -> Ending | None:
        stream = self.stream
        if self._cut:
            return stream.ending_at(
                self._cursor if self._cut == "replaced" else stream.log.next, self._cut
            )
        if self._cursor < behind or self.paused:
            return None
        return stream.end_if_all_read(self._cursor)

    def _next_step(self, now: float, behind: int, *, sent: bool) -> float | None:
        if self.paused:
            return None
        cursor = self._cursor
        if cursor >= behind:
            self._pace.due(0, now)
            self.parked = True
            return None
        due = now if cursor < self._reached else max(now, self._pace.next_due())
        if due > now or sent:
            self._retry = RETRY_MIN
            return due
        if self.sink.wake_with_room(self):
            return None
        self._retry = min(self._retry * 2, RETRY_MAX)
        return now + self._retry
