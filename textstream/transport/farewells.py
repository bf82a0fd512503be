"""Clients that have closed their session while a poll of theirs was on its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAREWELL_SECONDS = 1.0
"""For how long the poll of a client that has closed its session is still answered."""

MAX_FAREWELLS = 4096


class Farewells:
    """Who has just said goodbye. Its last poll is answered as the reference server does: NOOP."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nobody yet. `clock` tells seconds that only grow."""
        self._clock = clock
        self._lock = threading.Lock()  # guards _until
        self._until: dict[str, float] = {}  # by session, in the order in which they end

    def expect(self, sid: str) -> None:
        """Remember that one more poll of `sid` is to be answered."""
        now = self._clock()
        with self._lock:
            self._forget(now)
            self._until[sid] = now + FAREWELL_SECONDS

    def take(self, sid: str) -> bool:
        """Return whether this poll of `sid` is the one; the next is not."""
        if sid not in self._until:
            return False
        now = self._clock()
        with self._lock:
            return self._until.pop(sid, now) > now

    def _forget(self, now: float) -> None:
        for sid, until in list(self._until.items()):
            if until > now and len(self._until) < MAX_FAREWELLS:
                break
            del self._until[sid]
