"""What the log is told of refusals: something, and never much."""

from __future__ import annotations

from tests.support.clock import ManualClock
from textstream.access.refusals import EVERY, REMEMBERED, Refusals


def test_the_first_is_told_and_the_others_are_counted(clock: ManualClock) -> None:
    refusals = Refusals(clock)
    assert refusals.count("unauthorized", "a") == 1
    assert [refusals.count("unauthorized", "a") for _ in range(10_000)] == [0] * 10_000
    clock.advance(EVERY)
    assert refusals.count("unauthorized", "a") == 10_001
    assert refusals.count("unauthorized", "a") == 0


def test_each_kind_and_each_address_is_told_of(clock: ManualClock) -> None:
    refusals = Refusals(clock)
    pairs = [("unauthorized", "a"), ("rate_limited", "a"), ("unauthorized", "b")]
    assert [refusals.count(*pair) for pair in pairs] == [1, 1, 1]


def test_any_number_of_addresses_leave_no_growth(clock: ManualClock) -> None:
    refusals = Refusals(clock)
    for number in range(3 * REMEMBERED):
        refusals.count("unauthorized", str(number))
    assert len(refusals) <= REMEMBERED
    clock.advance(EVERY)
    for number in range(REMEMBERED):
        refusals.count("unauthorized", f"{number} again")
    assert len(refusals) <= REMEMBERED
