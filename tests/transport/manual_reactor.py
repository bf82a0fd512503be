"""A reactor whose turns a test takes, and whose clock it moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from tests.support.clock import ManualClock
from textstream.transport.reactor import Reactor, Timer


class ManualReactor:
    """Calls and timers, as a `Reactor` has them; no thread, no sockets."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.turns = 0
        self.calls: list[Callable[[], None]] = []
        self.timers: list[Timer] = []

    def as_reactor(self) -> Reactor:
        """Return itself, for what asks for a real one."""
        return cast("Reactor", self)

    @property
    def is_current(self) -> bool:
        """Whether whoever asks runs in its thread: there is none beside the test's."""
        return True

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.calls.append(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self.clock() + delay, callback)
        self.timers.append(timer)
        return timer

    def turn(self) -> None:
        """Make the calls that wait; those that they ask for wait for the next turn."""
        self.turns += 1
        calls, self.calls = self.calls, []
        for callback in calls:
            callback()

    def settle(self) -> None:
        """Take turns until nothing waits."""
        while self.calls:
            self.turn()

    def advance(self, seconds: float) -> None:
        """Let time pass, with the timers in it, and what they ask for."""
        end = self.clock() + seconds
        while due := [timer for timer in self.waiting if timer.when <= end]:
            timer = min(due, key=lambda one: one.when)
            self.timers.remove(timer)
            self.clock.advance(max(0.0, timer.when - self.clock()))
            assert timer.callback
            timer.callback()
            self.settle()
        self.clock.advance(end - self.clock())

    @property
    def waiting(self) -> list[Timer]:
        """The timers that have not been cancelled."""
        return [timer for timer in self.timers if timer.callback]
