"""All Engine.IO sessions of one server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textstream.transport.admission import Visit
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
        if visit := getattr(self._making, "visit", None):
            session.visit, self._making.visit = visit, None
        session.correct_first(upgrades=getattr(self._making, "upgrades", True))
        super().__setitem__(sid, session)

    def __delitem__(self, sid: str) -> None:
        """Forget a session."""
        self.pop(sid)

    def pop(self, sid: str, *default: Any) -> Any:
        """Forget a session, and return it."""
        session = super().pop(sid, *default)
        if isinstance(session, Session) and session.visit:
            session.visit.leave()
        return session

    @contextmanager
    def made_for(self, visit: Visit) -> Iterator[None]:
        """Let the session that is made meanwhile, in this thread, be that of `visit`.

        If none is made, the visit is over.
        """
        self._making.visit = visit
        try:
            yield
        finally:
            if self._making.visit is not None:
                self._making.visit = None
                visit.leave()

    @contextmanager
    def offering_no_upgrade(self) -> Iterator[None]:
        """Tell the clients whose sessions are made meanwhile, in this thread, to go on polling."""
        self._making.upgrades = False
        try:
            yield
        finally:
            del self._making.upgrades
