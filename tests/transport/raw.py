"""A WebSocket client that sends whatever bytes a test wants, also wrong ones."""

from __future__ import annotations

import base64
import os
import socket
import struct
from collections.abc import Iterator

OPCODES = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10, "continuation": 0}


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """Return a frame as a client sends it; a mask of zeros changes nothing."""
    first = (0x80 if fin else 0) | rsv | opcode
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first, 0xFE, size)
    else:
        head = struct.pack("!BBQ", first, 0xFF, size)
    return head + bytes(4) + payload


class RawWebSocket:
    """Past the HTTP handshake once made; Engine.IO's first packet is read."""

    def __init__(
        self,
        port: int,
        *,
        headers: str = "",
        receive_buffer: int | None = None,
        sid: str = "",
        source: str = "127.0.0.1",
        host: str | None = None,
    ) -> None:
        self.sock = socket.socket()
        self.sock.bind((source, 0))
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(20)
        self.sock.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket{sid and '&sid=' + sid} HTTP/1.1\r\n"
            f"Host: {host or f'127.0.0.1:{port}'}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n{headers}\r\n".encode()
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.sock.recv(4096)
        head, _, rest = received.partition(b"\r\n\r\n")
        self.response = head.decode()
        self.was_reset = False
        self._received = bytearray(rest)

    def send_frame(
        self, kind: str, payload: bytes = b"", *, fin: bool = True, rsv: int = 0
    ) -> None:
        """Send one masked frame."""
        self.sock.sendall(frame(OPCODES[kind], payload, fin=fin, rsv=rsv))

    def send(self, text: str) -> None:
        """Send a text message."""
        self.send_frame("text", text.encode())

    def connect(self) -> str:
        """Send a CONNECT; return what the server says to it.

        On a busy machine a ping may come before, which must be answered.
        """
        self.send("40")
        for message in self.messages():
            if message.startswith("4"):
                return message
            if message == "2":
                self.send("3")
        raise AssertionError("closed without an answer to CONNECT")

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of each frame, until the server closes."""
        while True:
            while (one := self._next_frame()) is not None:
                yield one
            try:
                data = self.sock.recv(65_536)
            except ConnectionResetError:
                self.was_reset = True
                return
            if not data:
                return
            self._received += data

    def messages(self) -> Iterator[str]:
        """Yield the text messages."""
        for opcode, payload in self.frames():
            if opcode == OPCODES["text"]:
                yield payload.decode()

    def arrived(self) -> list[tuple[int, bytes]] | None:
        """Return the frames that have arrived, of a socket that does not block; None: it ended."""
        try:
            data = self.sock.recv(65_536)
        except BlockingIOError:
            data = b""
        except ConnectionResetError:
            return None
        else:
            if not data:
                return None
        self._received += data
        return list(iter(self._next_frame, None))

    def close_code(self) -> int:
        """Read to the server's close frame; return its code."""
        for opcode, payload in self.frames():
            if opcode == OPCODES["close"]:
                return int(struct.unpack("!H", payload[:2])[0])
        raise AssertionError("closed without a close frame")

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()

    def _next_frame(self) -> tuple[int, bytes] | None:
        data = self._received
        if len(data) < 2:
            return None
        size, head = data[1] & 0x7F, 2
        if size == 126 and len(data) >= 4:
            size, head = struct.unpack("!H", data[2:4])[0], 4
        elif size == 127 and len(data) >= 10:
            size, head = struct.unpack("!Q", data[2:10])[0], 10
        elif size >= 126:
            return None
        if len(data) < head + size:
            return None
        opcode, payload = data[0] & 0x0F, bytes(data[head : head + size])
        del data[: head + size]
        return opcode, payload
