"""The short way of a handshake that has come whole, and what it leaves to the long one."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.transport.test_handshake import lines
from textstream.transport.http.door import Threshold
from textstream.transport.http.environ import Environ
from textstream.transport.http.express import Express

WHOLE = lines({})
NAME = ("127.0.0.1", "5000")


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


class Taker:
    """Opens what it is given."""

    def __init__(self) -> None:
        self.opened: list[tuple[Environ, Threshold]] = []
        self.takes = True

    def open(self, environ: Environ, threshold: Threshold) -> bool:
        self.opened.append((environ, threshold))
        return self.takes


@pytest.mark.parametrize("rest", [b"", b"\x81\x82\1\2\3\4", b"\r\n\r\n"])
def test_a_whole_handshake_is_opened_with_what_came_behind_it(
    sock: socket.socket, rest: bytes
) -> None:
    taker = Taker()
    assert Express("/socket.io/", taker.open, NAME).take(sock, "10.1.2.3", 77, WHOLE + rest)
    ((environ, threshold),) = taker.opened
    assert environ["PATH_INFO"] == "/socket.io/"
    assert environ["HTTP_UPGRADE"] == "websocket"
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("10.1.2.3", "77")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == NAME
    assert environ["wsgi.input"].read() == b""
    assert (threshold.sock, threshold.rest) == (sock, rest)


@pytest.mark.parametrize(
    "data",
    [
        WHOLE[:-1],
        WHOLE[:20],
        WHOLE.replace(b"GET /socket.io/", b"GET /other/"),
        WHOLE.replace(b"GET /", b"POST /"),
        b"\r\n" + WHOLE,
        WHOLE.replace(b"HTTP/1.1", b"HTTP/3.1"),
        WHOLE.replace(b"Host: ", b"Host : "),
        WHOLE.replace(b"Host: ", b"Content-Length: 5\r\nHost: "),
        WHOLE.replace(b"Host: ", b"Transfer-Encoding: chunked\r\nHost: "),
        WHOLE.replace(b"\r\n", b"\n"),
    ],
    ids=[
        *("without its end", "its beginning", "another path", "another method", "an empty line"),
        *("another version", "a bad field", "a body", "chunks", "bare LF"),
    ],
)
def test_whatever_else_takes_the_long_way(sock: socket.socket, data: bytes) -> None:
    taker = Taker()
    assert not Express("/socket.io/", taker.open, NAME).take(sock, "", 0, data)
    assert not taker.opened
    assert sock.fileno() >= 0


def test_what_is_not_opened_takes_the_long_way(sock: socket.socket) -> None:
    taker = Taker()
    taker.takes = False
    assert not Express("/socket.io/", taker.open, NAME).take(sock, "", 0, WHOLE)
    assert sock.fileno() >= 0


def test_where_opening_fails_the_connection_is_closed(
    sock: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_environ: Environ, _threshold: Threshold) -> bool:
        raise RuntimeError("while it was opened")

    assert Express("/socket.io/", fail, NAME).take(sock, "", 0, WHOLE)
    assert sock.fileno() < 0
    assert "RuntimeError" in caplog.text
