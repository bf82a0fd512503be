"""Polls to a threaded gunicorn worker that wait without ever having a thread of it."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from textstream.transport.driver import Transport
from textstream.transport.handoff import tune
from textstream.transport.http.request import Request
from textstream.web.request_kinds import Routes
from textstream.web.server import Server


class Parker:
    """Hands polls from the worker's loop, which has read them, to the reactor.

    Also those for which there is something. Through a thread, 250 polls in a second are 250 turns
    of gunicorn's parser and of the WSGI application: with 200 clients that poll, twice the
    processor's time for each.
    """

    def __init__(self, worker: Any, server: Server, transport: Transport, routes: Routes) -> None:
        """Make it, before anybody has wrapped the app of `server`."""
        self._worker = worker
        self._app = server.app
        self._served = server.app.wsgi_app
        self._polls = transport.handed_polls
        self._routes = routes

    def __call__(self, request: Request) -> bool:
        """Take a request's connection from its carrier, if it is to wait; return whether it is."""
        head, carrier = request.head, request.connection
        if head.method != "GET" or request.size or carrier.ahead or self._is_wrapped:
            return False
        environ = {
            **head.fields,
            "REQUEST_METHOD": head.method,
            "PATH_INFO": head.path,
            "QUERY_STRING": head.query,
        }
        if not self._routes.is_socket_io(environ):
            return False

        def take() -> socket.socket:
            sock = carrier.take()
            with suppress(OSError):  # its client has gone: the reactor will see
                tune(sock)
            return sock

        return self._polls.park(environ, take, patient=True)

    @property
    def _is_wrapped(self) -> bool:
        """Whether a middleware of somebody else's is to see requests first, and answers."""
        return self._worker.wsgi is not self._app or self._app.wsgi_app is not self._served
