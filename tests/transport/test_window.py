"""How much a client may be sent that it has not come to."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from textstream.transport.window import FIRST, LARGEST, LATE, PROMPT, SMALLEST, Window


def steady(clock: ManualClock) -> float:
    """Move the clock so that a pong is neither prompt nor late."""
    return clock.advance((PROMPT + LATE) / 2)


def in_flight(window: Window) -> int:
    """Fill the window; return what fitted."""
    count = 0
    while window.open:
        window.sent(1)
        count += 1
    return count


def test_it_closes_at_the_limit_and_opens_with_the_pong(clock: ManualClock) -> None:
    window = Window(100, clock)
    assert window.open
    assert window.sent(60), "time for a ping"
    window.ping()
    assert window.open
    window.sent(40)
    assert not window.open
    steady(clock)
    window.pong()
    assert window.open


def test_a_pong_confirms_what_was_sent_before_its_ping(clock: ManualClock) -> None:
    window = Window(100, clock)
    window.ping()  # a heartbeat, before anything
    window.sent(90)
    window.ping()
    window.sent(20)
    steady(clock)
    window.pong()
    assert not window.open, "that was the heartbeat's"
    window.pong()
    assert window.open


def test_pings_are_asked_for_at_every_quarter(clock: ManualClock) -> None:
    window = Window(400, clock)
    asked = 0
    for _ in range(40):
        if window.sent(10):
            window.ping()
            asked += 1
    assert asked == 4
    assert not window.open


def test_a_pong_too_many_is_harmless(clock: ManualClock) -> None:
    window = Window(100, clock)
    window.pong()
    assert window.open


@pytest.mark.parametrize(
    ("delay", "limit"), [(PROMPT / 2, LARGEST), (LATE * 2, SMALLEST), (PROMPT * 2, FIRST)]
)
def test_it_grows_for_a_fast_client_and_shrinks_for_a_slow_one(
    clock: ManualClock, delay: float, limit: int
) -> None:
    window = Window(clock=clock)
    for _ in range(10):
        window.ping()
        clock.advance(delay)
        window.pong()
    assert in_flight(window) == limit


@pytest.mark.parametrize("speed", [1_000, 10_000, 10_000_000])
def test_a_heartbeat_reaches_a_slow_client_in_time(clock: ManualClock, speed: int) -> None:
    """Whatever it reads in a second, what is on its way takes it a few seconds."""
    window = Window(clock=clock)
    queue: list[int] = []  # what the client has yet to read: 0 is a ping
    for _ in range(3000):
        while window.open:
            queue.append(100)
            if window.sent(100):
                window.ping()
                queue.append(0)
        for _ in range(10):
            item = queue.pop(0)
            clock.advance(item / speed)
            if item == 0:
                window.pong()
            if not queue:
                break
    assert sum(queue) / speed <= 4 * LATE


def test_the_room_is_what_may_still_be_sent() -> None:
    window = Window(first=1000)
    assert (window.room, window.burst) == (1000, 250)
    window.sent(600)
    assert window.room == 400
    window.sent(600)
    assert window.room == 0
    window.ping()
    window.pong()
    assert window.room == 2000
