"""The timer wheel: who is due when, rounded up to a tick, and nothing kept for longer."""

from __future__ import annotations

import gc
import math
import weakref
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.reading.schedule import Schedule

TICK = 0.005


class Reader:
    """What is scheduled."""

    ticket = 0


@pytest.fixture
def schedule() -> Schedule[Reader]:
    return Schedule(TICK)


def take(schedule: Schedule[Reader], now: float) -> list[Reader]:
    return [reader for taken in schedule.take(now) for reader in taken.items]


def test_nobody_is_due_in_an_empty_schedule(schedule: Schedule[Reader]) -> None:
    assert schedule.next_due() is None
    assert take(schedule, 1e9) == []


@pytest.mark.parametrize("due", [0.0, 0.005, 0.1, 1.0, 1234.565, 1e6])
def test_a_multiple_of_the_tick_is_exact(schedule: Schedule[Reader], due: float) -> None:
    one = Reader()
    schedule.put(one, due)
    assert schedule.next_due() == pytest.approx(due)
    assert take(schedule, due) == [one]
    assert schedule.next_due() is None


@given(due=st.floats(0, 1e6))
def test_a_due_time_is_rounded_up_by_less_than_a_tick(due: float) -> None:
    schedule: Schedule[Reader] = Schedule(TICK)
    one = Reader()
    schedule.put(one, due)
    rounded = schedule.next_due()
    assert rounded is not None
    assert due - 1e-6 <= rounded < due + TICK + 1e-6
    assert take(schedule, rounded - TICK) == []
    assert take(schedule, rounded) == [one]


def test_a_steady_pace_stays_steady(schedule: Schedule[Reader]) -> None:
    """20 units per second that begin between two ticks: 50 ms apart, not 45 or 55."""
    one = Reader()
    served = []
    for n in range(1000):
        schedule.put(one, 7.0023 + n * 0.05)
        due = schedule.next_due()
        assert due is not None
        served.append(due)
        assert take(schedule, due) == [one]
    assert [b - a for a, b in pairwise(served)] == pytest.approx([0.05] * 999)


def test_readers_come_in_the_order_of_their_ticks_then_of_scheduling(
    schedule: Schedule[Reader],
) -> None:
    readers = [Reader() for _ in range(4)]
    for reader, due in zip(readers, [3.0, 1.0, 3.0, 2.0], strict=True):
        schedule.put(reader, due)
    assert take(schedule, 5.0) == [readers[1], readers[3], readers[0], readers[2]]


def test_who_is_removed_is_not_due(schedule: Schedule[Reader]) -> None:
    one = Reader()
    schedule.put(one, 1.0)
    schedule.remove(one)
    schedule.remove(one)
    assert schedule.next_due() is None
    assert take(schedule, 2.0) == []


def test_who_is_scheduled_anew_is_due_once(schedule: Schedule[Reader]) -> None:
    one = Reader()
    for due in (1.0, 9.0, 1.0):
        schedule.remove(one)
        schedule.put(one, due)
    assert take(schedule, 20.0) == [one]
    assert schedule.next_due() is None


def test_who_is_never_due_is_not_kept(schedule: Schedule[Reader]) -> None:
    one = Reader()
    schedule.put(one, math.inf)
    assert one.ticket == 0
    assert schedule.next_due() is None


def test_a_time_far_away_is_no_problem(schedule: Schedule[Reader]) -> None:
    near, far = Reader(), Reader()
    schedule.put(far, 1e300)
    schedule.put(near, 1.0)
    assert schedule.next_due() == pytest.approx(1.0)
    assert take(schedule, 2.0) == [near]


def test_outdated_entries_do_not_pile_up(schedule: Schedule[Reader]) -> None:
    gone = []
    for n in range(1000):
        one = Reader()
        schedule.put(one, 1e6 + n)
        schedule.remove(one)
        schedule.next_due()
        gone.append(weakref.ref(one))
    del one
    gc.collect()
    assert sum(ref() is not None for ref in gone) < 200
