"""Plain HTTP requests, on a connection that is kept where the server keeps it."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable
from time import perf_counter

from benchmarks.crowd.loop import Loop
from benchmarks.crowd.reader import connecting

RECEIVE = 65_536
NO_ANSWER = 0
"""In the place of a status: the connection ended without."""

Answered = Callable[[int, bytes], None]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")


def request(port: int, target: str, body: bytes | None = None, *, close: bool = False) -> bytes:
    """Return a request as bytes: GET, or with a body POST."""
    method = "GET" if body is None else "POST"
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    if body is not None:
        lines += ["Content-Type: text/plain;charset=UTF-8", f"Content-Length: {len(body)}"]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class Line:
    """A connection for one request after the other, made anew when the server has closed it."""

    def __init__(self, loop: Loop, port: int) -> None:
        self._loop = loop
        self._port = port
        self._sock: socket.socket | None = None
        self._buffer = bytearray()
        self._waiting: Answered | None = None
        self._request = b""
        self._is_new = True

    def ask(self, data: bytes, answered: Answered) -> None:
        """Make a request. There must be none that waits.

        Args:
            data: head and body.
            answered: called with status (`NO_ANSWER`: none) and body.

        """
        assert self._waiting is None
        self._request, self._waiting = data, answered
        if self._sock is None:
            self._connect()
        else:
            self._is_new = False
            self._send()

    def close(self) -> None:
        """Close, without a word."""
        self._waiting = None
        if self._sock is not None:
            self._loop.forget(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _connect(self) -> None:
        self._is_new = True
        try:
            self._sock = connecting(self._port)
        except OSError:
            self._answer(NO_ANSWER, b"")
            return
        self._loop.watch(self._sock.fileno(), self._connected, writable=True)

    def _connected(self) -> None:
        assert self._sock is not None
        self._loop.watch(self._sock.fileno(), self._read)
        self._send()

    def _send(self) -> None:
        assert self._sock is not None
        with contextlib.suppress(OSError):  # the end is read
            self._sock.send(self._request)

    def _read(self) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._buffer += data
        if data:
            self._take(ended=False)
        elif self._buffer:
            self._take(ended=True)
        else:
            self._over()

    def _over(self) -> None:
        """Take it that the server has closed: an idle line, or one that had just been asked."""
        waiting, is_new = self._waiting, self._is_new
        self.close()
        self._waiting = waiting
        if waiting and is_new:
            self._answer(NO_ANSWER, b"")
        elif waiting:
            self._connect()

    def _take(self, *, ended: bool) -> None:
        head, complete, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        head = head.lower()
        if not complete:
            body = b"" if ended else None
        elif b"\r\ntransfer-encoding: chunked" in head:
            body = joined(rest) if rest.endswith(b"0\r\n\r\n") else None
        elif found := _LENGTH.search(head):
            body = rest if len(rest) >= int(found[1]) else None
        else:
            body = rest if ended else None
        if body is None and not ended:
            return
        self._buffer.clear()
        waiting = self._waiting
        if ended or b"\r\nconnection: close" in head or head.startswith(b"http/1.0"):
            self.close()
            self._waiting = waiting
        self._answer(NO_ANSWER if body is None else int(head[9:12] or NO_ANSWER), body or b"")

    def _answer(self, status: int, body: bytes) -> None:
        answered, self._waiting = self._waiting, None
        if answered:
            answered(status, body)


def joined(data: bytes) -> bytes:
    """Return a chunked body without its sizes (RFC 9112, 7.1)."""
    body = b""
    while data:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        body, data = body + data[:size], data[size + 2 :]
    return body


class Health:
    """Somebody who asks for ``/healthz`` beside, each time on a connection of its own."""

    EVERY = 0.05
    OK = 200

    def __init__(self, loop: Loop, port: int) -> None:
        """Begin."""
        self.seconds: list[float] = []
        self.refused = 0
        self._loop = loop
        self._port = port
        self._open: dict[Line, float] = {}
        self._request = request(port, "/healthz", close=True)
        self._is_over = False
        self._ask()

    def _ask(self) -> None:
        if self._is_over:
            return
        line = Line(self._loop, self._port)
        self._open[line] = perf_counter()

        def answered(status: int, _: bytes) -> None:
            self.seconds.append(perf_counter() - self._open.pop(line))
            self.refused += status != self.OK
            line.close()

        line.ask(self._request, answered)
        self._loop.at(perf_counter() + self.EVERY, self._ask)

    def end(self) -> None:
        """End; what is not answered yet counts as answered now."""
        self._is_over = True
        for line, asked in self._open.items():
            self.seconds.append(perf_counter() - asked)
            line.close()
        self._open.clear()
