"""Opening handshakes, right and wrong, on Flask-SocketIO's server and on a bare one."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Iterator
from http.client import HTTPMessage, HTTPResponse
from typing import Any

import pytest
import socketio

from tests.support.timing import patient
from tests.transport.conftest import StartLocal, serve_front, serve_werkzeug
from textstream.transport import install
from textstream.transport.handshake import Handshakes

pytestmark = pytest.mark.live

TIMEOUT = patient(10.0)
PATH = "/socket.io/?EIO=4&transport=websocket"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
FIELDS = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}

Fields = dict[str, str | None]


def lines(fields: Fields, *, version: str = "HTTP/1.1", target: str = PATH) -> bytes:
    """Return a handshake with some fields changed; None leaves one out."""
    kept = {name: value for name, value in {**FIELDS, **fields}.items() if value is not None}
    head = [f"GET {target} {version}", *(f"{name}: {value}" for name, value in kept.items())]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")


def twice(name: str, value: str) -> Fields:
    """Return a second line of a field: another case makes another name of it here."""
    return {name.upper(): value}


@pytest.fixture(
    params=[
        *("Flask-SocketIO", "bare", "Flask-SocketIO on the front", "bare on the front"),
        "Flask-SocketIO on the front, the short way",
    ]
)
def eio(request: pytest.FixtureRequest, start_local: StartLocal) -> Iterator[tuple[int, Any]]:
    """The port of a server, and its Engine.IO."""
    on_front, express = "front" in request.param, request.param.endswith("the short way")
    if request.param.startswith("Flask"):
        local = start_local(on_front=on_front, express=express)
        yield local.port, local.socketio.server.eio
        return
    bare = socketio.Server(async_mode="threading")
    transport = install(bare)
    assert transport
    serve = serve_front if on_front else serve_werkzeug
    port, stop = serve(socketio.WSGIApp(bare), transport)
    yield port, bare.eio
    bare.shutdown()
    stop()
    transport.close()


def ask(port: int, request: bytes) -> tuple[int, HTTPMessage, bytes]:
    """Send a request that is to be refused; return status, fields and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as sock:
        sock.sendall(request)
        with HTTPResponse(sock) as response:
            response.begin()
            return response.status, response.headers, response.read()


def masked(text: str) -> bytes:
    """Return a short text frame of a client."""
    return bytes((0x81, 0x80 | len(text))) + bytes(4) + text.encode()


WRONG_VERSIONS = (
    "8",
    "0",
    "7",
    "14",
    "99",
    "13.0",
    "013",
    "abc",
    "-13",
    "13, 8",
    "13,13",
    "",
    None,
)


@pytest.mark.parametrize("version", WRONG_VERSIONS)
def test_another_version_is_told_which_is_spoken(eio: tuple[int, Any], version: str | None) -> None:
    """RFC 6455, 4.2.2 and 4.4; of the fields that 426 must have, RFC 9110, 15.5.22 and 7.8."""
    status, fields, body = ask(eio[0], lines({"Sec-WebSocket-Version": version}))
    assert status == 426
    assert fields["Sec-WebSocket-Version"] == "13"
    assert fields["Upgrade"] == "websocket"
    assert "Upgrade" in fields.get_all("Connection", [])
    assert b"Sec-WebSocket-Version" in body
    assert not eio[1].sockets


