"""All Engine.IO sessions of one server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textstream.access.caller import Caller
from textstream.transport.admission import Visit
from textstream.transport.farewells import Farewells
from textstream.transport.session import Session
from textstream.transport.shared import Shared


class Sessions(dict[str, Session]):
    """Engine.IO's table of sessions. Whatever is entered becomes a `Session`.

    Engine.IO makes sessions of its own class, and enters each before anybody knows its id.
    """

    def __init__(self, shared: Shared) -> None:
        """Make an empty table of sessions that share `shared`."""
        super().__init__()
        self._shared = shared
        self._making = threading.local()

    @property
    def farewells(self) -> Farewells:
        """Who has closed a session a moment ago."""
        return self._shared.farewells

    def __setitem__(self, sid: str, session: Any) -> None:
        """Enter a session whose first packet is on its way."""
        visit, self._making.visit = getattr(self._making, "visit", None), None
        self.enter(sid, session, visit)
        session.correct_first(upgrades=getattr(self._making, "upgrades", True))

    def enter(self, sid: str, session: Any, visit: Visit | None) -> Session:
        """Enter a session, which is counted as `visit`; return it."""
        session.__class__ = Session
        session.shared = self._shared
        if visit:
            session.visit = visit
            session.queue.account = visit.account  # nothing waits yet that it would have to count
            session.caller = Caller(visit.address, sid)
        super().__setitem__(sid, session)
        if newcomers := self._shared.newcomers:
            newcomers.add(session, self._shared.bounds.connect)
        entered: Session = session
        return entered

    def __delitem__(self, sid: str) -> None:
        """Remove a session, if it is there still: it may have ended in two threads at once."""
        self.pop(sid, None)

    def pop(self, sid: str, *default: Any) -> Any:
        """Remove a session, let go of what waits for its polls, and end its visit."""
        session = super().pop(sid, *default)
        if isinstance(session, Session):
            session.queue.let_go()
            if session.visit:
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
