"""Answers a peer's pings, of a flood the latest only."""

from __future__ import annotations

from collections.abc import Callable

from textstream.transport.frames import PONG, frame
from textstream.transport.reactor import Reactor


class Pongs:
    """Answers the first pings of a second at once, and of more the latest, when it is over.

    A peer may be answered the latest of several pings alone (RFC 6455, 5.5.3), and whoever waits
    for a pong gets one. The reactor's thread only.
    """

    __slots__ = ("_count", "_late", "_most", "_reactor", "_second", "_write")

    def __init__(self, most: int, reactor: Reactor, write: Callable[[bytes], None]) -> None:
        """Answer `most` pings a second with `write`."""
        self._most = most
        self._reactor = reactor
        self._write = write
        self._second = 0.0
        self._count = 0
        self._late: bytes | None = None  # of the ping that is to be answered later

    def answer(self, payload: bytes) -> None:
        """Answer a ping."""
        now = self._reactor.clock()
        if now - self._second >= 1:
            self._second, self._count = now, 0
        self._count += 1
        waiting = self._late is not None
        if self._count <= self._most and not waiting:
            self._write(frame(PONG, payload))
            return
        self._late = payload
        if not waiting:
            self._reactor.call_later(self._second + 1 - now, self._answer_latest)

    def close(self) -> None:
        """Let go of the connection."""
        self._write = _nothing

    def _answer_latest(self) -> None:
        payload, self._late = self._late, None
        if payload is not None:
            self._write(frame(PONG, payload))


def _nothing(_: bytes) -> None:
    """Do nothing: the connection has gone."""
