"""Whatever happens, in whatever order: every reader gets its part of the text, exactly.

Hypothesis starts, stops, attaches, seeks, pauses, cuts and chokes at random, lets time pass at
random, so that streams expire and are forgotten, and lets the sources run at random moments. After
every step each reader's units are compared with the truth; at the end every reader must have been
told how it ended.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.clock import ManualClock
from tests.support.doubles import PLENTY, Bench, RecordingSink, ScriptedSource, sha256
from textstream.access.shares import Shares
from textstream.errors import (
    Forbidden,
    InvalidRequest,
    OffsetGone,
    TooManyStreams,
    UnknownStream,
)
from textstream.hub.keeper import Limits
from textstream.protocol import (
    NEW_CHAR,
    STREAM_CHUNK,
    STREAM_END,
    STREAM_ERROR,
    STREAM_START,
    FormatName,
    OnDisconnect,
    Rate,
    UnitName,
)
from textstream.reading.reader import Reader
from textstream.stream.units import new_splitter

LIMITS = Limits(
    max_streams=6,
    max_streams_per_client=3,
    lookahead=8,
    grace=5.0,
    retention=10.0,
    max_duration=40.0,
    max_units=100,
)
MAX_TOTAL_BYTES = 300
MAX_STREAM_BYTES = 150

CLIENTS = ["alice", "bob", "carol"]
connections = st.sampled_from(CLIENTS)
formats = st.sampled_from(["char", "chunk"])
rates = st.sampled_from([0, 1, 7.5, 100, "auto", 1e-12])


@dataclass(frozen=True)
class Script:
    """What a source yields, and so what its readers must get."""

    deltas: tuple[str, ...]
    endless: bool = False
    error: bool = False

    def truth(self, unit: UnitName) -> Truth:
        """Return what its readers must get."""
        splitter = new_splitter(unit)
        parts = [u for delta in self.deltas for u in splitter.push(delta)]
        return Truth([*parts, *splitter.finish()], self.endless)


@dataclass(frozen=True)
class Truth:
    """The units of a text; an endless one repeats them."""

    units: list[str]
    endless: bool

    def part(self, start: int, end: int) -> str:
        """Return the units from `start` to before `end`, joined."""
        if not self.endless:
            return "".join(self.units[start:end])
        return "".join(self.units[n % len(self.units)] for n in range(start, end))


SCRIPTS = [
    Script(("to be ", "or not", " to be, 这是一段", "文字 e", "\u0301🇩", "🇪 the end")),
    Script(("x" * 120,)),
    Script(()),
    Script(tuple("character by character, as a model would")),
    Script(("half of ", "it, and then"), error=True),
    Script(("on and ",), endless=True),
]
TRUTHS = {(s, unit): s.truth(unit) for s in SCRIPTS for unit in ("char", "word", "token")}


@dataclass
class Seen:
    """One reader: what it must get, and how far that was checked."""

    reader: Reader
    sink: RecordingSink
    connection: str
    truth: Truth
    start: int
    left: bool = False
    checked: int = 0
    position: int = field(init=False)
    end: str | None = None

    def __post_init__(self) -> None:
        self.position = self.start

    @property
    def stream_id(self) -> str:
        return self.reader.stream.id

    def check(self) -> None:
        """Compare what is new with the truth."""
        new = self.sink.written[self.checked :]
        for number, entry in enumerate(new, self.checked):
            assert self.end is None, "nothing comes after the end"
            assert (entry.event == STREAM_START) == (number == 0), "the start comes first, and once"
            match entry.event:
                case "stream_start":
                    assert entry.data["offset"] == self.start
                case "new_char":
                    self.position += 1
                    assert entry.data == self.truth.part(self.position - 1, self.position)
                    assert entry.data
                case "stream_chunk":
                    assert entry.data["offset"] == self.position
                    self.position = entry.data["next"]
                    part = self.truth.part(entry.data["offset"], self.position)
                    assert entry.data["text"] == part
                case "stream_error" if entry.data["code"] == "offset_gone":
                    assert entry.data["first"] > self.position
                    self.end = "offset_gone"
                case "stream_error":
                    assert entry.data["code"] == "source_failed"
                case "stream_end":
                    self._check_end(entry.data)
        self.checked += len(new)

    def _check_end(self, end: dict[str, object]) -> None:
        offset, self.end = end["offset"], str(end["reason"])
        assert isinstance(offset, int)
        assert end["text_sha256"] == sha256(self.truth.part(0, offset))
        if self.end in {"completed", "error"}:
            assert self.position == offset == len(self.truth.units)
        if self.end == "length":
            assert self.position == offset == LIMITS.max_units
        if self.end == "error":
            assert self.sink.error
        assert Counter(e.event for e in self.sink.written)[STREAM_END] == 1


assert {NEW_CHAR, STREAM_CHUNK, STREAM_ERROR} == {"new_char", "stream_chunk", "stream_error"}


class Readers(RuleBasedStateMachine):
    """The hub under whatever its connections do."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(ManualClock(), LIMITS, Shares(nbytes=MAX_TOTAL_BYTES), MAX_STREAM_BYTES)
        self.seen: list[Seen] = []
        self.truths: dict[str, Truth] = {}
        self.keys: dict[str, str] = {}

    def live(self, number: int) -> Seen:
        """Return one of the readers that go on."""
        candidates = [s for s in self.seen if s.reader.reading]
        assume(candidates)
        return candidates[number % len(candidates)]

    # What connections do.

    @rule(
        connection=connections,
        script=st.sampled_from(SCRIPTS),
        unit=st.sampled_from(["char", "word", "token"]),
        rate=st.one_of(st.none(), rates),
        format_=formats,
        capacity=st.sampled_from([PLENTY, PLENTY, 0, 3]),
        request=st.sampled_from([None, None, "1", "2"]),
        on_disconnect=st.sampled_from(["continue", "continue", "cancel"]),
    )
    def start(
        self,
        *,
        connection: str,
        script: Script,
        unit: UnitName,
        rate: Rate | None,
        format_: FormatName,
        capacity: int,
        request: str | None,
        on_disconnect: OnDisconnect,
    ) -> None:
        error = OSError("the source broke") if script.error else None
        source = ScriptedSource(*script.deltas, repeat=script.endless, error=error).source
        try:
            reader, sink = self.bench.start(
                source,
                connection=connection,
                capacity=capacity,
                unit=unit,
                rate=rate,
                format=format_,
                request_id=request,
                on_disconnect=on_disconnect,
            )
        except (TooManyStreams, OffsetGone):
            return
        if any(s.reader is reader for s in self.seen):
            return  # the same request: it reads already
        stream_id = reader.stream.id
        if stream_id not in self.truths:
            self.truths[stream_id] = TRUTHS[script, unit]
            self.keys[stream_id] = reader.stream.key
        self._note(reader, sink, connection)

    @precondition(lambda self: self.truths)
    @rule(
        connection=connections,
        which=st.integers(0, 100),
        part=st.floats(0, 1),
        rate=st.one_of(st.none(), rates),
        format_=st.one_of(st.none(), formats),
        owns=st.booleans(),
    )
    def resume(
        self,
        connection: str,
        which: int,
        part: float,
        rate: Rate | None,
        format_: FormatName | None,
        *,
        owns: bool,
    ) -> None:
        stream_id = list(self.truths)[which % len(self.truths)]
        positions = [s.position for s in self.seen if s.stream_id == stream_id]
        offset = round(part * (max(positions) + 3))
        try:
            reader, sink = self.bench.resume(
                stream_id,
                offset,
                connection=connection,
                rate=rate,
                format=format_,
                key=self.keys[stream_id] if owns else None,
            )
        except (UnknownStream, OffsetGone, InvalidRequest):
            return
        self._note(reader, sink, connection)

    def _note(self, reader: Reader, sink: RecordingSink, connection: str) -> None:
        for other in self.seen:  # a connection reads a stream at most once
            if (other.connection, other.stream_id) == (
                connection,
                reader.stream.id,
            ) and not other.end:
                other.left = other.left or other.reader.over
        truth = self.truths[reader.stream.id]
        self.seen.append(Seen(reader, sink, connection, truth, reader.info["offset"]))

    @rule(which=st.integers(0, 100))
    def stop(self, which: int) -> None:
        seen = self.live(which)
        stream = seen.reader.stream
        if stream.owner == seen.connection:
            assert self.bench.hub.stop(seen.stream_id, seen.connection) >= 0
        else:
            with pytest.raises(Forbidden):
                self.bench.hub.stop(seen.stream_id, seen.connection)
            assert self.bench.hub.stop(seen.stream_id, seen.connection, stream.key) >= 0

    @rule(connection=connections)
    def stop_own(self, connection: str) -> None:
        stopped = self.bench.hub.stop_own(connection)
        owners = {s.stream_id: s.reader.stream.owner for s in self.seen}
        assert all(owners[stream_id] == connection for stream_id in stopped)

    @rule(which=st.integers(0, 100))
    def leave(self, which: int) -> None:
        seen = self.live(which)
        seen.left = True
        assert self.bench.hub.leave(seen.stream_id, seen.connection) == seen.position

    @rule(connection=connections)
    def disconnect(self, connection: str) -> None:
        for seen in self.seen:
            if seen.connection == connection and not seen.reader.over:
                seen.left = True
        self.bench.hub.disconnect(connection)

    @rule(which=st.integers(0, 100))
    def pause(self, which: int) -> None:
        self.live(which).reader.pause()

    @rule(which=st.integers(0, 100))
    def go_on(self, which: int) -> None:
        self.live(which).reader.go_on(self.bench.clock.now)

    @rule(which=st.integers(0, 100), rate=rates)
    def set_rate(self, which: int, rate: Rate) -> None:
        self.live(which).reader.set_rate(rate, self.bench.clock.now)

    @rule(which=st.integers(0, 100), capacity=st.sampled_from([0, 1, 10, PLENTY]))
    def choke(self, which: int, capacity: int) -> None:
        self.live(which).sink.capacity = capacity

    # What the server does meanwhile.

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.2, 1.0, 6.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.bench.run(seconds)

    @rule(seconds=st.sampled_from([0.0, 0.005, 0.5]))
    def step_late(self, seconds: float) -> None:
        self.bench.dispatcher.step(self.bench.clock.advance(seconds))

    @rule()
    def let_a_source_run(self) -> None:
        self.bench.pool.run_one()

    # What must hold.

    @invariant()
    def everybody_has_the_truth(self) -> None:
        for seen in self.seen:
            seen.check()

    def teardown(self) -> None:
        """Let all go on freely: what can end ends; then the server goes down."""
        for seen in self.seen:
            seen.sink.capacity = PLENTY
            if seen.reader.reading:
                seen.reader.go_on(self.bench.clock.now)
                seen.reader.set_rate(1000, self.bench.clock.now)
        self.bench.run(1)
        self.everybody_has_the_truth()
        for seen in self.seen:
            if not seen.left and not seen.truth.endless:
                assert seen.end, "a text that ends was read to its end"
        self.bench.hub.close(0)
        self.bench.settle()
        self.everybody_has_the_truth()
        assert all(seen.end or seen.left for seen in self.seen)
        assert self.bench.hub.settled
        assert self.bench.hub.running_streams == 0


TestReaders = Readers.TestCase
TestReaders.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
