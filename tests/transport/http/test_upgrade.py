"""How a WebSocket leaves the front: after the 101 there is no HTTP on its connection."""

from __future__ import annotations

import gc
import socket
from typing import Any

import pytest
import socketio as client_library

from tests.sources.waiting import wait_until
from tests.transport.conftest import LocalServer, StartLocal
from tests.transport.raw import RawWebSocket, frame
from tests.transport.test_handshake import TIMEOUT, lines
from textstream.transport.connection import Connection
from textstream.transport.driver import Transport
from textstream.transport.http.connection import HttpConnection

CONNECT = frame(1, b"40")


@pytest.fixture(params=["the short way", "the long way"])
def local(start_local: StartLocal, request: pytest.FixtureRequest) -> LocalServer:
    return start_local(on_front=True, express=request.param == "the short way")


def received(sock: socket.socket, end: bytes) -> bytes:
    """Read until `end` has come."""
    data = b""
    while end not in data:
        part = sock.recv(4096)
        assert part, data
        data += part
    return data


def to_the_end(sock: socket.socket) -> bytes:
    data = b""
    try:
        while part := sock.recv(4096):
            data += part
    except ConnectionResetError:
        pass
    return data


@pytest.mark.parametrize("size", [1, 20, 400])
def test_a_handshake_in_pieces_and_what_follows_at_once(local: LocalServer, size: int) -> None:
    """The socket was watched for the front before it is for the WebSocket."""
    sent = lines({}) + CONNECT
    with socket.create_connection(("127.0.0.1", local.port), TIMEOUT) as sock:
        for at in range(0, len(sent), size):
            sock.sendall(sent[at : at + size])
        data = received(sock, b'40{"sid"')
    assert data.startswith(b"HTTP/1.1 101 ")
    assert data.count(b"HTTP/1.1") == 1


def test_a_handshake_behind_other_requests(local: LocalServer) -> None:
    with socket.create_connection(("127.0.0.1", local.port), TIMEOUT) as sock:
        sock.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + lines({}) + CONNECT)
        data = received(sock, b'40{"sid"')
    assert [data.count(b"HTTP/1.1 %d" % status) for status in (404, 101)] == [2, 1]


def test_a_refused_handshake_leaves_a_connection_that_goes_on(local: LocalServer) -> None:
    with socket.create_connection(("127.0.0.1", local.port), TIMEOUT) as sock:
        sock.sendall(lines({"Sec-WebSocket-Version": "8"}))
        assert received(sock, b"\n").startswith(b"HTTP/1.1 426 ")
        sock.sendall(lines({}))
        received(sock, b"HTTP/1.1 101 ")


@pytest.mark.parametrize("step", ["_take_over", "start"])
def test_what_fails_after_the_handshake_ends_the_connection_without_a_word(
    local: LocalServer,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("after the handshake")

    owner = Transport if step == "_take_over" else Connection
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, fail)
        with socket.create_connection(("127.0.0.1", local.port), TIMEOUT) as sock:
            sock.sendall(lines({}))
            data = to_the_end(sock)
    # On the short way nothing was sent yet.
    assert not data or data.startswith(b"HTTP/1.1 101 ")
    assert data.count(b"HTTP/1.1") <= 1, "a client would read it as frames"
    wait_until(lambda: not local.socketio.server.eio.sockets)
    wait_until(lambda: "RuntimeError" in caplog.text)
    assert "ValueError" not in caplog.text
    with RawWebSocketClosing(local.port) as ws:
        assert ws.response.startswith("HTTP/1.1 101")


class RawWebSocketClosing(RawWebSocket):
    def __enter__(self) -> RawWebSocketClosing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_a_client_that_resets_behind_its_handshake(local: LocalServer) -> None:
    for _ in range(20):
        sock = socket.create_connection(("127.0.0.1", local.port), TIMEOUT)
        sock.sendall(lines({}) + CONNECT)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    with RawWebSocketClosing(local.port):  # those before it were accepted
        pass
    wait_until(lambda: not local.socketio.server.eio.sockets)


def test_a_session_keeps_no_connection_of_http(local: LocalServer) -> None:
    before = {id(one) for one in connections()}  # a failed test's
    with RawWebSocketClosing(local.port) as ws:
        ws.send("40")
        next(ws.messages())
        wait_until(lambda: {id(one) for one in connections()} <= before)


def connections() -> list[HttpConnection]:
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is HttpConnection]


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
def test_the_library_s_client(local: LocalServer, transports: list[str]) -> None:
    with client_library.SimpleClient() as client:
        client.connect(f"http://127.0.0.1:{local.port}", transports=transports)
        assert client.transport == transports[-1]
        assert client.call("sum", (1, 2, 3), timeout=TIMEOUT)[0] == 6
