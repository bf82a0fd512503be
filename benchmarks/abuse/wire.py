"""A client that does as it likes: raw HTTP and WebSocket frames over a plain socket.

Client libraries send nothing that is wrong, read what arrives, and say goodbye. Here none of that
may happen by itself.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from typing import Any, ClassVar, Self

from benchmarks.crowd.frames import take
from benchmarks.crowd.http import joined

HOST = "127.0.0.1"
OTHER = "127.0.0.2"
"""Where those come from who are no attackers: on Linux all of 127.0.0.0/8 is this machine."""

WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"

CONTINUATION, TEXT, BINARY, CLOSE, PING = 0x0, 0x1, 0x2, 0x8, 0x9
FIN, RSV1 = 0x80, 0x40
"""Bits of a frame's first byte (RFC 6455, 5.2)."""

NORMAL, PROTOCOL_ERROR, POLICY_VIOLATION, TOO_BIG = "1000", "1002", "1008", "1009"
EOF, RST, OPEN = "EOF", "RST", "still open"
"""How a connection ended: the code of a close frame, or one of these, or ``HTTP 400``."""

RECEIVE = 65_536
PATIENCE = 20.0
"""Seconds for an answer that a server gives at once when it is well."""


class Ended(Exception):
    """The server ended the connection; `ending` is how."""

    def __init__(self, ending: str) -> None:
        super().__init__(ending)
        self.ending = ending


def frame(payload: bytes, first: int = FIN | TEXT, *, masked: bool = True) -> bytes:
    """Return a frame. The mask is all zeros: it changes nothing, and costs nothing."""
    bit, size = (0x80, len(payload)) if masked else (0, len(payload))
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    return head + bytes(4 if masked else 0) + payload


def close_frame(code: str = NORMAL) -> bytes:
    """Return a close frame."""
    return frame(struct.pack("!H", int(code)), FIN | CLOSE)


def event(name: str, *arguments: Any, ack: int | None = None) -> bytes:
    """Return the frame of a Socket.IO event."""
    number = "" if ack is None else str(ack)
    return frame(f"42{number}{json.dumps([name, *arguments])}".encode())


def handshake(port: int, path: str = WEBSOCKET, headers: str = "") -> bytes:
    """Return the request that opens a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Version: 13\r\n{headers}\r\n"
    ).encode()


class Client:
    """A TCP connection. Closing it is up to whoever made it."""

    sent: ClassVar[int] = 0
    """Bytes that all of them have sent."""

    def __init__(self, sock: socket.socket, port: int) -> None:
        self.sock = sock
        self.port = port
        self.sid = ""
        self._buffer = bytearray()

    @classmethod
    async def connect(
        cls, port: int, receive_buffer: int | None = None, source: str | None = None
    ) -> Self:
        """Connect, and send nothing.

        Args:
            port: of the server.
            receive_buffer: in bytes; None: the system's choice.
            source: the address to come from, any of 127.0.0.0/8 on Linux; None: 127.0.0.1.

        """
        sock = socket.socket()
        sock.setblocking(False)
        try:
            if receive_buffer:  # before connecting: it decides the window that is offered
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if source:
                sock.bind((source, 0))
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.sock_connect(sock, (HOST, port)), PATIENCE)
        except BaseException:
            sock.close()
            raise
        return cls(sock, port)

    @classmethod
    async def open(
        cls,
        port: int,
        receive_buffer: int | None = None,
        source: str | None = None,
        headers: str = "",
    ) -> Self:
        """Connect, and complete the handshakes of WebSocket, Engine.IO and Socket.IO.

        Raises:
            Ended: the server refused; the ending has the HTTP status, or how it closed.

        """
        client = await cls.connect(port, receive_buffer, source)
        try:
            await client.upgrade(headers=headers)
            await client.take_open()
            await client.send(frame(b"40"))
            await client.wait_for(b"40")
        except BaseException:
            client.close()
            raise
        return client

    async def send(self, data: bytes) -> None:
        """Send, however long the server takes to read it.

        Raises:
            Ended: the server has ended the connection.

        """
        try:
            await asyncio.get_running_loop().sock_sendall(self.sock, data)
            Client.sent += len(data)
        except OSError:
            raise Ended(RST) from None

    async def upgrade(self, path: str = WEBSOCKET, headers: str = "") -> str:
        """Open a WebSocket; return the head of the answer, in lower case.

        Raises:
            Ended: the server refused; the ending has the HTTP status.

        """
        await self.send(handshake(self.port, path, headers))
        async with asyncio.timeout(PATIENCE):
            head = await self.take_head()
        status = head.split(" ", 2)[1]
        if status != "101":
            raise Ended(f"HTTP {status}")
        return head

    async def take_open(self) -> None:
        """Wait for Engine.IO's first packet, and take the session's id from it."""
        payload = await self.wait_for(b"0")
        self.sid = json.loads(payload[1:])["sid"]

    async def receive(self) -> bytes:
        """Return the payload of the next message.

        Raises:
            Ended: the server ended the connection.

        """
        while True:
            while (taken := self._take()) is None:
                await self._more()
            opcode, payload = taken
            if opcode == CLOSE:
                raise Ended(str(struct.unpack("!H", payload[:2])[0]) if payload else "no code")
            return payload

    async def wait_for(self, prefix: bytes, seconds: float = PATIENCE) -> bytes:
        """Return the next message that begins with `prefix`; the others are thrown away."""
        async with asyncio.timeout(seconds):
            while not (payload := await self.receive()).startswith(prefix):
                pass
        return payload

    async def ending(self, seconds: float = PATIENCE) -> str:
        """Read until the server ends the connection, `seconds` at most; return how it ended."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.receive()
        except Ended as ended:
            return ended.ending
        except TimeoutError:
            return OPEN

    async def take_answer(self) -> tuple[int, bytes]:
        """Wait for the answer to a plain request; return status and body.

        Not until the end of the connection: it is kept alive for the next request.
        """
        head = await self.take_head()
        status = int(head.split(" ", 2)[1])
        if "transfer-encoding: chunked" in head:
            while not self._buffer.endswith(b"0\r\n\r\n"):
                await self._more()
            return status, joined(bytes(self._buffer))
        found = re.search(r"content-length: (\d+)", head)
        while len(self._buffer) < int(found[1] if found else 0):
            await self._more()
        return status, bytes(self._buffer)

    def reset(self) -> None:
        """Close with RST in the place of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close, without a word. Doing it again does nothing."""
        self.sock.close()

    async def take_head(self) -> str:
        """Wait for the head of an answer; return it in lower case."""
        while (end := self._buffer.find(b"\r\n\r\n") + 4) < 4:
            await self._more()
        head = self._buffer[:end].decode("latin-1").lower()
        del self._buffer[:end]
        return head

    async def _more(self) -> None:
        try:
            data = await asyncio.get_running_loop().sock_recv(self.sock, RECEIVE)
        except OSError:
            raise Ended(RST) from None
        if not data:
            raise Ended(EOF)
        self._buffer += data

    def _take(self) -> tuple[int, bytes] | None:
        """Return opcode and payload of the next frame, if it is there."""
        return next(take(self._buffer), None)
