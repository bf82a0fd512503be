"""All Engine.IO sessions of one server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from textstream.transport.session import FAREWELL_SECONDS, Session

logger = logging.getLogger("textstream.transport")

MAX_FAREWELLS = 4096


class Sessions(dict[str, Session]):
    """Engine.IO's table of sessions. Whatever is entered becomes a `Session`.

    Engine.IO makes sessions of its own class, and enters each before anybody knows its id.
    """

    def __init__(self, *, max_packets: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Make an empty table.

        Args:
            max_packets: in one request of a client.
            clock: seconds that only grow.

        """
        super().__init__()
        self.max_packets = max_packets
        self.lock = threading.Lock()  # guards _farewells, and which requests sessions have
        self._farewells: dict[str, float] = {}  # by session, in the order in which they end
        self._clock = clock

    def __setitem__(self, sid: str, session: Any) -> None:
        """Enter a session."""
        session.__class__ = Session
        session.sessions = self
        super().__setitem__(sid, session)

    def expect_farewell(self, sid: str) -> None:
        """Remember that one more poll of `sid` is to be answered."""
        now = self._clock()
        with self.lock:
            self._forget_farewells(now)
            self._farewells[sid] = now + FAREWELL_SECONDS

    def take_farewell(self, sid: str) -> bool:
        """Return whether this poll of `sid` is the one; the next is not."""
        if sid not in self._farewells:
            return False
        now = self._clock()
        with self.lock:
            return self._farewells.pop(sid, now) > now

    def log_closed(self, why: str) -> None:
        """Say why a session was closed."""
        logger.warning("closed a session: %s", why)

    def _forget_farewells(self, now: float) -> None:
        for sid, until in list(self._farewells.items()):
            if until > now and len(self._farewells) < MAX_FAREWELLS:
                break
            del self._farewells[sid]
