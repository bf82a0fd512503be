"""What is seen of clients where they come in: counted, and told to the audit log if there is one.

Whoever decides something calls one of these; nobody else counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from textstream.access.caller import Caller
from textstream.errors import LimitReached
from textstream.observe.audit import AuditLog
from textstream.observe.figures import Counts
from textstream.reading.reader import Reader

CONNECT = "connect"
"""What is refused where no event is: a connection."""

LIMITS = frozenset(kind.code for kind in LimitReached.__args__)
"""The codes of those who have as much as they may."""

MAX_ORIGIN = 256
"""Characters of an origin in a line."""


class Watch:
    """Sees what clients do. Any thread.

    Attributes:
        connected: connections to Socket.IO, by transport.
        refused: by event, or `CONNECT`, and by code.
        turned_away: connections closed as soon as they came, by what there is no more of.
        requests: that were answered with an error before the application had them, by status.
        audit: the audit log, if one is kept.
        user_of: tells whose a connection is, by its id: the name of its user, None of nobody.

    """

    def __init__(self, audit: AuditLog | None = None) -> None:
        """See nothing yet."""
        self.connected = Counts()
        self.refused = Counts()
        self.turned_away = Counts()
        self.requests = Counts()
        self.audit = audit
        self.user_of: Callable[[str], str | None] = lambda _connection: None

    def connect(self, caller: Caller, environ: dict[str, Any]) -> None:
        """See a connection that was let in."""
        transport = transport_of(environ)
        self.connected.add(transport)
        if self.audit is not None:
            origin = _origin_of(environ)
            user = self.user_of(caller.connection)
            self.audit.tell("connected", caller, user=user, transport=transport, origin=origin)

    def disconnect(self, caller: Caller) -> None:
        """See the end of one. Before it is forgotten whose it was."""
        if self.audit is not None:
            self.audit.tell("disconnected", caller, user=self.user_of(caller.connection))

    def start(self, caller: Caller, reader: Reader) -> None:
        """See a start that was answered."""
        if self.audit is not None:
            stream = reader.stream
            user = self.user_of(caller.connection)
            self.audit.tell("started", caller, stream.id, user=user, source=stream.source)

    def read(self, caller: Caller, reader: Reader) -> None:
        """See somebody attach to a stream. Of its owner there is no line: it has started it."""
        stream = reader.stream
        if self.audit is not None and stream.owner != caller.connection:
            source, offset = stream.source, reader.first
            user = self.user_of(caller.connection)
            self.audit.tell(
                "read by another", caller, stream.id, user=user, source=source, offset=offset
            )

    def stop(self, caller: Caller, streams: Iterable[str]) -> None:
        """See streams stopped, by their ids."""
        if self.audit is not None:
            for stream in streams:
                self.audit.tell("stopped", caller, stream, user=self.user_of(caller.connection))

    def share(self, caller: Caller, stream: str, expires: float | None) -> None:
        """See a stream shared for so many seconds, by its id; None: its sharing ended."""
        if self.audit is not None:
            user = self.user_of(caller.connection)
            event: Any = "unshared" if expires is None else "shared"
            self.audit.tell(event, caller, stream, user=user, expires=expires)

    def refuse(
        self, event: str, caller: Caller, error: dict[str, Any], *, origin: str | None = None
    ) -> None:
        """See a refusal.

        Args:
            event: what was asked for: an event's name, one of ours, or `CONNECT`.
            caller: who has asked.
            error: the error object of the answer.
            origin: of the page, where it is for that.

        """
        code = str(error["code"])
        self.refused.add(event, code)
        if self.audit is not None:
            kind: Any = "quota hit" if code in LIMITS else "refused"
            scope = error.get("scope")
            user = self.user_of(caller.connection)
            self.audit.refuse(
                kind, caller, code, user=user, asked=event, scope=scope, origin=origin
            )

    def turn_away(self, lack: str) -> None:
        """See a connection turned away: for want of ``descriptors``, or by its ``address``."""
        self.turned_away.add(lack)

    def refuse_request(self, status: HTTPStatus) -> None:
        """See a request of plain HTTP that no application has seen."""
        self.requests.add(str(status.value))

    def admin(
        self, what: str, caller: Caller, *, stream: str = "", user: str | None = None
    ) -> None:
        """See somebody use what is the operator's: of a stream, by its id; `user` is who does."""
        if self.audit is not None:
            self.audit.tell("admin", caller, stream, user=user, did=what)


def transport_of(environ: dict[str, Any]) -> str:
    """Return what the first request of a session came by: ``websocket`` or ``polling``."""
    query = str(environ.get("QUERY_STRING", ""))
    return "websocket" if "transport=websocket" in query else "polling"


def _origin_of(environ: dict[str, Any]) -> str | None:
    origin = environ.get("HTTP_ORIGIN")
    return ascii(origin)[1:-1][:MAX_ORIGIN] if isinstance(origin, str) else None
