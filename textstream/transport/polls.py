"""Requests that Engine.IO would not answer well, or would refuse without need.

Those that are too large, half an upgrade, for a closed session, or full of packets. The classes are
WSGI middlewares around Engine.IO alone: they see its requests only, wherever it is mounted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from engineio.exceptions import ContentTooLongError
from engineio.payload import Payload
from engineio.socket import Socket

from textstream.transport.bounds import OnOversized

_CHUNK = 65_536

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class OversizedPolls:
    """WSGI middleware: takes a polling body over the limit away before Engine.IO sees it.

    Engine.IO alone would end the session. A body of more than `dropped` bytes is left to it.
    """

    def __init__(
        self, app: WsgiApp, *, limit: int, dropped: int, on_oversized: OnOversized
    ) -> None:
        self._app = app
        self._limit = limit
        self._dropped = dropped
        self._on_oversized = on_oversized

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        size = _content_length(environ)
        if self._limit < size <= self._dropped and environ["REQUEST_METHOD"] == "POST":
            head = environ["wsgi.input"].read(1024)
            _discard(environ["wsgi.input"], size - len(head))
            self._on_oversized(_sid(environ), head.decode("utf-8", "replace"), size)
            environ = {**environ, "CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}
        return self._app(environ, start_response)


class ClosedSessions:
    """WSGI middleware: answers 400 to a POST for a session that has timed out.

    Engine.IO raises until its monitor has removed the session: a traceback for each request.
    """

    def __init__(self, app: WsgiApp, eio: Any) -> None:
        self._app = app
        self._eio = eio

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        try:
            return self._app(environ, start_response)
        except KeyError:
            if environ["REQUEST_METHOD"] != "POST" or not self._is_closed(_sid(environ)):
                raise
        start_response("400 BAD REQUEST", [("Content-Type", "application/json")])
        return [b'"Session is disconnected"']

    def _is_closed(self, sid: str) -> bool:
        session = self._eio.sockets.get(sid)
        return session is None or session.closed


class HalfUpgrades:
    """WSGI middleware: answers 400 to ``Upgrade: websocket`` without ``Connection: Upgrade``.

    Engine.IO takes it for a WebSocket, then for a poll, and hands the packets to the WSGI server
    as they are: a traceback, 500, and a session of nobody's.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        connection = environ.get("HTTP_CONNECTION", "").lower().split(",")
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket" and "upgrade" not in map(
            str.strip, connection
        ):
            start_response("400 BAD REQUEST", [("Content-Type", "application/json")])
            return [b'"Connection: Upgrade is missing"']
        return self._app(environ, start_response)


def accept_packets(eio: Any, limit: int) -> None:
    """Let a client put up to `limit` packets into one polling request.

    Engine.IO's 16 drop what a client has sent in one go, with a traceback. Its own setting,
    ``Payload.max_decode_packets``, is the whole process's, also that of its clients.
    """

    class Packets(Payload):
        max_decode_packets = limit

    class Session(Socket):
        def handle_post_request(self, environ: dict[str, Any]) -> None:
            """Handle the packets of a request, one after the other."""
            size = _content_length(environ)
            if size > self.server.max_http_buffer_size:
                raise ContentTooLongError
            body = environ["wsgi.input"].read(size).decode("utf-8")
            for packet in Packets(encoded_payload=body).packets:
                self.receive(packet)

    on_connect = eio.handlers["connect"]

    def connect(sid: str, environ: dict[str, Any]) -> Any:
        # Engine.IO makes sessions of its own class, and says so here, before anybody knows the id.
        eio.sockets[sid].__class__ = Session
        return on_connect(sid, environ)

    eio.on("connect", connect)


def _sid(environ: dict[str, Any]) -> str:
    sid: str = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [""])[0]
    return sid


def _content_length(environ: dict[str, Any]) -> int:
    value = environ.get("CONTENT_LENGTH") or "0"
    return int(value) if value.isdigit() else 0


def _discard(body: Any, count: int) -> None:
    while count > 0:
        read = len(body.read(min(count, _CHUNK)))
        if not read:
            return
        count -= read
