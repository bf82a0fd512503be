"""A live source rests in its own code, for as long as it likes: what its readers have meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, RecordingSink, sha256
from textstream.protocol import FormatName, Rate, UnitName
from textstream.reading.dispatcher import TICK
from textstream.sources.base import Source, SourceRequest

SAID, LATER = "Let me look that up.", " Here it is."
PROMISED = 0.5
"""Seconds from a delta to its last unit at a reader that follows; at most."""


@pytest.fixture
def bench(clock: ManualClock) -> Bench:
    return Bench(clock)


def resting(rest: Callable[[], object], *deltas: str) -> Source:
    """Return a live source that calls `rest` behind each of the deltas but the last.

    It is called in the source's own code, as another thread would do what it does meanwhile.
    """

    def generate(_request: SourceRequest) -> Iterator[str]:
        for delta in deltas[:-1]:
            yield delta
            rest()
        yield deltas[-1]

    return Source("resting", generate, needs_prompt=False)


units = pytest.mark.parametrize("unit", ["char", "word", "token"])
formats = pytest.mark.parametrize("format_", ["char", "chunk"])


@units
@formats
@pytest.mark.parametrize("rate", ["auto", 0, 1000])
@pytest.mark.parametrize("seconds", [PROMISED + TICK, 5, 60])
def test_all_that_was_said_is_there_before_the_rest_is_over(
    bench: Bench, unit: UnitName, format_: FormatName, rate: Rate, seconds: float
) -> None:
    sink = RecordingSink(bench.clock)
    seen = []

    def rest() -> None:
        begin = bench.clock.now
        bench.run(seconds)
        seen.append(sink.text)
        assert sink.times[-1] - begin <= (PROMISED if rate == "auto" else 0.4) + TICK

    source = resting(rest, SAID, LATER, ".")
    bench.start(source, unit=unit, rate=rate, format=format_, sink=sink)
    bench.settle()
    bench.run(1)
    assert seen == [SAID, SAID + LATER]
    assert sink.text == SAID + LATER + "."
    assert sink.end["text_sha256"] == sha256(sink.text)


def test_after_a_short_rest_a_cluster_is_whole(bench: Bench) -> None:
    source = resting(lambda: bench.run(0.1), "e", "\u0301", "a")
    _, sink = bench.start(source)
    bench.settle()
    bench.run(1)
    assert sink.chars == ["e\u0301", "a"]


@pytest.mark.parametrize(
    "parts", [("\r", "\n"), ("👨", "\u200d", "👩"), ("🇩", "🇪"), ("क", "\u094d", "ष")]
)
def test_after_a_long_rest_too_where_it_waits(bench: Bench, parts: tuple[str, ...]) -> None:
    source = resting(lambda: bench.run(60), "ab", *parts, "c.")
    _, sink = bench.start(source, rate=0)
    bench.settle()
    assert sink.chars == ["a", "b", "".join(parts), "c", "."]


@units
def test_all_readers_have_the_same_units_whenever_they_come(bench: Bench, unit: UnitName) -> None:
    sinks: list[RecordingSink] = []

    def join(connection: str, offset: int) -> RecordingSink:
        sinks.append(bench.resume(reader.stream.id, offset, connection=connection, rate=0)[1])
        return sinks[-1]

    def rest() -> None:
        bench.run(0.2)
        late = join("late", 0)
        bench.run(1)
        assert late.text == SAID
        join("at its end", reader.cursor)
        join("behind its first", 1)
        bench.run(1)

    reader, first = bench.start(resting(rest, SAID, LATER), unit=unit)
    bench.settle()
    bench.run(1)
    join("replay", 0)
    bench.settle()
    assert first.text == SAID + LATER
    assert len(sinks) == 4
    for sink in sinks:
        assert sink.chars == first.chars[sink.start["offset"] :]
        assert sink.end == first.end


def test_a_paused_reader_gets_it_when_it_goes_on(bench: Bench) -> None:
    def rest() -> None:
        bench.run(0.01)
        reader.pause()
        bench.run(5)
        assert len(sink.text) < len(SAID) - 1
        reader.go_on(bench.clock.now)
        bench.run(1)
        assert sink.text == SAID

    reader, sink = bench.start(resting(rest, SAID, LATER), rate="auto")
    bench.settle()


def test_a_source_that_is_held_does_not_rest(bench: Bench) -> None:
    """It is not asked while all its readers pause. What it says next may join what it said."""

    def generate(_request: SourceRequest) -> Iterator[str]:
        yield "a"
        reader.pause()
        yield "x"
        yield "\u0304y"

    reader, sink = bench.start(Source("held", generate), rate=0)
    bench.settle()
    assert reader.stream.life.state == "held"
    bench.run(60)
    reader.go_on(bench.clock.now)
    bench.settle()
    assert sink.chars == ["a", "x\u0304", "y"]


def test_a_source_may_rest_again_once_it_is_asked_again(bench: Bench) -> None:
    said = []

    def look() -> None:
        bench.run(1)
        said.append(sink.text)

    def generate(_request: SourceRequest) -> Iterator[str]:
        yield "a"
        reader.pause()
        yield "b"
        look()
        yield "c"

    reader, sink = bench.start(Source("resting", generate), rate=0)
    bench.settle()
    bench.run(60)
    assert sink.text == ""
    reader.go_on(bench.clock.now)
    bench.settle()
    assert said == ["ab"]


@pytest.mark.parametrize(("seconds", "text"), [(0.34, SAID[:-1]), (5, SAID)])
def test_who_stops_it_in_the_rest_has_what_was_sent_sealed(
    bench: Bench, seconds: float, text: str
) -> None:
    def rest() -> None:
        bench.run(seconds)
        assert bench.hub.stop(reader.stream.id, "alice") == len(text)
        bench.run(5)

    reader, sink = bench.start(resting(rest, SAID, LATER), rate=0)
    bench.settle()
    assert sink.text == text
    assert (sink.end["reason"], sink.end["offset"]) == ("stopped", len(text))
    assert sink.end["text_sha256"] == sha256(text)
    assert bench.settle() is None or not bench.pool.jobs


@units
def test_a_source_that_fails_in_its_rest_has_said_what_it_said(
    bench: Bench, unit: UnitName
) -> None:
    def rest() -> None:
        bench.run(5)
        raise OSError("scripted")

    _, sink = bench.start(resting(rest, "Let me look", ""), unit=unit, rate=0)
    bench.settle()
    assert sink.text == "Let me look"
    assert sink.end["reason"] == "error"
    assert sink.end["text_sha256"] == sha256("Let me look")
