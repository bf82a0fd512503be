"""Doubles for the core: a sink that writes down, a pool that runs on demand, scripted sources.

And `Bench`, which puts real parts around them, with a clock that the test moves. Nothing here
starts a thread or waits.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from tests.support.clock import ManualClock
from textstream.access.account import Account, Kind
from textstream.access.caller import Caller
from textstream.access.clients import Clients
from textstream.access.grants import Grants
from textstream.access.shares import Shares
from textstream.hub.hub import Hub, Limits
from textstream.protocol import (
    NEW_CHAR,
    STREAM_CHUNK,
    STREAM_END,
    STREAM_ERROR,
    STREAM_START,
    FormatName,
    UnitName,
)
from textstream.reading.dispatcher import TICK, Dispatcher
from textstream.reading.reader import Reader
from textstream.reading.sink import Event, Ready, Waiting
from textstream.sources.base import CancelToken, Source, SourceRequest
from textstream.stream.attached import AttachedReader
from textstream.stream.life import Life
from textstream.stream.log import Log
from textstream.stream.memory_log import MemoryLog
from textstream.stream.start import Start, StreamLimits
from textstream.stream.stream import Stream, StreamObserver

PLENTY = 1_000_000


def sha256(text: str) -> str:
    """Return what ``stream_end`` must prove."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Written:
    """One event, as a client would get it."""

    at: float
    event: str
    data: Any


