"""How many of something there may be in a second."""

from __future__ import annotations

from tests.support.clock import ManualClock
from textstream.transport.rate import Rate


def test_so_many_come_in_a_second_and_the_rest_in_the_next(clock: ManualClock) -> None:
    rate = Rate(3, clock)
    begun = clock.now
    came: list[int] = []
    while len(came) < 8:
        if delay := rate.delay():
            clock.advance(delay)
        else:
            came.append(round(clock.now - begun))
    assert came == [0, 0, 0, 1, 1, 1, 2, 2]


def test_who_stays_under_the_rate_never_waits(clock: ManualClock) -> None:
    rate = Rate(10, clock)
    for _ in range(100):
        assert rate.delay() == 0
        clock.advance(0.1001)
