"""A Socket.IO client reduced to its packets, over WebSocket or polling. It never reconnects.

It does what the library's clients do not: leave without a word, read format ``char``, be wrong.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections import deque
from typing import Any, Literal, Protocol

import requests
import websocket

from textstream.client.http_session import ClosingAdapter

Transport = Literal["websocket", "polling"]

TIMEOUT = 10.0
"""Seconds for the server to say something; its heartbeat is shorter than that."""

PING, PONG, CLOSE, CONNECT, EVENT, ACK = "2", "3", "1", "40", "42", "43"
SEPARATOR = "\x1e"

Event = tuple[str, Any]


class Cut(Exception):
    """The connection is over."""


class Wire(Protocol):
    """Carries Engine.IO packets. Each method raises `Cut` when the connection is over."""

    def send(self, packet: str) -> None: ...

    def receive(self) -> list[str]: ...

    def close(self, *, rudely: bool) -> None: ...


class WebSocketWire:
    """One packet a message."""

    def __init__(self, url: str) -> None:
        address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        try:
            self._socket = websocket.create_connection(address, timeout=TIMEOUT)
        except (OSError, websocket.WebSocketException) as error:
            raise Cut(type(error).__name__) from None

    def send(self, packet: str) -> None:
        try:
            self._socket.send(packet)
        except (OSError, websocket.WebSocketException) as error:
            raise Cut(type(error).__name__) from None

    def receive(self) -> list[str]:
        try:
            message = self._socket.recv()
        except (OSError, websocket.WebSocketException) as error:
            raise Cut(type(error).__name__) from None
        if not message:
            raise Cut("closed")
        return [str(message)]

    def close(self, *, rudely: bool) -> None:
        if rudely and self._socket.sock:
            linger = struct.pack("ii", 1, 0)  # on, for 0 s: close(2) sends a reset
            self._socket.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.shutdown()  # type: ignore[no-untyped-call]


class PollingWire:
    """Many packets an answer, each request over a connection that is kept."""

    def __init__(self, url: str) -> None:
        self._http = requests.Session()
        self._http.mount("http://", ClosingAdapter())
        self._url = f"{url}/socket.io/?EIO=4&transport=polling"
        try:
            self._url += "&sid=" + json.loads(self._request("GET")[1:])["sid"]
        except BaseException:
            self._http.close()
            raise

    def send(self, packet: str) -> None:
        self._request("POST", packet)

    def receive(self) -> list[str]:
        return self._request("GET").split(SEPARATOR)

    def close(self, *, rudely: bool) -> None:
        if not rudely:
            with contextlib.suppress(Cut):
                self.send(CLOSE)
        self._http.close()

    def _request(self, method: str, body: str = "") -> str:
        headers = {"Content-Type": "text/plain; charset=UTF-8"}
        try:
            answer = self._http.request(
                method, self._url, data=body.encode(), headers=headers, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise Cut(type(error).__name__) from None
        if answer.status_code != 200:
            raise Cut(f"HTTP {answer.status_code}")
        if not answer.content:
            # http.client takes a head that was cut for a complete one, of an answer without body.
            raise Cut("in the head of an answer")
        return answer.content.decode()


class BareClient:
    """Connected to the namespace once made. A context manager: says goodbye."""

    def __init__(
        self, url: str, transport: Transport = "websocket", client_key: str | None = None
    ) -> None:
        """Connect; `client_key` is what the client is known by, on this connection and others.

        Raises:
            Cut: the connection was cut meanwhile.

        """
        self.wire: Wire = WebSocketWire(url) if transport == "websocket" else PollingWire(url)
        self._packets: deque[str] = deque()
        self._asked = 0
        try:
            auth = "" if client_key is None else json.dumps({"client_key": client_key})
            self.wire.send(CONNECT + auth)
            while not self._next_packet().startswith(CONNECT):
                pass
        except BaseException:
            self.wire.close(rudely=True)
            raise

    def __enter__(self) -> BareClient:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.wire.close(rudely=False)

    def emit(self, event: str, payload: object = None) -> str:
        """Send an event; return the name that `next_event` gives its answer: ``ack N``."""
        self._asked += 1
        arguments = [event] if payload is None else [event, payload]
        self.wire.send(f"{EVENT}{self._asked}{json.dumps(arguments, ensure_ascii=False)}")
        return f"ack {self._asked}"

    def next_event(self) -> Event:
        """Return the next event, or answer, with its first argument. Answers heartbeats."""
        while True:
            packet = self._next_packet()
            if packet == PING:
                self.wire.send(PONG)
            elif packet == CLOSE:
                raise Cut("closed by the server")
            elif packet.startswith((EVENT, ACK)):
                return _decoded(packet)

    def answer(self, event: str, payload: object = None) -> dict[str, Any]:
        """Send an event; return the answer, and drop what comes before it."""
        name = self.emit(event, payload)
        while True:
            came, data = self.next_event()
            if came == name:
                return dict(data)

    def _next_packet(self) -> str:
        while not self._packets:
            self._packets.extend(self.wire.receive())
        return self._packets.popleft()


def _decoded(packet: str) -> Event:
    start = packet.index("[")
    arguments = json.loads(packet[start:])
    if packet.startswith(ACK):
        return f"ack {packet[len(ACK) : start]}", arguments[0]
    return arguments[0], arguments[1] if len(arguments) > 1 else None
