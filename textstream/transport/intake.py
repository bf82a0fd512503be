"""Decides whether a connection's socket is read: not while anything of it piles up."""

from __future__ import annotations

from collections.abc import Callable

from textstream.transport.bounds import Bounds
from textstream.transport.reactor import Reactor


class Intake:
    """Closed while too many messages or answers wait, too much came in this second, or it queues.

    A socket that is not read fills its buffer, and TCP lets the peer wait: nothing is lost.
    """

    __slots__ = (
        "_bounds",
        "_congested",
        "_frames",
        "_messages",
        "_on_change",
        "_reactor",
        "_second",
        "full",
        "queues",
        "throttled",
    )

    def __init__(self, bounds: Bounds, reactor: Reactor, on_change: Callable[[], None]) -> None:
        """Make an open one; `on_change` is called in the reactor's thread."""
        self._bounds = bounds
        self._reactor = reactor
        self._on_change = on_change
        self.full = False
        """Whether as much waits for a worker as may."""
        self.queues = False
        """Whether a large message has not had its turn yet."""
        self.throttled = False
        """Whether as much came in this second as may."""
        self._congested = False
        self._second = 0.0  # when the current second began, and
        self._frames = 0  # how many frames came in it,
        self._messages = 0  # and messages

    @property
    def open(self) -> bool:
        """Whether the socket is to be read."""
        return not (self.full or self._congested or self.throttled or self.queues)

    def arrived(self, frames: int, messages: int, *, full: bool) -> None:
        """Count what has arrived; `full`: with it as much waits as may.

        In the reactor's thread, and before the messages are put: whoever handles the last of them
        opens it again, and must find it closed.
        """
        now = self._reactor.clock()
        if now - self._second >= 1:
            self._second = now
            self._frames = self._messages = 0
        self._frames += frames
        self._messages += messages
        too_many = not self.throttled and (
            self._frames > self._bounds.frames_per_second
            or self._messages > self._bounds.events_per_second
        )
        if not full and not too_many:
            if messages:
                self.full = False
            return
        was_open = self.open
        self.full = full or (self.full and not messages)
        if too_many:
            self.throttled = True
            self._reactor.call_later(self._second + 1 - now, self._next_second)
        if was_open:
            self._on_change()

    def handled(self) -> None:
        """Read on: enough has been handled. Any thread."""
        if self.full:
            self.full = False
            self._reactor.call_soon(self._on_change)

    def queue(self) -> None:
        """Read no more before `admit`. The reactor's thread."""
        self.queues = True
        self._on_change()

    def admit(self) -> None:
        """Read on. The reactor's thread."""
        self.queues = False
        self._on_change()

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
        self.throttled = False
        self._on_change()


def _nothing() -> None:
    """Do nothing: the connection has gone."""
