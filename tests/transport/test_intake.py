"""When the socket of a connection is read, and when its client must wait."""

from __future__ import annotations

import pytest

from tests.transport.manual_reactor import ManualReactor
from textstream.transport.bounds import Bounds
from textstream.transport.intake import Intake


class Seen:
    """An intake, and whether it was open each time that it told of a change."""

    def __init__(self, bounds: Bounds) -> None:
        self.reactor = ManualReactor()
        self.told: list[bool] = []
        self.intake = Intake(
            bounds, self.reactor.as_reactor(), lambda: self.told.append(self.intake.open)
        )


def test_it_closes_when_the_inbox_is_full_and_opens_when_enough_was_handled() -> None:
    seen = Seen(Bounds())
    seen.intake.arrived(4, 4, full=False)
    assert (seen.intake.open, seen.told) == (True, [])
    seen.intake.arrived(1, 1, full=True)
    assert (seen.intake.open, seen.told) == (False, [False])
    seen.intake.arrived(1, 0, full=False)
    assert not seen.intake.open, "what brings no message makes no room"
    seen.intake.handled()
    seen.reactor.settle()
    assert (seen.intake.open, seen.told) == (True, [False, True])
    seen.intake.handled()
    seen.reactor.settle()
    assert seen.told == [False, True], "told once"


@pytest.mark.parametrize(("frames", "messages"), [(11, 0), (11, 5), (6, 6)])
def test_frames_and_messages_of_a_second_are_counted(frames: int, messages: int) -> None:
    seen = Seen(Bounds(frames_per_second=10, events_per_second=5))
    for _ in range(2):
        seen.intake.arrived(frames - 1, max(0, messages - 1), full=False)
        seen.reactor.advance(0.25)
        assert seen.intake.open
        seen.intake.arrived(1, min(1, messages), full=False)
        assert not seen.intake.open
        seen.reactor.advance(0.5)
        assert not seen.intake.open
        seen.reactor.advance(0.25)
        assert seen.intake.open, "a second of its own"
    assert seen.told == [False, True] * 2


def test_it_is_closed_until_it_is_its_turn() -> None:
    seen = Seen(Bounds())
    seen.intake.queue()
    seen.intake.arrived(1, 1, full=True)
    seen.intake.admit()
    assert not seen.intake.open, "for one reason less"
    seen.intake.handled()
    seen.reactor.settle()
    assert (seen.intake.open, seen.told) == (True, [False, False, True])
