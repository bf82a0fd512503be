"""How what is due is cut into chunks: into as few as the room allows, whatever the units are."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, RecordingSink
from textstream.protocol import UnitName
from textstream.reading.chunks import FIRST_CHUNK, UNIT_BYTES, cut, largest
from textstream.reading.sink import MAX_CHUNK_BYTES, MAX_UNITS_PER_STEP

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
UNITS = {
    "ASCII": "x",
    "CJK": "字",
    "family emoji": FAMILY,
    "flag": "🇩🇪",
    "tag flag": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "conjunct": "क्ष",
}
every_unit = pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())


@pytest.fixture
def bench(clock: ManualClock) -> Bench:
    return Bench(clock)


def sizes(sink: RecordingSink) -> list[int]:
    """Return the units of each chunk, which lie side by side."""
    ends = [(entry.data["offset"], entry.data["next"]) for entry in sink.named("stream_chunk")]
    assert [begin for begin, _ in ends[1:]] == [end for _, end in ends[:-1]]
    return [end - begin for begin, end in ends]


@every_unit
@pytest.mark.parametrize("count", [1, 12, 50])
def test_what_is_due_at_once_is_one_chunk(bench: Bench, unit: str, count: int) -> None:
    _, sink = bench.start(unit * count, format="chunk", rate=0)
    bench.settle()
    assert sizes(sink) == [count]
    assert sink.text == unit * count


@pytest.mark.parametrize("name", ["word", "token"])
def test_so_are_units_of_other_kinds(bench: Bench, name: UnitName) -> None:
    words = [f"{FAMILY}{number} " for number in range(12)]
    _, sink = bench.start("".join(words), format="chunk", rate=0, unit=name)
    bench.settle()
    assert len(sizes(sink)) == 1


@every_unit
def test_what_is_due_one_by_one_comes_one_by_one(bench: Bench, unit: str) -> None:
    _, sink = bench.start(unit * 30, format="chunk", rate=30)
    bench.run(2)
    assert sizes(sink) == [1] * 30
    assert sink.times[-1] - sink.times[0] == pytest.approx(29 / 30, abs=0.006)


def test_a_step_that_comes_late_hands_over_all_that_is_due_in_one(bench: Bench) -> None:
    _, sink = bench.start(FAMILY * 100, format="chunk", rate=100)
    bench.settle()
    bench.clock.advance(0.5)
    bench.settle()
    assert sizes(sink)[:2] == [1, 50]


@pytest.mark.parametrize("unit", ["x", "字"])
def test_chunks_begin_small_and_double(bench: Bench, unit: str) -> None:
    """Connections that live for less than one large chunk must bring something, too."""
    _, sink = bench.start(unit * 20_000, format="chunk", rate=0)
    bench.settle()
    assert sizes(sink) == [64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096, 3680]


@every_unit
def test_who_resumes_gets_what_it_missed_in_few_that_begin_small_again(
    bench: Bench, unit: str
) -> None:
    reader, sink = bench.start(unit * 10_000, format="chunk", rate=0)
    bench.settle()
    _, again = bench.resume(reader.stream.id, 100, connection="bob", format="chunk", rate=0)
    bench.settle()
    assert again.text == unit * 9900
    largest_chunk = min(MAX_UNITS_PER_STEP, MAX_CHUNK_BYTES // len(unit.encode()))
    assert len(sizes(again)) <= 7 + 9900 // largest_chunk
    assert sizes(again)[0] == min(FIRST_CHUNK, FIRST_CHUNK * UNIT_BYTES // len(unit.encode()))
    assert sum(sizes(sink)) == 10_000


def test_a_chunk_is_as_large_as_its_room_in_bytes(bench: Bench) -> None:
    sink = RecordingSink(bench.clock)
    sink.chunk_room = 100
    bench.start("字" * 60, format="chunk", rate=0, sink=sink)
    bench.settle()
    assert sizes(sink) == [33, 27]


def test_large_units_share_chunks_and_one_larger_than_any_goes_alone(bench: Bench) -> None:
    large, huge = "e" + "\u0301" * 400, "e" + "\u0301" * 4000
    assert len(large.encode()) < FIRST_CHUNK * UNIT_BYTES < MAX_CHUNK_BYTES // 2
    _, sink = bench.start(large * 2 + "ab" + huge, format="chunk", rate=0)
    bench.settle()
    assert sizes(sink) == [4, 1]
    sink = RecordingSink(bench.clock)
    sink.chunk_room = 10
    bench.start("ab" + huge + "c", format="chunk", rate=0, sink=sink, connection="bob")
    bench.settle()
    assert sizes(sink) == [2, 1, 1]


def test_a_cut_leaves_one_unit_at_least_and_takes_what_fits_exactly() -> None:
    assert cut("abc", 2) == "ab"
    assert cut("字字字", 6) == "字字"
    assert cut(["字", "🇩🇪", "x"], 11) == ["字", "🇩🇪"]
    assert cut(["字", "🇩🇪", "x"], 12) == ["字", "🇩🇪", "x"]
    assert cut([FAMILY, "x"], 1) == [FAMILY]


def test_the_bytes_of_a_chunk_are_bounded_by_its_units_the_room_and_the_most() -> None:
    assert largest(64, 10**6) == 64 * UNIT_BYTES
    assert largest(64, 100) == 100
    assert largest(4096, 10**6) == MAX_CHUNK_BYTES
