"""A front in this process, around a WSGI application of a test, and clients of bytes for it."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any

from tests.sources.waiting import wait_until
from tests.support.clock import ManualClock
from tests.support.timing import patient
from textstream.transport.http.bodies import Bodies
from textstream.transport.http.front import Front
from textstream.transport.http.listener import listen
from textstream.transport.http.places import Places
from textstream.transport.http.wsgi import WsgiApp
from textstream.transport.reactor import Reactor

TIMEOUT = patient(20.0)

SAID = b"here you are"

MAX_BODY = 100_000


class App:
    """Answers each request with what it has got; one for ``/slow`` when it may."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may = threading.Event()
        self.environs: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        self.environs.append(environ)
        if environ["PATH_INFO"] == "/slow":
            self.begun.release()
            self.may.wait(TIMEOUT)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body or SAID]


class TestRoutes:
    """``/healthz`` is the health check; nothing is for Engine.IO."""

    __test__ = False

    def is_socket_io(self, environ: dict[str, Any]) -> bool:
        return bool(environ["PATH_INFO"] == "/socket.io/")

    def is_health(self, environ: dict[str, Any]) -> bool:
        return bool(environ["PATH_INFO"] == "/healthz")

    def address_of(self, environ: dict[str, Any]) -> str:
        return str(environ["REMOTE_ADDR"])


class Client:
    """A connection that sends what a test wants, and reads answers."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._file = sock.makefile("rb")  # for all answers: it reads ahead

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def get(self, path: str = "/", *lines: str, version: str = "HTTP/1.1") -> None:
        fields = "".join(f"{line}\r\n" for line in lines)
        self.send(f"GET {path} {version}\r\nHost: localhost\r\n{fields}\r\n".encode())

    def answer(self, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
        """Read one answer: status, body, and fields in lower case."""
        response = HTTPResponse(_Unclosed(self._file), method=method)  # type: ignore[arg-type]
        response.begin()
        fields = {name.lower(): value for name, value in response.getheaders()}
        body = response.read()
        response.close()
        return response.status, body, fields

    def ask(self, path: str = "/", *lines: str) -> tuple[int, bytes, dict[str, str]]:
        self.get(path, *lines)
        return self.answer()

    def rest(self) -> bytes:
        """Read to the end of the connection, which must be none of a reset."""
        return self._file.read()

    def close(self) -> None:
        self._file.close()
        self.sock.close()

    def reset(self) -> None:
        """End the connection with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


class _Unclosed:
    """What a response takes for its socket, and does not close."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def makefile(self, _mode: str) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def close(self) -> None:
        """Stay open for the next answer."""


@dataclass
class Serving:
    """A front that serves."""

    front: Front
    reactor: Reactor
    clock: ManualClock
    address: Any
    turned_away: list[str] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    def connect(self, source: str = "127.0.0.1", *, buffer: int | None = None) -> Client:
        """Connect from an address of loopback."""
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        sock = socket.socket(family)
        client = Client(sock)
        self.clients.append(client)
        sock.settimeout(TIMEOUT)
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        if family == socket.AF_INET:
            sock.bind((source, 0))
        sock.connect(self.address)
        return client

    def wait_for(self, **phases: int) -> None:
        """Wait until so many connections are in these phases."""
        wait_until(lambda: phases.items() <= self.front.deadlines.counts().items())

    def settle(self) -> None:
        """Wait until the reactor has done what it was asked to."""
        done = threading.Event()
        self.reactor.call_soon(done.set)
        assert done.wait(TIMEOUT)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.settle()
        self.clock.advance(seconds)
        self.settle()


ServingMaker = Callable[..., Serving]


@contextmanager
def serving(
    app: WsgiApp,
    *,
    host: str = "127.0.0.1",
    places: Places | None = None,
    **options: Any,
) -> Iterator[Serving]:
    """Serve `app` with a front; what it has left at the end is looked for."""
    clock = ManualClock()
    reactor = Reactor(clock)
    listener = listen(host, 0)
    turned_away: list[str] = []

    def turn_away(sock: socket.socket, peer: str) -> None:
        turned_away.append(peer)
        sock.close()

    front = Front(
        listener,
        app,
        reactor=reactor,
        places=places or Places(),
        bodies=options.pop("bodies", Bodies(MAX_BODY)),
        routes=options.pop("routes", TestRoutes()),
        turn_away=turn_away,
        **options,
    )
    one = Serving(front, reactor, clock, listener.getsockname(), turned_away)
    front.start()
    try:
        yield one
        for client in one.clients:
            client.close()
        front.stop()
        wait_until(lambda: front.settled)
        one.advance(61)  # those that are kept alive have not found out yet
        wait_until(lambda: not front.places.counts()["connections"])
        assert not any(front.deadlines.counts().values())
        assert front.places.counts() == dict.fromkeys(front.places.counts(), 0)
    finally:
        for client in one.clients:
            client.close()
        front.close(time.monotonic() + TIMEOUT)
        reactor.close()
