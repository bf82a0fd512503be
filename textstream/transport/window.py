"""End-to-end flow control: how much a client was sent that it has not come to yet."""

from __future__ import annotations

WINDOW = 262_144
"""Bytes sent and not yet confirmed, at most.

Kernels buffer megabytes between a server and a client that reads slowly. A heartbeat behind so
much comes too late, and the client is taken for dead; a pause or a stop shows its effect after
half a minute. 256 kB are 12,000 characters: enough for any speed at any round-trip time.
"""


class Window:
    """Counts units' bytes, and learns from Engine.IO's own ping and pong how many were handled.

    A client answers a ping when it comes to it, after all that was sent before, and answers pings
    in order. So a pong confirms what was sent before its ping.
    """

    __slots__ = ("_confirmed", "_limit", "_pings", "_sent")

    def __init__(self, limit: int = WINDOW) -> None:
        """Allow `limit` bytes."""
        self._limit = limit
        self._sent = 0
        self._confirmed = 0
        self._pings: list[int] = []  # for each ping under way, what was sent before it

    @property
    def open(self) -> bool:
        """Whether more may be sent."""
        return self._sent - self._confirmed < self._limit

    def sent(self, count: int) -> bool:
        """Count bytes; return whether it is time for a ping."""
        self._sent += count
        asked = self._pings[-1] if self._pings else self._confirmed
        return self._sent - asked >= self._limit // 4

    def ping(self) -> None:
        """Take note of a ping, whoever sent it."""
        self._pings.append(self._sent)

    def pong(self) -> None:
        """Take note of a pong."""
        if self._pings:
            self._confirmed = self._pings.pop(0)
