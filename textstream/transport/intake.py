"""Decides whether a connection's socket is read: not while messages or answers pile up."""

from __future__ import annotations

import time
from collections.abc import Callable

from textstream.transport.bounds import Bounds
from textstream.transport.reactor import Reactor


class Intake:
    """Closed while too many messages wait, or too many answers, or came in this second.

    A socket that is not read fills its buffer, and TCP lets the peer wait: nothing is lost.
    """

    __slots__ = (
        "_bounds",
        "_came",
        "_congested",
        "_full",
        "_on_change",
        "_reactor",
        "_second",
        "_throttled",
    )

    def __init__(self, bounds: Bounds, reactor: Reactor, on_change: Callable[[], None]) -> None:
        """Make an open one; `on_change` is called in the reactor's thread."""
        self._bounds = bounds
        self._reactor = reactor
        self._on_change = on_change
        self._full = False
        self._congested = False
        self._throttled = False
        self._second = 0.0  # when the current second began, and
        self._came = 0  # how many messages came in it

    @property
    def open(self) -> bool:
        """Whether the socket is to be read."""
        return not (self._full or self._congested or self._throttled)

    def arrived(self, count: int, waiting: int) -> None:
        """Count `count` messages about to be put beside `waiting` others.

        In the reactor's thread, and before they are put: whoever handles the last of them opens
        it again, and must find it closed.
        """
        if not count:
            return
        now = time.monotonic()
        if now - self._second >= 1:
            self._second, self._came = now, 0
        self._came += count
        full = count + waiting > self._bounds.max_inbox
        too_many = self._came > self._bounds.events_per_second and not self._throttled
        if not full and not too_many:
            self._full = False
            return
        was_open = self.open
        self._full = full
        if too_many:
            self._throttled = True
            self._reactor.call_later(self._second + 1 - now, self._next_second)
        if was_open:
            self._on_change()

    def handled(self, waiting: int) -> None:
        """Read on if enough were handled: `waiting` messages are left. Any thread."""
        if self._full and waiting <= self._bounds.max_inbox // 2:
            self._full = False
            self._reactor.call_soon(self._on_change)

    def outgoing(self, waiting: int) -> None:
        """Stop or resume reading by how many bytes wait to be sent. Any thread.

        A client that asks faster than it reads the answers must wait, and is not cut off for it.
        """
        congested = waiting > (0 if self._congested else self._bounds.max_buffered // 4)
        if congested != self._congested:
            self._congested = congested
            self._reactor.call_soon(self._on_change)

    def close(self) -> None:
        """Let go of the connection."""
        self._on_change = _nothing

    def _next_second(self) -> None:
        self._throttled = False
        self._on_change()


def _nothing() -> None:
    """Do nothing: the connection has gone."""
