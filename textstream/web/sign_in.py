"""Who is connected as whom: at CONNECT, with a newer token, and until when."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask_socketio import SocketIO

from textstream.access.expiry import CallAt, Expiries
from textstream.access.policy import EXPIRED
from textstream.access.principal import LEEWAY, Principal
from textstream.access.revocations import REVOKED
from textstream.access.visits import Visit
from textstream.errors import Forbidden, Unauthorized
from textstream.hub.keeper import Keeper
from textstream.protocol import STREAM_ERROR
from textstream.transport.session import Session
from textstream.web.identity import Identity

NOTICE = 1.0
"""Seconds from the word that a token has expired to the end of its connection: a client that polls
fetches it meanwhile, and one that has a new token at hand stays."""


REVOKED_NOTICE = 0.3
"""The same where it was taken back."""


class SignIn:
    """Knows who is connected. The hub asks its policy with that, on each event."""

    def __init__(
        self,
        identity: Identity,
        connections: Keeper,
        socketio: SocketIO,
        *,
        call_at: CallAt,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Let in whom `identity` knows.

        Args:
            identity: says who asks.
            connections: the hub's, which keep who that is.
            socketio: the server.
            call_at: calls at a time of `clock`.
            clock: seconds, monotonic.
            wall_clock: seconds since 1970, as tokens have them.

        """
        self._identity = identity
        self.asks = identity.asks
        """Whether who makes a request has to say who that is; the argument is its environ."""
        self._connections = connections
        self._socketio = socketio
        self._call_at = call_at
        self._clock = clock
        self._wall_clock = wall_clock
        self._expiries = Expiries(self._tell, call_at=call_at, clock=clock)
        self.watched = self._expiries.ends
        """Who is, by connection; to read only."""
        self.waits = identity.blocking
        """Whether to find out who somebody is may take long."""

    def identify(self, environ: dict[str, Any], auth: object, visit: Visit) -> Principal:
        """Return who connects, whose quota counts from now on for what is counted of it.

        Raises:
            Unauthorized: see `Identity.of_connect`.
            RateLimited: the same; or that one has too many connections.

        """
        principal = self._identity.of_connect(environ, auth, visit.address)
        self._connections.clients.sign_in(visit, principal)
        return principal

    def begin(self, connection: str, principal: Principal) -> dict[str, Any] | None:
        """Watch a connection from now on; return what its client is told."""
        if principal.expires is None:
            return None
        left = self._watch(connection, principal.expires)
        return {"expires": left}

    def renew(
        self, connection: str, environ: dict[str, Any], auth: object, address: str
    ) -> dict[str, Any]:
        """Take a newer token of the same principal; return the answer to ``authenticate``.

        Raises:
            Unauthorized, RateLimited: see `Identity.of_connect`. All stays as it was.
            Forbidden: it is somebody else's.

        """
        principal = self._identity.of_connect(environ, auth, address)
        self._connections.swap(connection, principal)
        if principal.expires is None:
            self._expiries.forget(connection)
            return {}
        return {"expires": self._watch(connection, principal.expires)}

    def end(self, connection: str) -> None:
        """Watch a connection no more."""
        self._expiries.forget(connection)

    def turn_out(self, connections: list[str]) -> None:
        """Tell connections that what they have shown was taken back, and close them."""
        for connection in connections:
            self._socketio.emit(STREAM_ERROR, Forbidden(REVOKED).to_wire(), to=connection)
        self._call_at(self._clock() + REVOKED_NOTICE, lambda: self._end_all(connections))

    def _end_all(self, connections: list[str]) -> None:
        for connection in connections:
            self._hang_up(connection, "forbidden: the token was taken back")

    def _watch(self, connection: str, expires: float) -> float:
        left = expires - self._wall_clock()
        self._expiries.watch(connection, left + LEEWAY)
        return round(max(0.0, left), 3)

    def _tell(self, connection: str) -> None:
        error = Unauthorized(EXPIRED, reason="expired")
        self._socketio.emit(STREAM_ERROR, error.to_wire(), to=connection)
        self._call_at(self._clock() + NOTICE, lambda: self._close(connection))

    def _close(self, connection: str) -> None:
        """End a connection that has expired, as one that broke: its client comes back by itself."""
        if not self._connections.principal(connection).is_over(self._wall_clock()):
            return  # it has a newer token, or is gone
        self._hang_up(connection, "unauthorized: the token has expired")

    def _hang_up(self, connection: str, why: str) -> None:
        server = self._socketio.server
        session = server.eio.sockets.get(server.manager.eio_sid_from_sid(connection, "/"))
        if isinstance(session, Session):
            session.turn_out(why)
        elif session is not None:  # stock
            session.close(wait=False)
