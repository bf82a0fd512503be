"""A client that polls, one connection for each request, and what its server is doing meanwhile."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from engineio.packet import MESSAGE, Packet

from tests.support.timing import patient
from textstream.transport.reactor import Reactor
from textstream.transport.session import Session

PATIENCE = patient(10.0)


def until(true: Callable[[], Any]) -> None:
    deadline = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if true():
            return
        deadline.wait(0.005)
    raise AssertionError("it has not come to that")


@dataclass
class Answer:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    text: str
    body: bytes


class PollClient:
    """A client of one session, with a connection for each request."""

    def __init__(self, port: int, sessions: Any, *, headers: str = "", receive: int = 0) -> None:
        self._port = port
        self._headers = headers
        self._receive = receive
        self._open: list[socket.socket] = []
        self.query = "EIO=4&transport=polling"
        opened = json.loads(self.poll().text[1:])
        self.sid = str(opened["sid"])
        self.query += f"&sid={self.sid}"
        self.session: Session = sessions[self.sid]
        assert self.post("40").status == 200
        self.sio_sid = json.loads(self.poll().text[2:])["sid"]

    def begin(self, method: str = "GET", body: bytes = b"", *, more: str = "") -> socket.socket:
        """Send a request."""
        sock = socket.socket()
        self._open.append(sock)
        if self._receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self._port))
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        sock.sendall(
            f"{method} /socket.io/?{self.query} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"{self._headers}{more}{length}\r\n".encode()
            + body
        )
        return sock

    def wait(self, **options: Any) -> socket.socket:
        """Poll, and return when that waits."""
        sock = self.begin(**options)
        until(lambda: self.session._polling)
        until(lambda: not request_threads())
        return sock

    def poll(self, **options: Any) -> Answer:
        """Poll once."""
        return read(self.begin(**options))

    def post(self, *packets: str) -> Answer:
        """Send packets."""
        return read(self.begin("POST", "\x1e".join(packets).encode()))

    def send(self, data: str) -> None:
        """Have the server send a message."""
        self.session.send(Packet(MESSAGE, data))

    def close(self) -> None:
        """Close what is open."""
        for sock in self._open:
            sock.close()


def read(sock: socket.socket) -> Answer:
    response = HTTPResponse(sock)
    response.begin()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    text = "" if "content-encoding" in headers else body.decode()
    return Answer(response.status, headers, text, body)


def request_threads() -> list[threading.Thread]:
    """Return the threads of the WSGI server that are at a request."""
    return [one for one in threading.enumerate() if "process_request_thread" in one.name]


@contextmanager
def stopped(reactor: Reactor) -> Iterator[None]:
    """Stop a reactor for a while."""
    there, go = threading.Event(), threading.Event()

    def stop() -> None:
        there.set()
        go.wait(PATIENCE)

    reactor.call_soon(stop)
    assert there.wait(PATIENCE)
    yield
    go.set()
