"""When the socket of a connection is read, and when its client must wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import pytest

from textstream.transport.bounds import Bounds
from textstream.transport.intake import Intake
from textstream.transport.reactor import Reactor


class AtOnce:
    """A reactor in whose thread everything is done, and whose timers end when they are told to."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        callback()

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.timers.append((delay, callback))


class Seen:
    """An intake, and whether it was open each time that it told of a change."""

    def __init__(self, bounds: Bounds) -> None:
        self.reactor = AtOnce()
        self.told: list[bool] = []
        self.intake = Intake(
            bounds, cast("Reactor", self.reactor), lambda: self.told.append(self.intake.open)
        )


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the monotonic clock, to be moved by the test."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_it_closes_when_the_inbox_is_full_and_opens_when_enough_was_handled() -> None:
    seen = Seen(Bounds())
    seen.intake.arrived(4, 4, full=False)
    assert (seen.intake.open, seen.told) == (True, [])
    seen.intake.arrived(1, 1, full=True)
    assert (seen.intake.open, seen.told) == (False, [False])
    seen.intake.arrived(1, 0, full=False)
    assert not seen.intake.open, "what brings no message makes no room"
    seen.intake.handled()
    assert (seen.intake.open, seen.told) == (True, [False, True])
    seen.intake.handled()
    assert seen.told == [False, True], "told once"


@pytest.mark.parametrize(("frames", "messages"), [(11, 0), (11, 5), (6, 6)])
def test_frames_and_messages_of_a_second_are_counted(
    now: list[float], frames: int, messages: int
) -> None:
    seen = Seen(Bounds(frames_per_second=10, events_per_second=5))
    seen.intake.arrived(frames - 1, max(0, messages - 1), full=False)
    now[0] += 0.25
    assert seen.intake.open
    seen.intake.arrived(1, min(1, messages), full=False)
    assert (seen.intake.open, seen.told) == (False, [False])
    ((delay, next_second),) = seen.reactor.timers
    assert delay == 0.75
    now[0] += delay
    next_second()
    assert (seen.intake.open, seen.told) == (True, [False, True])
    seen.intake.arrived(frames - 1, max(0, messages - 1), full=False)
    assert seen.intake.open, "a second of its own"


def test_it_is_closed_until_it_is_its_turn() -> None:
    seen = Seen(Bounds())
    seen.intake.queue()
    seen.intake.arrived(1, 1, full=True)
    seen.intake.admit()
    assert not seen.intake.open, "for one reason less"
    seen.intake.handled()
    assert (seen.intake.open, seen.told) == (True, [False, False, True])
