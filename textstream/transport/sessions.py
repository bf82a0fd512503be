"""All Engine.IO sessions of one server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textstream.transport.farewells import Farewells
from textstream.transport.session import Session


class Sessions(dict[str, Session]):
    """Engine.IO's table of sessions. Whatever is entered becomes a `Session`.

    Engine.IO makes sessions of its own class, and enters each before anybody knows its id.
    """

    def __init__(self, *, max_packets: int) -> None:
        """Make an empty table; `max_packets` may be in one request of a client."""
        super().__init__()
        self.farewells = Farewells()
        self._max_packets = max_packets
        self._lock = threading.Lock()
        self._making = threading.local()

    def __setitem__(self, sid: str, session: Any) -> None:
        """Enter a session."""
        session.__class__ = Session
        session.share(self.farewells, self._lock, self._max_packets)
        session.correct_first(upgrades=getattr(self._making, "upgrades", True))
        super().__setitem__(sid, session)

    @contextmanager
    def offering_no_upgrade(self) -> Iterator[None]:
        """Tell the clients whose sessions are made meanwhile, in this thread, to go on polling."""
        self._making.upgrades = False
        try:
            yield
        finally:
            del self._making.upgrades
