"""Clients that ask by hand: under a name of their choice, and to read a refusal whole."""

from __future__ import annotations

import json
import socket
from typing import Any, Protocol

import requests

from tests.transport.raw import RawWebSocket
from textstream.chaos.address import Address

POLLS = "/socket.io/?EIO=4&transport=polling"
ROUTES = ("/", "/app/", "/lab/", "/healthz", "/api/sources", "/api/connection", "/nowhere", POLLS)
TOKEN = "the-token-of-the-tests"


class Server(Protocol):
    """One that runs."""

    url: str

    @property
    def address(self) -> Address: ...


HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def shake_hands(server: Server, host: str, path: str = "/socket.io/") -> str:
    """Ask for a WebSocket under a name; return the status."""
    target = f"{path}?EIO=4&transport=websocket"
    with socket.create_connection(server.address, 20) as sock:
        sock.sendall(HANDSHAKE.format(path=target, host=host).encode())
        return sock.recv(4096).split()[1].decode()


def streams(client: Any) -> bool:
    """Return whether a client may start a stream, and gets its text."""
    assert client.call("start_stream", {"text": "abc", "rate": 0})["ok"]
    client.wait_for_event("stream_end")
    return bool(client.text == "abc")


def refusal(
    server: Server, transport: str, auth: Any = None, host: str | None = None, **more: str
) -> dict[str, Any]:
    """Connect, and return the error of the CONNECT_ERROR."""
    packet = "40" + (json.dumps(auth) if auth is not None else "")
    if transport == "polling":
        headers = more | ({"Host": host} if host else {})
        with requests.Session() as http:
            http.headers.update(headers)
            opened = http.get(server.url + POLLS, timeout=20)
            url = f"{server.url}{POLLS}&sid={json.loads(opened.text[1:])['sid']}"
            http.post(url, data=packet, timeout=20)
            said = http.get(url, timeout=20).text
    else:
        lines = "".join(f"{name}: {value}\r\n" for name, value in more.items())
        ws = RawWebSocket(server.address[1], headers=lines, host=host)
        try:
            messages = ws.messages()
            assert next(messages).startswith("0{")
            ws.send(packet)
            said = next(messages)
        finally:
            ws.close()
    assert said.startswith("44"), said
    error: dict[str, Any] = json.loads(said[2:])["data"]
    return error
