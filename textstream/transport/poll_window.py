"""How much may wait for a client that polls: by how promptly it comes for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from textstream.transport.window import FIRST, adapted

STANDSTILL = 5.0
"""Seconds after the last poll from which on nothing more is made for a client.

Clients poll again as soon as they have an answer. One that does not is gone, or collects.
"""


class Waiting(Protocol):
    """Who waits for room."""

    def wake(self) -> None:
        """Look again soon. Called with locks held: must return at once."""
        ...


class PollWindow:
    """The polls of one client.

    A poll confirms the answer before it, as a pong does on a WebSocket. The window learns from
    answers that are full, or no small part of it: heartbeats do not show how fast a client is.

    Not thread-safe: its queue's lock guards it.
    """

    __slots__ = ("_answered", "_clock", "_full", "_limit", "_taken", "_waits")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the first poll; `clock` is in seconds."""
        self._clock = clock
        self._limit = FIRST
        self._waits = False
        self._taken = 0  # bytes of the last answer
        self._full = False  # whether it had all the packets that an answer may have
        self._answered = clock()  # when the last answer was complete

    @property
    def waits(self) -> bool:
        """Whether a poll is there now."""
        return self._waits

    @property
    def limit(self) -> int:
        """Bytes that may wait for the client, while it polls."""
        return self._limit

    @property
    def polls(self) -> bool:
        """Whether a poll waits, or was answered a moment ago."""
        return self._waits or self._clock() - self._answered < STANDSTILL

    def begin(self) -> None:
        """Note a poll that has come."""
        if self._full or self._taken >= self._limit // 4:
            self._limit = adapted(self._limit, self._clock() - self._answered)
        self._waits, self._taken = True, 0

    def taken(self, count: int) -> None:
        """Count bytes of the answer."""
        self._taken += count

    def end(self, *, full: bool = False) -> None:
        """Note that the poll is answered, with as many packets as it may have if `full`."""
        self._waits, self._full, self._answered = False, full, self._clock()
