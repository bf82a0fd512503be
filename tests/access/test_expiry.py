"""When who is connected has expired: one timer, whoever comes and goes."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualTimer
from textstream.access.expiry import COARSE, FARTHEST, Expiries


@pytest.fixture
def timer() -> ManualTimer:
    return ManualTimer()


@pytest.fixture
def over() -> list[str]:
    return []


@pytest.fixture
def expiries(timer: ManualTimer, over: list[str]) -> Expiries:
    return Expiries(over.append, call_at=timer.call_at, clock=timer)


def test_each_is_over_in_its_time(expiries: Expiries, timer: ManualTimer, over: list[str]) -> None:
    for connection, seconds in (("c", 30), ("a", 10), ("b", 20), ("d", 10)):
        expiries.watch(connection, seconds)
    timer.advance(9.999)
    assert over == []
    timer.advance(0.001)
    assert over == ["a", "d"]
    timer.advance(20)
    assert over == ["a", "d", "b", "c"]
    assert len(expiries) == 0
    assert timer.calls == []


def test_a_newer_token_moves_it_both_ways(
    expiries: Expiries, timer: ManualTimer, over: list[str]
) -> None:
    for connection in "ab":
        expiries.watch(connection, 10)
    expiries.watch("a", 100)
    timer.advance(10)
    assert over == ["b"]
    expiries.watch("a", 5)
    timer.advance(5)
    assert over == ["b", "a"]


def test_who_is_over_at_once_is_told_so(
    expiries: Expiries, timer: ManualTimer, over: list[str]
) -> None:
    expiries.watch("a", -3)
    timer.advance(0)
    assert over == ["a"]


def test_who_has_left_or_stays_for_ever_is_forgotten(
    expiries: Expiries, timer: ManualTimer, over: list[str]
) -> None:
    for connection in "ab":
        expiries.watch(connection, 10)
    expiries.forget("a")
    expiries.watch("b", None)
    expiries.forget("nobody")
    assert len(expiries) == 0
    timer.advance(100)
    assert over == []


def test_thousands_that_come_and_go_leave_one_timer(expiries: Expiries, timer: ManualTimer) -> None:
    for number in range(10_000):
        expiries.watch(str(number), 3600)
        expiries.forget(str(number))
        timer.advance(0.001)
    assert len(expiries) == 0
    assert len(timer.calls) <= 1


def test_it_looks_once_a_second_however_many_are_over(timer: ManualTimer, over: list[str]) -> None:
    looks: list[float] = []

    def call_at(when: float, callback: object) -> None:
        looks.append(when)
        timer.call_at(when, callback)  # type: ignore[arg-type]

    expiries = Expiries(over.append, call_at=call_at, clock=timer)
    for number in range(1000):
        expiries.watch(str(number), 10 + number / 500)
    timer.advance(20)
    assert len(over) == 1000
    assert len(looks) <= 4


def test_times_that_fall_and_fall_leave_few_calls_behind(
    expiries: Expiries, timer: ManualTimer, over: list[str]
) -> None:
    for number in range(20_000):
        expiries.watch(str(number), 30 * 86_400 - number)
        expiries.watch(str(number) + " soon", FARTHEST - number * COARSE / 100)
        expiries.forget(str(number))
        expiries.forget(str(number) + " soon")
    assert len(timer.calls) <= 210
    timer.advance(FARTHEST)
    assert timer.calls == []
    assert over == []


def test_one_that_lasts_longer_than_a_look_is_over_in_its_time(
    expiries: Expiries, timer: ManualTimer, over: list[str]
) -> None:
    expiries.watch("a", 2.5 * FARTHEST)
    timer.advance(2.5 * FARTHEST - 0.001)
    assert over == []
    timer.advance(0.001)
    assert over == ["a"]
