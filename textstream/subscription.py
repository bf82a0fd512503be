"""A reader: a cursor into a stream's log, a pace, a format, and a sink to write to.

Nothing is queued for a reader. One that cannot take its units has a cursor that stands still.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any, Protocol

from textstream.errors import OffsetGone
from textstream.logs.base import Log, ReadStatus
from textstream.pacing import new_pace
from textstream.protocol import (
    STREAM_END,
    STREAM_ERROR,
    STREAM_START,
    EndReason,
    FormatName,
    Rate,
    StreamEnd,
    StreamInfo,
    UnitName,
)

MAX_UNITS_PER_STEP = 4096
"""Units handed over in one step, at most, so that one reader does not hold up the others."""

RETRY_MIN = 0.005
RETRY_MAX = 0.05
"""Seconds between two looks at a sink that had no room. Doubles from the one to the other."""


class Sink(Protocol):
    """Where a reader's units go. Writing never blocks and never raises."""

    def room(self) -> int:
        """Return how many writes it would take now; 0 or less: hold back."""
        ...

    def write_units(
        self, stream_id: str, format_: FormatName, offset: int, units: Sequence[str]
    ) -> None:
        """Write `units`, the first of which has `offset`."""
        ...

    def write_event(self, event: str, payload: dict[str, Any]) -> None:
        """Write an event, whatever the room."""
        ...


class Ended(Protocol):
    """How a stream ended, as `textstream.stream.Ending`."""

    @property
    def reason(self) -> EndReason: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def text_sha256(self) -> str: ...  # noqa: D102
    @property
    def error(self) -> dict[str, Any] | None: ...  # noqa: D102


class Readable(Protocol):
    """What a subscription needs of a stream."""

    id: str
    source: str
    unit: UnitName
    rate: Rate
    log: Log
    lock: RLock

    def attach(self, reader: Any) -> None: ...  # noqa: D102
    def detach(self, reader: Any, *, may_return: bool = False) -> None: ...  # noqa: D102
    def advanced(self, reader: Any) -> None: ...  # noqa: D102
    def reached_end(self, reader: Any) -> Ended | None: ...  # noqa: D102
    def reconsider(self) -> None: ...  # noqa: D102
    def ending_at(self, offset: int, reason: EndReason) -> Ended: ...  # noqa: D102


class Subscription:
    """One reader of one stream.

    `step` is called by the dispatcher's one thread only, and alone writes to the sink: so
    ``stream_start`` comes before the first unit, and ``stream_end`` after the last. The other
    methods may be called from any thread. The stream's lock guards the state.
    """

    def __init__(
        self,
        stream: Readable,
        sink: Sink,
        *,
        offset: int,
        reached: int,
        rate: Rate | None,
        format_: FormatName,
        now: float,
        wake: Callable[[Subscription], None],
        on_over: Callable[[Subscription], None],
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
            on_over: called once after ``stream_end`` was written, in the dispatcher's thread.

        """
        self.stream = stream
        self.sink = sink
        self.format = format_
        self.cursor = offset
        self.paused = False
        self.parked = False
        self.over = False
        self.ticket = 0  # the dispatcher's: which entry of its schedule counts
        self._first = offset
        self._reached = reached
        self._pace = new_pace(stream.rate if rate is None else rate, now)
        self._started = False
        self._cut: EndReason | None = None
        self._last_sent = float("-inf")
        self._retry = RETRY_MIN
        self._wake_me = wake
        self._on_over = on_over

    @property
    def reading(self) -> bool:
        """Whether it goes on: it is neither over nor told to end."""
        return not self.over and self._cut is None

    @property
    def info(self) -> dict[str, Any]:
        """The payload of ``stream_start``."""
        rate = self._pace.rate
        if isinstance(rate, float) and rate.is_integer():
            rate = int(rate)
        return StreamInfo(
            id=self.stream.id,
            source=self.stream.source,
            unit=self.stream.unit,
            rate=rate,
            format=self.format,
            offset=self._first,
        ).model_dump()

    def wake(self) -> None:
        """Be served soon."""
        self._wake_me(self)

    def set_rate(self, rate: Rate, now: float) -> None:
        """Change the pace, from the unit after the last one that was sent."""
        with self.stream.lock:
            begin = now
            if isinstance(rate, (int, float)) and rate > 0:
                # Not at once: a client that repeats itself would read as fast as it asks.
                begin = max(now, self._last_sent + 1 / rate)
            self._pace = new_pace(rate, begin)
        self.wake()

    def pause(self) -> None:
        """Stand still."""
        with self.stream.lock:
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
            self._cut = reason
        self.wake()

    def leave(self, *, may_return: bool = True) -> None:
        """Stop reading without a word: the connection is gone, and may come back."""
        with self.stream.lock:
            if not self.over:
                self.over = True
                self.stream.detach(self, may_return=may_return)
        self.wake()  # so that the dispatcher lets go of it

    def drop(self) -> None:
        """End it after a failure of the server's own: tell the client, who may resume."""
        with self.stream.lock:
            self.over = True
            self.stream.detach(self, may_return=True)
        error = {
            "code": "internal_error",
            "message": "The server made a mistake.",
            "retryable": True,
        }
        with contextlib.suppress(Exception):  # the sink may be what failed
            self.sink.write_event(STREAM_ERROR, {"id": self.stream.id, **error})
        self._on_over(self)

    def step(self, now: float) -> float | None:
        """Write what is due at `now`; return when to be called next, None: when woken."""
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
            self.sink.write_event(STREAM_START, self.info)
        if units:
            self.sink.write_units(self.stream.id, self.format, offset, units)
        if lost:
            self.sink.write_event(STREAM_ERROR, {"id": self.stream.id, **lost.to_wire()})
        if ending:
            self._write_end(ending)
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
        room = self.sink.room()
        if self.format == "chunk" and room > 0:
            room = MAX_UNITS_PER_STEP
        count = min(due, room, MAX_UNITS_PER_STEP)
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
        catching_up = self.cursor < self._reached
        self.cursor += len(units)
        if not catching_up:
            self._pace.sent(len(units))
        elif self.cursor >= self._reached:
            self._pace = new_pace(self._pace.rate, now)
        self._last_sent = now
        self.stream.advanced(self)
        return units

    def _ending(self, behind: int) -> Ended | None:
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

    def _write_end(self, ending: Ended) -> None:
        if ending.error:
            self.sink.write_event(STREAM_ERROR, {"id": self.stream.id, **ending.error})
        self.sink.write_event(
            STREAM_END,
            StreamEnd(
                id=self.stream.id,
                reason=ending.reason,
                offset=ending.offset,
                text_sha256=ending.text_sha256,
            ).model_dump(),
        )
