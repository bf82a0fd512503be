"""Which requests reach Engine.IO, and what the others are told.

Engine.IO refuses less than the reference server, and in a way that no page can read: without the
headers of CORS. A WSGI middleware around Engine.IO alone, as those in ``polls``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from textstream.transport.admission import VISIT, Admit, Refused
from textstream.transport.answers import Answer, farewell, refusal
from textstream.transport.direct import DirectOpening
from textstream.transport.foreign import why_unknown
from textstream.transport.handshake import is_half_upgrade
from textstream.transport.http.door import TAKEN, Threshold
from textstream.transport.parking import Parking
from textstream.transport.polls import StartResponse, WsgiApp
from textstream.transport.sessions import Sessions
from textstream.transport.sockets import DOOR, gives_socket
from textstream.transport.waits import PARKED, WAKE, Waits

OLD_CLIENT = (
    "this server speaks Engine.IO 4, which is Socket.IO 5. Use version 3 or 4 of socket.io-client,"
    " version 5 of python-socketio, or what speaks it in your language"
)

NO_UPGRADE = (
    "a WebSocket was asked for, and its Upgrade did not arrive. A proxy in between drops it: nginx "
    "needs proxy_http_version 1.1, and the headers Upgrade and Connection passed on. Until then, "
    "clients poll"
)

HALF_UPGRADE = "Connection: Upgrade is missing"

logger = logging.getLogger("textstream.transport")


class StrictRequests:
    """WSGI middleware: verifies a request as the reference server does, before anything else."""

    def __init__(
        self,
        app: WsgiApp,
        *,
        eio: Any,
        make: Callable[[], Sessions],
        turn_away: WsgiApp,
        admit: Admit,
        name: str,
        direct: DirectOpening,
        parking: Parking,
    ) -> None:
        """Serve what `app` should see.

        Args:
            app: Engine.IO's own.
            eio: its server.
            make: makes an empty table of sessions.
            turn_away: answers the request for a second WebSocket of a session.
            admit: lets a session in, or not.
            name: of this server among several, "" where it is the only one.
            direct: opens those that begin with a WebSocket.
            parking: answers polls that have waited without a thread.

        """
        self._app = app
        self._admit = admit
        self._name = name
        self._direct = direct
        self._parking = parking
        self._eio = eio
        self._make = make
        self._turn_away = turn_away
        self._warned = False
        self._sessions()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request.

        Raises:
            Waits: it waits without this thread, see `WAKE`.
            StopIteration, ConnectionError: the same, on servers that hand out their sockets.

        """
        if (parked := self._parking.answer(environ)) is not None:
            start_response(parked.status, parked.headers)
            return [parked.body]
        answer = self._serve(environ, start_response)
        if WAKE in environ and PARKED in environ:
            raise Waits(environ[PARKED])
        return answer

    def open_at(self, environ: dict[str, Any], threshold: Threshold) -> bool:
        """Open a session with the WebSocket that stands on `threshold`, if that is the short way.

        In the reactor's thread. False: nothing was done, the request is to be served as others are.
        """
        if not self._direct.suits(environ):
            return False
        try:
            visit = self._admit(environ)
        except Refused:
            return False  # it is told so the long way
        self._direct.open(environ, self._sessions(), visit, threshold)
        return True

    def _serve(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        sessions = self._sessions()
        if DOOR in environ and self._direct.suits(environ):
            return self._open_directly(environ, start_response, sessions)
        query = parse_qs(environ.get("QUERY_STRING", ""))
        transport, sid = query.get("transport", [""])[0], query.get("sid", [""])[0]
        method = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return self._app(environ, start_response)
        if method == "GET" and transport == "polling" and sessions.farewells.take(sid):
            return self._answer(farewell(), environ, start_response)
        if wrong := self._verify(environ, transport, sid, query):
            return self._answer(wrong, environ, start_response)
        if transport == "websocket" and sid and _has_websocket(sessions.get(sid)):
            return self._turn_away(environ, start_response)
        return self._hand_on(sid, environ, start_response)

    def _hand_on(
        self, sid: str, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        serve = self._app if sid else self._open
        try:
            answer = serve(environ, start_response)
        except KeyError:
            # Engine.IO raises for a request whose session has closed meanwhile.
            if not sid or self._is_open(sid):
                raise
            unknown = refusal(Answer.UNKNOWN_SESSION, why_unknown(environ, sid, self._name))
            return self._answer(unknown, environ, start_response)
        # In lower case, as the protocol's own examples have it. Engine.IO's is not.
        is_post = environ["REQUEST_METHOD"] == "POST"
        return [b"ok"] if is_post and answer == [b"OK"] else answer

    def _open_directly(
        self, environ: dict[str, Any], start_response: StartResponse, sessions: Sessions
    ) -> Iterable[bytes]:
        try:
            visit = self._admit(environ)
        except Refused as refused:
            return self._answer(refused.answer(), environ, start_response)
        # Nor is a connection kept with the environ.
        self._direct.open(environ, sessions, visit, environ.pop(DOOR))
        return TAKEN

    def _open(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve the first request of a session."""
        try:
            visit = self._admit(environ)
        except Refused as refused:
            return self._answer(refused.answer(), environ, start_response)
        environ[VISIT] = visit
        with self._sessions().made_for(visit):
            return self._app(environ, start_response)

    def _verify(
        self, environ: dict[str, Any], transport: str, sid: str, query: dict[str, list[str]]
    ) -> dict[str, Any] | None:
        if transport not in self._eio.transports:
            return refusal(Answer.UNKNOWN_TRANSPORT)
        if transport == "websocket" and "HTTP_UPGRADE" not in environ and gives_socket(environ):
            self._warn_of_proxy()
            return refusal(Answer.BAD_REQUEST, NO_UPGRADE)
        if is_half_upgrade(environ):
            return refusal(Answer.BAD_REQUEST, HALF_UPGRADE)
        if sid:
            if self._is_open(sid):
                return None
            return refusal(Answer.UNKNOWN_SESSION, why_unknown(environ, sid, self._name))
        return _verify_opening(environ["REQUEST_METHOD"], query)

    def _is_open(self, sid: str) -> bool:
        session = self._eio.sockets.get(sid)
        if session is None or not session.closed:
            return session is not None
        self._eio.sockets.pop(sid, None)  # as Engine.IO does, which would find it before long
        return False

    def _warn_of_proxy(self) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(NO_UPGRADE)

    def _answer(
        self, answer: dict[str, Any], environ: dict[str, Any], start_response: StartResponse
    ) -> list[bytes]:
        # With its length: some clients of WebSockets read the answer to a handshake only then.
        length = ("Content-Length", str(len(answer["response"])))
        headers = [*answer["headers"], length, *self._eio._cors_headers(environ)]
        start_response(answer["status"], headers)
        return [answer["response"]]

    def _sessions(self) -> Sessions:
        """Return the server's table. Engine.IO makes a new one when it disconnects everybody."""
        if not isinstance(self._eio.sockets, Sessions):
            sessions = self._make()
            for sid, session in list(self._eio.sockets.items()):
                sessions[sid] = session
            self._eio.sockets = sessions
        return self._eio.sockets


def _verify_opening(method: str, query: dict[str, list[str]]) -> dict[str, Any] | None:
    if method != "GET":
        return refusal(Answer.BAD_METHOD)
    if query.get("EIO") != ["4"]:
        return refusal(Answer.UNSUPPORTED_VERSION, OLD_CLIENT)
    return None


def _has_websocket(session: Any) -> bool:
    return session is not None and (session.upgraded or session.upgrading)
