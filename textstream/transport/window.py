"""End-to-end flow control: how much a client was sent that it has not come to yet."""

from __future__ import annotations

import time
from collections.abc import Callable

SMALLEST, FIRST, LARGEST = 8_192, 32_768, 262_144
"""Bytes sent and not yet confirmed, at most: for a slow client, a new one, a fast one.

Kernels buffer megabytes between a server and a client that reads slowly. A heartbeat behind so
much comes too late, and the client is taken for dead; a pause or a stop shows its effect after
half a minute. 256 kB are 12,000 characters: enough for any speed at any round-trip time.
"""

PROMPT, LATE = 0.5, 2.0
"""Seconds from a ping to its pong: under the one the window doubles, over the other it halves.

So what is on its way to a client takes it a few seconds at most, down to some 1 kB/s.
"""


def adapted(limit: int, seconds: float) -> int:
    """Return the bytes of a window after an answer that took so many `seconds`."""
    if seconds < PROMPT:
        return min(LARGEST, limit * 2)
    return max(SMALLEST, limit // 2) if seconds > LATE else limit


class Window:
    """Counts units' bytes, and learns from Engine.IO's own ping and pong how many were handled.

    A client answers a ping when it comes to it, after all that was sent before, and answers pings
    in order. So a pong confirms what was sent before its ping.
    """

    __slots__ = ("_clock", "_confirmed", "_limit", "_pings", "_sent")

    def __init__(self, first: int = FIRST, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `first` bytes until more is known; `clock` is in seconds."""
        self._clock = clock
        self._limit = first
        self._sent = 0
        self._confirmed = 0
        # For each ping under way: what was sent before it, and when.
        self._pings: list[tuple[int, float]] = []

    @property
    def open(self) -> bool:
        """Whether more may be sent."""
        return self._sent - self._confirmed < self._limit

    @property
    def room(self) -> int:
        """Bytes that may be sent now, 0 at least."""
        return max(0, self._limit - (self._sent - self._confirmed))

    @property
    def burst(self) -> int:
        """Bytes after which a ping is due.

        With one ping behind a full window, a client of 1 kB/s would confirm nothing for half a
        minute, and be taken for one that does not read.
        """
        return self._limit // 4

    def sent(self, count: int) -> bool:
        """Count bytes; return whether it is time for a ping."""
        self._sent += count
        asked = self._pings[-1][0] if self._pings else self._confirmed
        return self._sent - asked >= self._limit // 4  # `burst`: it is asked for each write

    def ping(self) -> None:
        """Remember where a ping stands, whoever sent it."""
        self._pings.append((self._sent, self._clock()))

    def pong(self) -> bool:
        """Take off what the oldest ping confirms; return whether one was sent at all."""
        if not self._pings:
            return False
        self._confirmed, when = self._pings.pop(0)
        self._limit = adapted(self._limit, self._clock() - when)
        return True
