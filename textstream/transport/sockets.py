"""WSGI servers that keep their sockets to themselves: polling is all there is, and they say so."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from textstream.transport.answers import HARDENED
from textstream.transport.polls import StartResponse, WsgiApp

logger = logging.getLogger("textstream.transport")

SOCKET_KEYS = ("werkzeug.socket", "gunicorn.socket")
"""Where a WSGI environment has the socket of a request that can be handed off."""

DOOR = "textstream.door"
"""Where it has the `Door` that a request came through, if the front in the reactor read it."""

NO_WEBSOCKET = (
    "No WebSocket here: this WSGI server gives no application its socket. "
    'Poll (transports: ["polling"]), or serve with gunicorn -w 1 --threads 16.'
)


def socket_of(environ: dict[str, Any]) -> socket.socket | None:
    """Return the socket of a request that can be handed off; None where there is none."""
    return next((environ[key] for key in SOCKET_KEYS if environ.get(key)), None)


def gives_socket(environ: dict[str, Any]) -> bool:
    """Return whether the WSGI server that made `environ` lets the application have its socket.

    WSGI (PEP 3333) has no name for it. Werkzeug and gunicorn have one of their own, and
    simple-websocket finds eventlet's and gevent's. waitress, uWSGI, and the ASGI servers (uvicorn,
    Hypercorn) give none.
    """
    if DOOR in environ or socket_of(environ) is not None or "eventlet.input" in environ:
        return True
    body = environ.get("wsgi.input")
    is_gevent = environ.get("SERVER_SOFTWARE", "").startswith("gevent")
    return is_gevent and hasattr(getattr(body, "rfile", body), "raw")


class WithoutSockets:
    """WSGI middleware around Engine.IO: where there is no socket, offers and opens no WebSocket.

    Stock, each client is offered the upgrade, tries it, and leaves a traceback.
    """

    def __init__(self, app: WsgiApp, eio: Any) -> None:
        self._app = app
        self._eio = eio
        self._warned = False

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request; answer 501 to one that asks for a WebSocket and cannot have it."""
        if gives_socket(environ):
            return self._app(environ, start_response)
        self._warn()
        if not _asks_for_websocket(environ):
            with self._eio.sockets.offering_no_upgrade():
                return self._app(environ, start_response)
        start_response("501 NOT IMPLEMENTED", [("Content-Type", "application/json"), *HARDENED])
        return [json.dumps(NO_WEBSOCKET).encode()]

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "this WSGI server gives no application its socket: clients poll, none has a "
                "WebSocket. To have them, serve with gunicorn -w 1 --threads 16"
            )


def _asks_for_websocket(environ: dict[str, Any]) -> bool:
    query = parse_qs(environ.get("QUERY_STRING", ""))
    upgrade = environ.get("HTTP_UPGRADE", "").lower()
    return upgrade == "websocket" or query.get("transport") == ["websocket"]
