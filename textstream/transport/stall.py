"""Notices that something lasts too long: that nothing gets through, that a message does not end."""

from __future__ import annotations

from collections.abc import Callable

from textstream.transport.reactor import Reactor, Timer


class Stall:
    """Since when the kernel takes nothing, or the client confirms nothing, or does not finish.

    A timer looks now and then whether that lasts; there is none while all is well. One caller at a
    time: of a connection's writing its lock is held while `begin` and `lasts` are called.
    """

    __slots__ = ("_check", "_reactor", "_seconds", "_since", "_timer")

    def __init__(self, seconds: float, reactor: Reactor, check: Callable[[], None]) -> None:
        """Make one that stands for nothing yet; `check` is called in the reactor's thread."""
        self._seconds = seconds
        self._reactor = reactor
        self._check = check
        self._since = 0.0
        self._timer: Timer | None = None

    def moved(self) -> None:
        """Count from now on: something has got through."""
        self._since = self._reactor.clock()

    def begin(self) -> None:
        """Count from now on, and look after a time whether it lasts."""
        self._since = self._reactor.clock()
        if self._timer is None:
            self._timer = self._reactor.call_later(self._seconds, self._check)

    def lasts(self, stuck: bool) -> bool:
        """Return whether it has lasted too long. If it still may, look again in time."""
        self._timer = None
        if not stuck:
            return False
        left = self._since + self._seconds - self._reactor.clock()
        if left > 0:
            self._timer = self._reactor.call_later(left, self._check)
        return left <= 0

    def close(self) -> None:
        """Let go of the connection."""
        self._check = _nothing
        if self._timer:
            self._timer.cancel()


def _nothing() -> None:
    """Do nothing: the connection has gone."""
