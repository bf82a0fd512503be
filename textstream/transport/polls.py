"""Requests that Engine.IO would not answer well, or would refuse without need.

Those that are too large, half an upgrade, or for a closed session. The classes are
WSGI middlewares around Engine.IO alone: they see its requests only, wherever it is mounted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from engineio.packet import NOOP

from textstream.transport.bounds import OnOversized

_CHUNK = 65_536

_NOOP = str(NOOP).encode()
"""A body that means nothing. An empty one is malformed."""

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
            environ = {**environ, "CONTENT_LENGTH": "1", "wsgi.input": io.BytesIO(_NOOP)}
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