@lru_cache(maxsize=64)
def _frames(_stream_id: str, _offset: int, units: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return a frame for each unit: the same ones for all readers of a stream."""
    return tuple(unit.encode() + b"\0" for unit in units)


class RecordingSink:
    """Writes down what it is given, with the time.

    `capacity` is how many writes it takes until a test gives it more; by default plenty.
    Writing units without room is an error here, whatever a real sink would do.
    """

    def __init__(
        self, clock: Callable[[], float], capacity: int = PLENTY, *, prepares: bool = True
    ) -> None:
        self.capacity = capacity
        self.chunk_room = PLENTY  # bytes
        self.prepares = prepares
        self.wakes = False  # whether it says when there is room
        self.waiting: list[Waiting] = []
        self.lock = threading.Lock()
        self.prepared = 0
        self.sends = 0  # writes, however much was in one
        self.written: list[Written] = []
        self._clock = clock

    # What a sink does.

    def room(self, format_: FormatName) -> int:
        return self.capacity if format_ == "char" or self.capacity <= 0 else self.chunk_room

    def wake_with_room(self, who: Waiting) -> bool:
        if not self.wakes:
            return False
        self.waiting.append(who)
        return True

    def write_units(
        self,
        stream_id: str,
        format_: FormatName,
        offset: int,
        units: Sequence[str],
        *,
        before: Sequence[Event] = (),
        after: Sequence[Event] = (),
    ) -> None:
        assert units, "a write of nothing"
        self.sends += 1
        for event in before:
            self._write(*event)
        if format_ == "char":
            for unit in units:
                self._write(NEW_CHAR, unit)
        else:
            end = offset + len(units)
            chunk = {"id": stream_id, "offset": offset, "next": end, "text": "".join(units)}
            self._write(STREAM_CHUNK, chunk)
        for event in after:
            self._write(*event)
        self.capacity -= len(units) if format_ == "char" else 1
        assert self.capacity >= 0, "more was written than there was room for"

    def write_event(self, event: Event) -> None:
        self.sends += 1
        self._write(*event)

    def prepare(self, stream_id: str, offset: int, units: Sequence[str], done: int) -> Ready | None:
        if not self.prepares:
            return None
        self.prepared += len(units) - done
        return Ready(_frames(stream_id, offset, tuple(units)), self)

    def offer(self, data: bytes) -> bool:
        units = data.decode().split("\0")[:-1]
        if len(units) > self.capacity:
            return False
        self.write_units("", "char", 0, units)
        return True

    def _write(self, event: str, data: Any) -> None:
        self.written.append(Written(self._clock(), event, data))

    # What a test asks.

    def named(self, event: str) -> list[Written]:
        return [entry for entry in self.written if entry.event == event]

    @property
    def names(self) -> list[str]:
        """The names of the events, units left out."""
        return [e.event for e in self.written if e.event not in {NEW_CHAR, STREAM_CHUNK}]

    @property
    def chars(self) -> list[str]:
        return [entry.data for entry in self.named(NEW_CHAR)]

    @property
    def times(self) -> list[float]:
        """When units were written, one entry per write."""
        return [e.at for e in self.written if e.event in {NEW_CHAR, STREAM_CHUNK}]

    @property
    def text(self) -> str:
        """What a reader would have assembled."""
        chunks = [entry.data["text"] for entry in self.named(STREAM_CHUNK)]
        return "".join([*self.chars, *chunks])

    @property
    def start(self) -> dict[str, Any]:
        (entry,) = self.named(STREAM_START)
        return dict(entry.data)

    @property
    def end(self) -> dict[str, Any]:
        (entry,) = self.named(STREAM_END)
        return dict(entry.data)

    @property
    def error(self) -> dict[str, Any]:
        (entry,) = self.named(STREAM_ERROR)
        return dict(entry.data)


class Watcher:
    """Observes a stream, and writes down what it is told: ``(event, name of the stream)``."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def on_read(self, stream: Stream, reader: AttachedReader) -> None:
        self.told.append(("read", stream.id))

    def on_unread(self, stream: Stream, reader: AttachedReader) -> None:
        self.told.append(("unread", stream.id))

    def on_ended(self, stream: Stream) -> None:
        assert stream.ending, "it is told when it is so"
        self.told.append(("ended", stream.id))

    def on_forgotten(self, stream: Stream) -> None:
        self.told.append(("forgotten", stream.id))


def new_stream(
    source: Source | None = None,
    *,
    stream_id: str = "s",
    start: Start | None = None,
    log: Log | None = None,
    max_bytes: int = PLENTY,
    clock: Callable[[], float] = lambda: 0.0,
    observer: StreamObserver | None = None,
    lookahead: int = PLENTY,
    max_units: int = PLENTY,
    grace: float = 60.0,
    retention: float = 300.0,
    longest: float = 86_400.0,
) -> Stream:
    """Return a stream of alice's, by default of a live source, that nothing feeds."""
    if start is None:
        start = Start(source or Source("script", lambda _request: iter(())), rate=30)
    return Stream(
        stream_id,
        start,
        "alice",
        log=log or MemoryLog("s", partial(Account().add, Kind.TEXT), max_bytes=max_bytes),
        clock=clock,
        limits=StreamLimits(lookahead, grace, retention, longest, max_units),
        observer=observer or Watcher(),
    )


def new_life(
    clock: Callable[[], float] = lambda: 0.0,
    *,
    grace: float = 60.0,
    retention: float = 300.0,
    longest: float = 86_400.0,
) -> Life:
    """Return a life that begins now."""
    return Life(clock, grace=grace, retention=retention, longest=longest)


class OnDemandPool:
    """Stands in for `Pools`: keeps the jobs until a test runs them, in its own thread."""

    def __init__(self) -> None:
        self.jobs: deque[Callable[[], None]] = deque()
        self.closed_until: float | None = None

    def submit(self, job: Callable[[], None], caller: Caller, *, blocking: bool) -> None:
        self.jobs.append(job)

    def close(self, deadline: float) -> None:
        self.closed_until = deadline

    def run_one(self) -> bool:
        """Run the oldest job; return whether there was one."""
        if not self.jobs:
            return False
        self.jobs.popleft()()
        return True


class ScriptedSource:
    """Yields its deltas, then fails with `error` or returns `outcome`. Counts what happens.

    Endless when made with ``repeat=True``. Never waits: a source that has nothing yet is
    imitated by appending to a stream directly.
    """

    def __init__(
        self,
        *deltas: Any,
        repeat: bool = False,
        error: BaseException | None = None,
        outcome: str | None = None,
        live: bool = False,
    ) -> None:
        self._deltas = deltas
        self._repeat = repeat
        self._error = error
        self._outcome = outcome
        self.yielded = 0
        self.closed = 0
        self.source = Source("script", self._generate, live=live, needs_prompt=False)

    def _generate(self, request: SourceRequest) -> Generator[str, None, str | None]:
        try:
            while True:
                for delta in self._deltas:
                    self.yielded += 1
                    yield delta
                if not self._repeat:
                    break
            if self._error:
                raise self._error
            return self._outcome
        finally:
            self.closed += 1


def text_source(text: str) -> Source:
    """Return a source that yields `text` at once, as the source ``text`` does."""
    return ScriptedSource(text).source


@dataclass
class Bench:
    """A hub and a dispatcher, with a clock and threads that only the test moves."""

    clock: ManualClock
    limits: Limits = field(default_factory=Limits)
    shares: Shares = field(default_factory=Shares)
    max_stream_bytes: int = PLENTY

    def __post_init__(self) -> None:
        self.pool = OnDemandPool()
        self.clients = self.new_clients()
        self.dispatcher = Dispatcher(clock=self.clock, sleep=self._never)
        self.hub = Hub(
            dispatcher=self.dispatcher,
            pools=self.pool,  # type: ignore[arg-type]  # it has what a producer needs
            new_log=partial(MemoryLog, max_bytes=self.max_stream_bytes),
            clock=self.clock,
            limits=self.limits,
            clients=self.clients,
            grants=Grants(clock=self.clock),
        )

    def new_clients(self) -> Clients:
        """Return who may have how much."""
        return Clients(self.shares, self.clock)

    def start(
        self,
        source: Source | str,
        *,
        connection: str = "alice",
        capacity: int = PLENTY,
        unit: UnitName = "char",
        cancel: CancelToken | None = None,
        sink: RecordingSink | None = None,
        **options: Any,
    ) -> tuple[Reader, RecordingSink]:
        """Start a stream of `source`, or of a text. `options` are those of a `Start`."""
        sink = sink or RecordingSink(self.clock, capacity)
        if isinstance(source, str):
            source = text_source(source)
        request = SourceRequest(cancel=cancel or CancelToken(), unit=unit)
        start = Start(source, request, **options)
        reader = self.hub.start(start, connection=connection, sink=sink)
        return reader, sink

    def resume(
        self, stream_id: str, offset: int, *, connection: str = "alice", **options: Any
    ) -> tuple[Reader, RecordingSink]:
        """Attach to a stream."""
        sink = RecordingSink(self.clock)
        options["format_"] = options.pop("format", None)
        reader = self.hub.resume(
            stream_id, offset=offset, connection=connection, sink=sink, **options
        )
        return reader, sink

    def settle(self) -> float | None:
        """Do all there is to do at this time; return when there is more, None: when woken."""
        due, at_rest = self._turn(100_000)
        assert at_rest, "it does not come to rest: an endless source, read without a pace?"
        return due

    def run(self, seconds: float) -> None:
        """Let `seconds` pass, stepping as the dispatcher's own task does: once a tick."""
        end = self.clock.now + seconds
        while True:
            due, at_rest = self._turn(3)
            if not at_rest:
                due = self.clock.now
            if due is None or max(due, self.clock.now + TICK) > end:
                break
            self.clock.now = max(due, self.clock.now + TICK)
        self.clock.now = end
        self._turn(3)

    def _turn(self, rounds: int) -> tuple[float | None, bool]:
        due = None
        for _ in range(rounds):
            due = self.dispatcher.step(self.clock.now)
            jobs = len(self.pool.jobs)
            for _ in range(jobs):
                self.pool.run_one()
            if not jobs and (due is None or due > self.clock.now):
                return due, True
        return due, False

    @staticmethod
    def _never(seconds: float) -> None:
        raise AssertionError("nothing sleeps here")