WRONG: dict[str, tuple[bytes, bytes]] = {
    "no key": (lines({"Sec-WebSocket-Key": None}), b"Key is missing"),
    "empty key": (lines({"Sec-WebSocket-Key": ""}), b"Key is missing"),
    "key that is no base64": (lines({"Sec-WebSocket-Key": "not base64!"}), b"16 bytes in base64"),
    "key with other characters": (
        lines({"Sec-WebSocket-Key": KEY.replace("G", "_")}),
        b"16 bytes in base64",
    ),
    **{
        f"key of {size} bytes": (
            lines({"Sec-WebSocket-Key": base64.b64encode(bytes(size)).decode()}),
            b"16 bytes in base64",
        )
        for size in (8, 13, 15, 17, 20, 32)
    },
    "key without its padding": (lines({"Sec-WebSocket-Key": KEY[:-2]}), b"16 bytes in base64"),
    "two keys": (lines(twice("Sec-WebSocket-Key", KEY)), b"more than one Sec-WebSocket-Key"),
    "HTTP/1.0": (lines({}, version="HTTP/1.0"), b"proxy_http_version 1.1"),
    "HTTP/1.0, kept alive": (
        lines({"Connection": "keep-alive, Upgrade"}, version="HTTP/1.0"),
        b"proxy_http_version 1.1",
    ),
    "no Host": (lines({"Host": None}), b"Host is missing"),
    "two Hosts": (lines(twice("Host", "example.org")), b"Send it once."),
    "two equal Hosts": (lines(twice("Host", "localhost")), b"Send it once."),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_handshake_is_told_why(
    eio: tuple[int, Any], wrong: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    request, cure = wrong
    status, _, body = ask(eio[0], request)
    assert (status, cure in body) == (400, True), body
    assert not eio[1].sockets
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


RIGHT = {
    "as most clients": lines({}),
    "as Firefox": lines({"Connection": "keep-alive, Upgrade"}),
    "in other cases": lines({"Upgrade": "WebSocket", "Connection": "UPGRADE"}),
    "two Connections": lines({"Connection": "keep-alive", **twice("Connection", "Upgrade")}),
    "one of several upgrades": lines({"Upgrade": "h2c, websocket"}),
    "two Upgrades": lines({"Upgrade": "h2c", **twice("Upgrade", "websocket")}),
    "white space": lines({name: f" \t {value} \t " for name, value in FIELDS.items()}),
    "no white space": lines({}).replace(b": ", b":"),
    "a key with bits to spare": lines({"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAB=="}),
    "absolute target": lines({}, target=f"http://localhost{PATH}"),
}


@pytest.mark.parametrize(("on_front", "status"), [(False, b"101"), (True, b"400")])
def test_folded_fields_are_read_or_refused(
    start_local: StartLocal, on_front: bool, status: bytes
) -> None:
    """RFC 9112, 5.2, lets a server choose; the front takes nothing that can be read in two ways."""
    server = start_local(on_front=on_front)
    with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT) as sock:
        sock.sendall(lines({name: f"\r\n\t{value}" for name, value in FIELDS.items()}))
        assert sock.recv(12) == b"HTTP/1.1 " + status


@pytest.mark.parametrize("request_", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_a_handshake_works(eio: tuple[int, Any], request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", eio[0]), timeout=TIMEOUT) as sock:
        sock.sendall(request_)
        got = sock.recv(4096)
        while b"\r\n\r\n" not in got:
            got += sock.recv(4096)
        assert got.startswith(b"HTTP/1.1 101 ")
        assert (ACCEPT.encode() in got) == (KEY.encode() in request_)
        sock.sendall(masked("40"))
        while b"40{" not in got:
            part = sock.recv(4096)
            assert part, got
            got += part
        sock.sendall(b"\x88\x80\0\0\0\0")
        assert b"".join(iter(lambda: sock.recv(4096), b"")).endswith(b"\x88\x02\x03\xe8")


def test_a_poll_may_offer_what_it_likes(eio: tuple[int, Any]) -> None:
    """Without ``Connection: Upgrade`` or with another protocol it asks for no WebSocket."""
    polling = PATH.replace("websocket", "polling")
    for fields in ({"Upgrade": "h2c"}, {"Upgrade": None}):
        request = lines({**fields, "Sec-WebSocket-Version": None}, target=polling)
        status, _, body = ask(eio[0], request)
        assert status == 200
        assert json.loads(body[1:])["sid"]


def test_a_server_that_sends_no_upgrade_is_not_asked_to() -> None:
    """PEP 3333 forbids an application hop-by-hop fields, and some servers raise."""
    answers: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, fields: list[tuple[str, str]]) -> None:
        answers.append((status, dict(fields)))

    def never(*_: Any) -> list[bytes]:
        raise AssertionError("it is no handshake")

    environ = {
        "REQUEST_METHOD": "GET",
        "HTTP_HOST": "localhost",
        "HTTP_UPGRADE": "websocket",
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_SEC_WEBSOCKET_VERSION": "8",
    }
    (body,) = Handshakes(never)(environ, start_response)
    assert answers == [
        (
            "400 Bad Request",
            {
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Length": str(len(body)),
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
                "Sec-WebSocket-Version": "13",
            },
        )
    ]
