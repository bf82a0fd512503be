"""How much a client may be sent that it has not come to."""

from __future__ import annotations

from textstream.transport.window import Window


def test_it_closes_at_the_limit_and_opens_with_the_pong() -> None:
    window = Window(100)
    assert window.open
    assert window.sent(60), "time for a ping"
    window.ping()
    assert window.open
    window.sent(40)
    assert not window.open
    window.pong()
    assert window.open


def test_a_pong_confirms_what_was_sent_before_its_ping() -> None:
    window = Window(100)
    window.ping()  # a heartbeat, before anything
    window.sent(90)
    window.ping()
    window.sent(20)
    window.pong()
    assert not window.open, "that was the heartbeat's"
    window.pong()
    assert window.open


def test_pings_are_asked_for_at_every_quarter() -> None:
    window = Window(400)
    asked = 0
    for _ in range(40):
        if window.sent(10):
            window.ping()
            asked += 1
    assert asked == 4
    assert not window.open


def test_a_pong_too_many_is_harmless() -> None:
    window = Window(100)
    window.pong()
    assert window.open
