"""When units are due. Time is a number here: nothing waits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.reading.pacing import (
    AUTO_HORIZON,
    AutoPace,
    FixedPace,
    Pace,
    UnlimitedPace,
    new_pace,
)

START = 1_000_000.0
TICK = 0.005
PROMISED_DELAY = 0.4
"""Seconds that an ``auto`` reader may be behind its source: the promise of the design."""

PLENTY = 10**9


def serve(pace: Pace, until: float, now: float = START) -> list[tuple[float, int]]:
    """Serve a reader exactly when its units are due; return (time, units) of each serving."""
    sent = []
    while (now := max(now, pace.next_due())) <= until:
        count = pace.due(PLENTY, now)
        pace.sent(count)
        sent.append((now, count))
    return sent


def arrive(pace: Pace, arrivals: Iterable[float], end: float) -> list[tuple[float, float]]:
    """Serve every tick, as the dispatcher does; return (arrival, delivery) of each unit."""
    waiting = sorted(arrivals)
    times: list[tuple[float, float]] = []
    tick = 0
    while (now := START + tick * TICK) <= end:
        seen = sum(arrival <= now for arrival in waiting)
        count = pace.due(seen - len(times), now)
        assert 0 <= count <= seen - len(times)
        pace.sent(count)
        times += [(waiting[n], now) for n in range(len(times), len(times) + count)]
        tick += 1
    return times


# A fixed pace


@pytest.mark.parametrize("rate", [0.5, 1, 7, 29.97, 30, 1000])
def test_the_first_unit_is_due_at_once_and_the_others_one_by_one(rate: float) -> None:
    pace = FixedPace(rate, START)
    sent = serve(pace, START + 20 / rate)
    assert [count for _, count in sent[:20]] == [1] * 20
    assert [now for now, _ in sent[:20]] == pytest.approx([START + n / rate for n in range(20)])


@pytest.mark.parametrize("rate", [0.7, 3, 29.97, 1000 / 3])
def test_the_average_is_exact_over_hours(rate: float) -> None:
    pace = FixedPace(rate, START)
    hours = 3
    now, units = START, pace.due(PLENTY, START)
    pace.sent(units)
    while now < START + hours * 3600:
        now += 1.37  # a dispatcher that is always late, by a different part of a unit each time
        count = pace.due(PLENTY, now)
        pace.sent(count)
        units += count
    assert units == math.floor((now - START) * rate + 1e-6) + 1


def test_readers_that_started_together_stay_together() -> None:
    paces = [FixedPace(30, START) for _ in range(100)]
    totals = [0] * 100
    for tick in range(10_000):
        for n, pace in enumerate(paces):
            if tick % (n % 7 + 1) == 0:  # each is looked at with another rhythm
                count = pace.due(PLENTY, START + tick * TICK)
                pace.sent(count)
                totals[n] += count
    assert max(totals) - min(totals) <= 2


def test_a_late_dispatcher_owes_what_was_due() -> None:
    pace = FixedPace(10, START)
    assert pace.due(PLENTY, START) == 1
    assert pace.due(PLENTY, START + 1) == 11
    pace.sent(4)  # there was no room for more
    assert pace.due(PLENTY, START + 1) == 7


def test_the_pace_begins_with_the_first_unit() -> None:
    pace = FixedPace(10, START)
    assert pace.due(0, START) == 0
    assert pace.due(PLENTY, START + 1) == 1, "a source that starts late is no credit"


def test_a_source_that_had_nothing_leaves_no_credit() -> None:
    pace = FixedPace(10, START)
    pace.sent(pace.due(1, START))
    assert pace.due(0, START + 0.1) == 0  # dry
    assert pace.due(PLENTY, START + 60) == 1
    pace.sent(1)
    assert pace.next_due() == pytest.approx(START + 60.1)


def test_running_dry_for_a_moment_does_not_shorten_the_gap() -> None:
    pace = FixedPace(10, START)
    pace.sent(pace.due(1, START))
    assert pace.due(0, START + 0.01) == 0
    assert pace.due(5, START + 0.02) == 0
    assert pace.next_due() == pytest.approx(START + 0.1)
    assert pace.due(5, START + 0.1) == 1


def test_nothing_is_due_before_the_start() -> None:
    pace = FixedPace(10, START)
    assert pace.due(PLENTY, START - 5) == 0
    assert pace.next_due() == START


@pytest.mark.parametrize("rate", [5e-324, 1e-300, 1e-11, 1e300])
def test_an_absurd_rate_is_only_slow_or_fast(rate: float) -> None:
    pace = FixedPace(rate, START)
    assert pace.due(5, START) == 1
    pace.sent(1)
    assert pace.due(5, START + 1) == (0 if rate < 1 else 5)
    assert pace.next_due() >= START
    assert FixedPace(rate, math.inf).due(5, START) == 0


@given(
    rate=st.floats(0.1, 10_000),
    steps=st.lists(st.tuples(st.floats(0, 2), st.integers(0, 500)), max_size=50),
)
def test_never_faster_than_the_rate_whatever_the_source_does(
    rate: float, steps: list[tuple[float, int]]
) -> None:
    pace = FixedPace(rate, START)
    now, units = START, 0
    for passed, backlog in steps:
        now += passed
        count = pace.due(backlog, now)
        assert 0 <= count <= backlog
        pace.sent(count)
        units += count
        assert units <= (now - START) * rate + 1 + 1e-3


# An unlimited pace


def test_unlimited_is_all_at_once() -> None:
    pace = UnlimitedPace()
    assert pace.due(12345, START) == 12345
    pace.sent(12345)
    assert pace.due(0, START) == 0
    assert pace.next_due() <= START


# An auto pace


def test_auto_delivers_the_first_unit_at_once() -> None:
    pace = AutoPace(START)
    assert pace.due(0, START + 5) == 0
    assert pace.due(3, START + 6) == 1


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_auto_is_never_behind_by_more_than_promised(offsets: list[float]) -> None:
    arrivals = [START + offset for offset in offsets]
    times = arrive(AutoPace(START), arrivals, START + 3)
    assert len(times) == len(arrivals)
    for arrived, delivered in times:
        assert delivered - arrived <= AUTO_HORIZON + 3 * TICK < PROMISED_DELAY


@given(
    burst=st.integers(2, 12),
    interval=st.floats(0.02, 0.2),  # with the jitter, less than the horizon
    jitter=st.lists(st.floats(-0.2, 0.2), min_size=40, max_size=40),
)
def test_auto_makes_an_even_flow_of_bursts(
    burst: int, interval: float, jitter: list[float]
) -> None:
    """A model yields a few characters at a time; they come out one by one, evenly."""
    arrivals = [
        START + (n + jitter[n]) * interval + interval for n in range(40) for _ in range(burst)
    ]
    times = [delivered for _, delivered in arrive(AutoPace(START), arrivals, max(arrivals) + 1)]
    assert len(times) == len(arrivals)
    settled = [time for time in times if START + 0.5 < time < max(arrivals)]
    fair = interval / burst
    gaps = [later - earlier for earlier, later in pairwise(settled)]
    assert max(gaps, default=0) <= 3 * fair + 2 * TICK


def test_auto_is_smoother_than_its_source() -> None:
    arrivals = [START + 0.2 * n for n in range(50) for _ in range(8)]
    times = [delivered for _, delivered in arrive(AutoPace(START), arrivals, START + 11)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    fair = 0.2 / 8
    late = gaps[40:-40]
    assert max(late) <= fair + 2 * TICK  # of the source they are 0.2
    assert min(late) >= fair - 2 * TICK  # of the source they are 0


def test_auto_spreads_what_comes_after_a_slow_unit_too() -> None:
    times = arrive(AutoPace(START), [START, START, START + 0.31, START + 0.31], START + 1)
    late = [delivered - START for _, delivered in times]
    assert late[1] == pytest.approx(AUTO_HORIZON, abs=TICK)
    assert all(b - a >= 0.1 for a, b in pairwise(late))


def test_auto_does_not_slow_down_a_long_burst() -> None:
    pace = AutoPace(START)
    times = arrive(pace, [START] * 5000, START + 1)
    assert times[-1][1] - START <= AUTO_HORIZON + 2 * TICK


def test_auto_catches_up_after_a_reader_had_no_room() -> None:
    pace = AutoPace(START)
    for tick in range(400):
        pace.due(tick, START + tick * TICK)  # due, but nothing was taken
    now = START + 400 * TICK
    sent = 0
    for tick in range(100):
        count = pace.due(400 - sent, now + tick * TICK)
        pace.sent(count)
        sent += count
    assert sent == 400


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 50), st.integers(0, 50)), max_size=60))
def test_auto_counts_right_whatever_happens(steps: list[tuple[float, int, int]]) -> None:
    pace = AutoPace(START)
    now, backlog = START, 0
    for passed, arrived, room in steps:
        now += passed
        backlog += arrived
        count = pace.due(backlog, now)
        assert 0 <= count <= backlog
        if backlog and now > pace.next_due() + 1e-5:
            assert count > 0
        count = min(count, room)
        pace.sent(count)
        backlog -= count
        assert math.isfinite(pace.next_due())


# Coming together


@pytest.mark.parametrize("rate", [1.0, 7.5, 20.0, 30.0, 60.0, 500.0])
@pytest.mark.parametrize("grain", [0.005, 0.01, 0.02])
@pytest.mark.parametrize("begin", [0.0, 0.0123, 0.0499])
def test_aligned_units_are_as_far_apart_as_before(rate: float, grain: float, begin: float) -> None:
    pace = FixedPace(rate, START + begin)
    pace.due(1, START + begin)
    pace.sent(1)
    before = pace.next_due()
    pace.align(grain)
    put_off = pace.next_due() - before
    assert 0 <= put_off < min(1.5 * grain, 1 / rate)
    dues = []
    for _ in range(1000):
        dues.append(pace.next_due())
        pace.sent(1)
        pace.align(grain)
    assert dues == pytest.approx([before + put_off + n / rate for n in range(1000)], abs=1e-6)


@pytest.mark.parametrize("rate", [7.5, 20.0, 30.0, 45.0])
def test_those_of_one_pace_meet_at_few_moments(rate: float) -> None:
    phases = set()
    for begin in range(100):
        pace = FixedPace(rate, START + begin / 997)
        pace.due(1, START + begin / 997)
        pace.align(0.02)
        phases.add(round(pace.next_due() * rate % 1, 3) % 1)
    assert len(phases) <= 0.02**-1 / rate + 1


# Which pace


@pytest.mark.parametrize(
    ("rate", "kind"), [("auto", AutoPace), (0, UnlimitedPace), (0.0, UnlimitedPace), (3, FixedPace)]
)
def test_the_rate_says_which_pace(rate: float, kind: type) -> None:
    pace = new_pace(rate, START)
    assert isinstance(pace, kind)
    assert pace.rate == rate
