"""What the dispatcher counts of what it sends: each unit, each gap, each delay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, RecordingSink
from textstream.observe.deliveries import LONGEST, Deliveries
from textstream.observe.figures import Buckets
from textstream.reading import reader as reader_module
from textstream.reading.dispatcher import TICK
from textstream.reading.reader import Reader
from textstream.sources.base import Source, Wait

TEXT = "".join(chr(0x4E00 + n) for n in range(400))


@pytest.fixture
def bench(clock: ManualClock) -> Bench:
    return Bench(clock)


def deliveries(bench: Bench) -> Deliveries:
    return bench.dispatcher.deliveries


def silent(bench: Bench, *, name: str = "silent", rate: float = 0) -> Reader:
    """Start a stream whose source says nothing; what it would say is appended by the test."""
    source = Source(name, lambda _request: iter((Wait(),)))
    return bench.start(source, rate=rate)[0]


def between(found: tuple[Buckets, float]) -> dict[str, int]:
    """Return how many are in each bucket alone, by its upper bound; none of the empty ones."""
    below, counts = 0, {}
    for bound, count in found[0]:
        if count > below:
            counts[bound] = int(count) - below
        below = int(count)
    return counts


@pytest.mark.parametrize(("rate", "bound"), [(20, "0.05"), (10, "0.1"), (4, "0.25"), (100, "0.01")])
def test_of_an_even_pace_each_gap_is_that_of_the_pace(
    bench: Bench, rate: float, bound: str
) -> None:
    """On the short way nearly all of it, the first and the last on the long one."""
    _, sink = bench.start(TEXT, rate=rate)
    bench.settle()
    bench.run(len(TEXT) / rate + 1)
    assert sink.text == TEXT
    assert deliveries(bench).units == len(TEXT)
    assert between(deliveries(bench).read_gaps()) == {bound: len(TEXT) - 1}
    assert deliveries(bench).read_gaps()[1] == pytest.approx((len(TEXT) - 1) / rate)
    assert set(between(deliveries(bench).read_late())) == {"0.005"}


def test_readers_who_are_served_together_count_each(bench: Bench) -> None:
    owner, _ = bench.start(TEXT, rate=20)
    for number in range(5):
        bench.resume(owner.stream.id, 0, connection=f"viewer {number}", rate=20)
    bench.settle()
    bench.run(len(TEXT) / 20 + 1)
    assert deliveries(bench).units == 6 * len(TEXT)
    gaps = between(deliveries(bench).read_gaps())
    assert sum(gaps.values()) == 6 * (len(TEXT) - 1)
    # Each is put off once, by less than an interval, to where the others are.
    assert gaps["0.05"] >= 6 * (len(TEXT) - 3)


def test_one_that_leaves_a_group_has_the_gap_that_it_had(bench: Bench) -> None:
    """Its own run was not told each time: the group knows when."""
    owner, _ = bench.start(TEXT, rate=20)
    for number in range(3):
        bench.resume(owner.stream.id, 0, connection=f"viewer {number}", rate=20)
    bench.settle()
    bench.run(2)
    bench.hub.reader(owner.stream.id, "viewer 1").sink.capacity = 0  # type: ignore[attr-defined]
    bench.run(len(TEXT) / 20)
    longest = max(ticks for ticks, count in enumerate(deliveries(bench).gaps) if count)
    assert longest * TICK < 0.15


def test_a_step_that_comes_late_is_late_for_all_that_were_due(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No block of frames ends in the time that is looked at, or its reader is served once more.
    monkeypatch.setattr(reader_module, "phase_of", lambda _stream, _turn: 0)
    for number in range(3):
        bench.start(TEXT, rate=20, connection=f"client {number}")
    bench.settle()
    bench.run(1)
    before = sum(deliveries(bench).late)
    units = deliveries(bench).units
    bench.clock.advance(0.3)  # nobody took a turn meanwhile
    bench.settle()
    assert deliveries(bench).units - units == 3 * 6
    late = between(deliveries(bench).read_late())
    assert late == {"0.005": before, "0.25": 3}
    assert between(deliveries(bench).read_gaps())["0.5"] == 3


def test_a_pause_and_another_pace_are_no_gaps(bench: Bench) -> None:
    paused, _ = bench.start(TEXT, rate=20)
    bench.settle()
    bench.run(1)
    paused.pause()
    bench.run(60)
    paused.go_on(bench.clock())
    bench.run(1)
    paused.set_rate(1, bench.clock())
    bench.run(3)
    assert set(between(deliveries(bench).read_gaps())) <= {"0.05", "0.06", "1.0"}


def test_another_pace_in_the_midst_of_a_step_is_no_gap(bench: Bench) -> None:
    class Impatient(RecordingSink):
        def write_units(self, *what: Any, **more: Any) -> None:
            super().write_units(*what, **more)
            if self.sends == 3:
                reader.set_rate(10, bench.clock())

    reader, _ = bench.start(TEXT, rate=0.5, sink=Impatient(bench.clock))  # too slow for a run
    bench.run(7)
    assert set(between(deliveries(bench).read_gaps())) <= {"0.1", "0.15", "2.5"}


def test_a_source_that_lets_its_readers_wait_is_a_gap(bench: Bench) -> None:
    stream = silent(bench).stream
    stream.append("ab")
    bench.settle()
    bench.run(7)
    stream.append("c")
    bench.settle()
    assert deliveries(bench).units == 3
    assert between(deliveries(bench).read_gaps()) == {"+Inf": 1}
    assert deliveries(bench).read_gaps()[1] == pytest.approx(7, abs=TICK)


@pytest.mark.parametrize("seconds", [LONGEST, 3600.0])
def test_what_takes_for_ever_counts_as_long(bench: Bench, seconds: float) -> None:
    stream = silent(bench).stream
    stream.append("a")
    bench.settle()
    bench.clock.advance(seconds)
    stream.append("b")
    bench.settle()
    assert deliveries(bench).gaps[-1] == 1
    assert deliveries(bench).read_gaps()[1] == pytest.approx(LONGEST)


def test_the_first_unit_of_a_stream_is_timed_once_for_its_source(bench: Bench) -> None:
    stream = silent(bench, name="slow").stream
    bench.run(2)
    assert "slow" not in deliveries(bench).first
    stream.append("abc")
    bench.settle()
    bench.resume(stream.id, 0, connection="viewer")
    bench.run(1)
    found, total = deliveries(bench).first["slow"].read()
    assert found[-1] == ("+Inf", 1.0)
    assert total == pytest.approx(2)


def test_who_is_left_behind_is_counted(clock: ManualClock) -> None:
    bench = Bench(clock, max_stream_bytes=4096)
    stream = silent(bench, rate=0.5).stream  # too slow for runs: each unit is asked for
    bench.resume(stream.id, 0, connection="fast", rate=0)
    for _ in range(8):
        stream.append("x" * 1000)
        bench.settle()
    bench.run(5)
    assert deliveries(bench).gone == 1
