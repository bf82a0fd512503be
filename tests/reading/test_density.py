"""How finely time is divided, by how much is sent."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench
from textstream.reading.density import LEAVES_AT, LEVELS, Density

(SOME, SOME_GRAIN), (MANY, MANY_GRAIN), (MOST, MOST_GRAIN) = LEVELS


def send(density: Density, rate: float, seconds: float, *, since: float = 1e6) -> float:
    """Send evenly for so long; return what grain that led to."""
    for n in range(int(seconds * 200)):
        density.count(int(rate / 200), since + n / 200)
    return density.grain


@pytest.mark.parametrize(
    ("rate", "grain"),
    [
        (0, 0),
        (SOME - 200, 0),
        (SOME + 200, SOME_GRAIN),
        (MANY + 200, MANY_GRAIN),
        (MOST + 200, MOST_GRAIN),
    ],
)
def test_what_is_sent_says_how_fine_it_is(rate: float, grain: float) -> None:
    assert send(Density(), rate, 3) == grain


def test_a_little_less_changes_nothing() -> None:
    density = Density()
    send(density, MANY + 200, 2)
    assert send(density, MANY * LEAVES_AT + 200, 2, since=1e6 + 2) == MANY_GRAIN
    assert send(density, MANY * LEAVES_AT - 200, 2, since=1e6 + 4) == SOME_GRAIN
    assert send(density, SOME + 200, 2, since=1e6 + 6) == SOME_GRAIN
    assert send(density, SOME * LEAVES_AT - 150, 2, since=1e6 + 8) == 0


def test_what_was_sent_an_hour_ago_does_not_count() -> None:
    density = Density()
    send(density, MANY + 200, 2)
    density.count(1, 1e6 + 3600)
    assert density.grain == 0


def test_where_much_is_sent_readers_come_together_and_each_stays_even(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textstream.reading.density.LEVELS", ((20.0, 0.01), (100.0, 0.02)))
    bench = Bench(clock)
    sinks = []
    for n in range(20):
        sinks.append(bench.start("x" * 400, connection=f"reader {n}", rate=20)[1])
        bench.run(0.007)
    bench.run(15)
    moments = {round(time % 0.05, 6) % 0.05 for sink in sinks for time in sink.times[-100:]}
    assert len(moments) == 2, "of 50 ms, about 20 apart"
    for sink in sinks:
        gaps = [b - a for a, b in pairwise(sink.times)]
        put_off = [gap for gap in gaps if gap != pytest.approx(0.05, abs=1e-6)]
        assert gaps[-100:] == pytest.approx([0.05] * 100)
        assert len(put_off) <= 4
        assert all(0.044 < gap < 0.081 for gap in put_off)


def test_where_little_is_sent_each_is_served_when_it_is_due(clock: ManualClock) -> None:
    bench = Bench(clock)
    sinks = []
    for n in range(20):
        sinks.append(bench.start("x" * 100, connection=f"reader {n}", rate=20)[1])
        bench.run(0.007)
    bench.run(6)
    for sink in sinks:
        assert [b - a for a, b in pairwise(sink.times)] == pytest.approx([0.05] * 99, abs=5.1e-3)
    moments = {round(time % 0.05, 6) % 0.05 for sink in sinks for time in sink.times[-20:]}
    assert len(moments) > 5
