"""A server in this process, with the hand-off, for tests that need both sides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from flask_socketio import SocketIO
from werkzeug.serving import make_server

import textstream.transport
from tests.transport.feature_app import Record, make_app
from tests.transport.poll_client import PollClient
from tests.transport.raw import RawWebSocket
from textstream.transport.bounds import Bounds, OnOversized
from textstream.transport.driver import Transport
from textstream.transport.http.bodies import Bodies
from textstream.transport.http.door import Threshold
from textstream.transport.http.express import Express
from textstream.transport.http.front import Front
from textstream.transport.http.listener import listen
from textstream.transport.http.places import Places


@dataclass
class LocalServer:
    """A server and what its app saw."""

    url: str
    port: int
    socketio: SocketIO
    transport: Transport
    record: Record


StartLocal = Callable[..., LocalServer]
Served = tuple[int, Callable[[], None]]
"""A port, and what ends serving on it."""


def serve_werkzeug(app: Any, _transport: Transport) -> Served:
    """Serve an application on Werkzeug's server."""
    httpd = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()

    def stop() -> None:
        httpd.shutdown()
        thread.join()
        httpd.server_close()

    return httpd.server_port, stop


class _Routes:
    """All requests to Engine.IO are for it."""

    def is_socket_io(self, environ: dict[str, Any]) -> bool:
        return str(environ["PATH_INFO"]).startswith("/socket.io/")

    def is_health(self, _: dict[str, Any]) -> bool:
        return False

    def address_of(self, environ: dict[str, Any]) -> str:
        return str(environ["REMOTE_ADDR"])


def serve_front(app: Any, transport: Transport, *, express: bool = False) -> Served:
    """Serve an application with the front, in the transport's reactor."""

    def opening(environ: dict[str, Any], threshold: Threshold) -> bool:
        environ["flask.app"] = app
        return transport.opening(environ, threshold)

    listener = listen("127.0.0.1", 0)
    front = Front(
        listener,
        app,
        reactor=transport.reactor,
        places=Places(),
        bodies=Bodies(1 << 20),
        routes=_Routes(),
        express=partial(Express, "/socket.io/", opening) if express else None,
        turn_away=lambda sock, _: sock.close(),
    )
    front.start()
    return listener.getsockname()[1], lambda: front.close(time.monotonic() + 5.0)


@pytest.fixture
def start_local() -> Iterator[StartLocal]:
    """Start servers, on Werkzeug or on the front; they are stopped after the test."""
    closers: list[Callable[[], None]] = []

    def start(
        bounds: Bounds | None = None,
        on_oversized: OnOversized | None = None,
        *,
        on_front: bool = False,
        express: bool = False,
        **options: Any,
    ) -> LocalServer:
        record = Record()
        app, socketio = make_app(record, **options)
        transport = textstream.transport.install(socketio, bounds=bounds, on_oversized=on_oversized)
        assert transport
        serve = partial(serve_front, express=express) if on_front else serve_werkzeug
        port, stop = serve(app, transport)

        def close() -> None:
            for session in list(socketio.server.eio.sockets.values()):
                session.close(wait=False)
            socketio.server.eio.shutdown()
            stop()
            transport.close()

        closers.append(close)
        return LocalServer(f"http://127.0.0.1:{port}", port, socketio, transport, record)

    yield start
    for close in closers:
        close()


@pytest.fixture
def local(start_local: StartLocal) -> LocalServer:
    """A server with the options that everybody has."""
    return start_local()


Dial = Callable[..., RawWebSocket]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Open raw WebSockets; closed after the test."""
    opened: list[RawWebSocket] = []

    def make(server: LocalServer, *, connected: bool = True, **options: Any) -> RawWebSocket:
        ws = RawWebSocket(server.port, **options)
        opened.append(ws)
        if connected:
            ws.connect()
        return ws

    yield make
    for ws in opened:
        ws.close()


DialPolling = Callable[..., PollClient]


@pytest.fixture
def dial_polling() -> Iterator[DialPolling]:
    """Connect clients that poll; closed after the test."""
    opened: list[PollClient] = []

    def make(server: LocalServer, **options: Any) -> PollClient:
        opened.append(PollClient(server.port, server.socketio.server.eio.sockets, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
