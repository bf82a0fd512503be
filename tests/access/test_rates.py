"""How often: moving windows, by an injected clock."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from textstream.access.rates import SWEEP, Rates, parse_rate


def test_a_window_moves(clock: ManualClock) -> None:
    rates, rate = Rates(clock), parse_rate("2/minute")
    assert rates.take(rate, "starts", "a") == 0
    clock.advance(20)
    assert rates.take(rate, "starts", "a") == 0
    assert rates.take(rate, "starts", "a") == 40, "until the first is a minute old"
    assert rates.take(rate, "starts", "b") == 0, "another's"
    assert rates.take(rate, "handshakes", "a") == 0, "another thing"
    clock.advance(40)
    assert rates.take(rate, "starts", "a") == 0
    assert rates.take(rate, "starts", "a") == 20


def test_of_several_windows_all_hold_and_a_refusal_counts_nothing(clock: ManualClock) -> None:
    rates, rate = Rates(clock), parse_rate("1/second; 3/hour")
    for _ in range(3):
        assert rates.take(rate, "starts", "a") == 0
        assert rates.take(rate, "starts", "a") > 0
        clock.advance(1)
    assert rates.take(rate, "starts", "a") == 3597


def test_whoever_waits_as_long_as_told_may(clock: ManualClock) -> None:
    rates, rate = Rates(clock), parse_rate("3/minute")
    waited = 0.0
    for _ in range(50):
        clock.advance(0.37)
        if wait := rates.take(rate, "starts", "a"):
            waited += wait
            clock.advance(wait)
            assert rates.take(rate, "starts", "a") == 0
    assert waited > 60


@pytest.mark.parametrize("text", ["", "0", " 0 "])
def test_no_limit(text: str) -> None:
    assert parse_rate(text) == ()
    assert Rates().take((), "starts", "a") == 0


@pytest.mark.parametrize("text", ["often", "60", "0/minute", "-1/minute", "60/fortnight", "1/0"])
def test_what_is_no_rate_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match='a rate looks like "60/minute; 1000/day"'):
        parse_rate(text)


def test_addresses_that_are_gone_are_forgotten(clock: ManualClock) -> None:
    rates, rate = Rates(clock), parse_rate("60/minute")
    for number in range(SWEEP - 1):
        rates.take(rate, "starts", str(number))
        clock.advance(1)
    rates.take(rate, "starts", "the last")
    assert rates.remembered <= 61
