"""Answers a peer's pings, of a flood the latest only."""

from __future__ import annotations

from collections.abc import Callable

from textstream.transport.frames import PONG, frame
from textstream.transport.rate import Rate
from textstream.transport.reactor import Reactor


class Pongs:
    """Answers the first pings of a second at once, and of more the latest, when it is over.

    A peer may be answered the latest of several pings alone (RFC 6455, 5.5.3), and whoever waits
    for a pong gets one. The reactor's thread only.
    """

    __slots__ = ("_late", "_rate", "_reactor", "_write")

    def __init__(self, most: int, reactor: Reactor, write: Callable[[bytes], None]) -> None:
        """Answer `most` pings a second with `write`."""
        self._rate = Rate(most, reactor.clock)
        self._reactor = reactor
        self._write = write
        self._late: bytes | None = None  # of the ping that is to be answered later

    def answer(self, payload: bytes) -> None:
        """Answer a ping."""
        if self._late is not None:
            self._late = payload
        elif delay := self._rate.delay():
            self._late = payload
            self._reactor.call_later(delay, self._answer_latest)
        else:
            self._write(frame(PONG, payload))

    def close(self) -> None:
        """Let go of the connection."""
        self._write = _nothing

    def _answer_latest(self) -> None:
        payload, self._late = self._late, None
        if payload is not None:
            self._write(frame(PONG, payload))


def _nothing(_: bytes) -> None:
    """Do nothing: the connection has gone."""
