"""The small pure parts: errors from the wire, back-off, statistics."""

from __future__ import annotations

import pytest

from textstream import errors
from textstream.client.reader import Chunk
from textstream.client.reconnect import ReconnectPolicy
from textstream.client.stats import StreamStats, nearest_rank
from textstream.client.wire_errors import error_from_wire


def server_errors() -> list[errors.TextStreamError]:
    client_only = {errors.ServerUnreachable, errors.StreamFailed}
    classes = [c for c in errors.TextStreamError.__subclasses__() if c not in client_only]
    return [c("why", first=7) if c is errors.OffsetGone else c("why") for c in classes]


@pytest.mark.parametrize("error", server_errors(), ids=lambda error: str(error.code))
def test_every_error_of_the_server_comes_back_as_itself(error: errors.TextStreamError) -> None:
    back = error_from_wire(error.to_wire())
    assert type(back) is type(error)
    assert back.to_wire() == error.to_wire()


def test_an_unknown_code_is_kept() -> None:
    error = error_from_wire({"code": "new", "message": "why", "retryable": True})
    assert isinstance(error, errors.StreamFailed)
    assert error.to_wire() == {"code": "new", "message": "why", "retryable": True}


@pytest.mark.parametrize("nonsense", [None, "text", 3, [], {}])
def test_nonsense_is_an_error_too(nonsense: object) -> None:
    assert isinstance(error_from_wire(nonsense), errors.StreamFailed)


def test_delays_double_up_to_the_maximum_with_jitter() -> None:
    policy = ReconnectPolicy(initial=0.2, maximum=5.0)
    longest = [policy.delay(n, lambda _low, high: high) for n in range(8)]
    shortest = [policy.delay(n, lambda low, _high: low) for n in range(8)]
    assert longest == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert shortest == [0.0, 0.2, 0.4, 0.8, 1.6, 2.5, 2.5, 2.5]
    assert policy.delay(10**6, lambda _low, high: high) == 5.0


def test_it_gives_up_by_time_or_by_attempts() -> None:
    policy = ReconnectPolicy(give_up_after=60, attempts=3)
    assert not policy.exhausted(2, 59.9)
    assert policy.exhausted(3, 0)
    assert policy.exhausted(0, 60)


@pytest.mark.parametrize("wrong", [{"initial": -1}, {"give_up_after": -0.1}, {"attempts": 0}])
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="or more"):
        ReconnectPolicy(**wrong)  # type: ignore[arg-type]


def test_nearest_rank() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [nearest_rank(values, q) for q in (0, 0.07, 0.5, 0.99, 1)] == [1, 7, 50, 99, 100]
    assert nearest_rank([4.0], 0.99) == 4.0
    assert nearest_rank([], 0.5) is None
    with pytest.raises(ValueError, match="quantile"):
        nearest_rank(values, 1.1)


def test_stats_of_an_even_stream() -> None:
    stats = StreamStats(asked_at=10.0)
    for n in range(101):
        stats.add(Chunk(n, n + 1, "x", 10.5 + n / 100))
    assert stats.characters == 101
    assert stats.time_to_first == pytest.approx(0.5)
    assert stats.rate == pytest.approx(100)
    assert stats.gap(0.5) == pytest.approx(0.01)
    assert stats.summary() == (
        "first character 0.500 s · 100.0 characters/s · gap p50 10.0 ms, p99 10.0 ms · "
        "101 characters in 1.50 s"
    )


def test_stats_count_characters_whatever_the_unit() -> None:
    stats = StreamStats(0.0, "word")
    stats.add(Chunk(0, 1, "नि ", 1.0))
    stats.add(Chunk(1, 2, "👨‍👩‍👧‍👦🇪🇺e\u0301", 2.0))
    assert stats.characters == 5
    assert stats.rate == 3


def test_stats_of_nothing() -> None:
    stats = StreamStats(0.0)
    assert (stats.time_to_first, stats.rate, stats.gap(0.5)) == (None, None, None)
    stats.add(Chunk(0, 1, "x", 1.0))
    assert (stats.rate, stats.gap(0.99)) == (None, None)
    assert "–" in stats.summary()
