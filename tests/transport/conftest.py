"""A server in this process, with the hand-off, for tests that need both sides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass
class LocalServer:
    """A server and what its app saw."""

    url: str
    port: int
    socketio: SocketIO
    transport: Transport
    record: Record


StartLocal = Callable[..., LocalServer]


@pytest.fixture
def start_local() -> Iterator[StartLocal]:
    """Start servers on Werkzeug; they are stopped after the test."""
    closers: list[Callable[[], None]] = []

    def start(
        bounds: Bounds | None = None, on_oversized: OnOversized | None = None, **options: Any
    ) -> LocalServer:
        record = Record()
        app, socketio = make_app(record, **options)
        transport = textstream.transport.install(socketio, bounds=bounds, on_oversized=on_oversized)
        assert transport
        httpd = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()

        def close() -> None:
            for session in list(socketio.server.eio.sockets.values()):
                session.close(wait=False)
            socketio.server.eio.shutdown()
            httpd.shutdown()
            thread.join()
            httpd.server_close()
            transport.close()

        closers.append(close)
        port = httpd.server_port
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
