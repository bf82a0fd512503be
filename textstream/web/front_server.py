"""The server's own front, within bounds: of connections, of threads, and of descriptors."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

from flask import Flask

from textstream.access.address import Proxies
from textstream.settings import Settings
from textstream.transport.http.bodies import Bodies
from textstream.transport.http.door import Threshold
from textstream.transport.http.environ import Environ
from textstream.transport.http.express import Express
from textstream.transport.http.front import Front
from textstream.transport.http.listener import UNIX, listen
from textstream.transport.http.places import Places
from textstream.web.accepting import Acceptor, Trouble, turn_away
from textstream.web.descriptors import Recent, limit
from textstream.web.origins import TOLD
from textstream.web.request_kinds import SOCKET_IO, Routes
from textstream.web.server import Server

__all__ = ["UNIX", "FrontServer"]


FLASK_APP = "flask.app"
"""In an environ: the app, as Flask-SocketIO's own middleware puts it there."""


class Handshakes:
    """Answers handshakes of WebSockets: without what stands around Engine.IO for other requests."""

    def __init__(self, app: Flask, parts: Server) -> None:
        """Answer those to `app`, in which Flask-SocketIO is."""
        self._app = app
        self._engine = parts.socketio.server
        assert parts.transport is not None  # noqa: S101 (the threading mode has one)
        self._opening = parts.transport.opening
        self._known_hosts = parts.known_hosts

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one."""
        if environ["PATH_INFO"] != SOCKET_IO:  # under a prefix
            return self._app(environ, start_response)
        known_hosts = self._known_hosts
        if "HTTP_HOST" in environ and environ["HTTP_HOST"] not in known_hosts.right:
            refused = known_hosts.refuse(environ, start_response)
            if refused is not None:
                return refused
        environ[FLASK_APP] = self._app
        answer: Iterable[bytes] = self._engine.handle_request(environ, start_response)
        return answer

    def open(self, environ: Environ, threshold: Threshold) -> bool:
        """Open a session on the short way; False: it is not taken."""
        if environ.get("HTTP_HOST") not in self._known_hosts.right:
            return False  # it is looked at the long way
        environ[FLASK_APP] = self._app
        environ[TOLD] = True  # who is refused is told, and counted, the long way
        return self._opening(environ, threshold)


class FrontServer:
    """Listens, and serves from the transport's reactor."""

    def __init__(self, settings: Settings, app: Flask, parts: Server) -> None:
        """Listen.

        Args:
            settings: where, and whose word on addresses is believed.
            app: what is served.
            parts: of the server that it is.

        Raises:
            OSError: it cannot.

        """
        transport = parts.transport
        assert transport is not None  # noqa: S101 (the threading mode has one)
        proxies = Proxies(settings.trusted_proxies)
        self._listener = listen(settings.host, settings.port)
        self._watch = parts.watch
        self._acceptor = Acceptor(
            make_room=self._make_room,
            sleep=self._pause,
            on_refused=lambda: self._watch.turn_away("descriptors"),
        )
        self._crowded = Trouble(
            "connections turned away: %d, %s has its share of %d at a time. If it is a "
            "proxy, name it in TEXTSTREAM_TRUSTED_PROXIES"
        )
        self._down = threading.Event()
        most = settings.max_message_bytes
        routes = Routes(settings.prefix, proxies)
        handshakes = Handshakes(app, parts)
        self.front = Front(
            self._listener,
            app,
            reactor=transport.reactor,
            places=Places(trusts=proxies.trusts, descriptors=Recent(limit)),
            bodies=Bodies(
                most,
                transport.bounds.max_dropped,
                lambda path: routes.is_socket_io({"PATH_INFO": path}),
            ),
            routes=routes,
            parking=transport.parking,
            handshakes=handshakes,
            express=partial(Express, SOCKET_IO, handshakes.open),
            accept=self._acceptor.accept,
            turn_away=self._turn_away,
            on_refused=self._watch.refuse_request,
        )
        parts.front = self.front

    @property
    def port(self) -> int:
        """The port that is listened on; 0 of a Unix socket."""
        name = self._listener.getsockname()
        return name[1] if isinstance(name, tuple) else 0

    def serve(self) -> None:
        """Serve until `shutdown`. Signals are handled meanwhile."""
        self.front.start()
        self._down.wait()
        self._acceptor.close()

    def shutdown(self) -> None:
        """Let `serve` return. Any thread."""
        self._down.set()

    def _make_room(self, count: int) -> int:
        return self.front.places.make_room(count)

    def _pause(self, seconds: float) -> None:
        self.front.pause(seconds)

    def _turn_away(self, sock: socket.socket, peer: str) -> None:
        self._watch.turn_away("address")
        self._crowded(peer or "the Unix socket", self.front.places.share(peer))
        turn_away(sock)
