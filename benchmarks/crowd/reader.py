"""A client over WebSocket: a plain socket, and frames made by hand."""

from __future__ import annotations

import errno
import socket
import struct
import time

from benchmarks.crowd.frames import BYE, CHAR_FRAME, CHAR_HEAD, CLOSE, TEXT, masked, take
from benchmarks.crowd.loop import Loop
from benchmarks.crowd.session import Seen, Session

HOST = "127.0.0.1"
RECEIVE = 4096
WELL = {b"", b"\x03\xe8", b"\x03\xed"}
"""Codes of a close frame that say nothing is wrong: none, 1000, 1005 (as Node has it)."""

_LINGER = struct.pack("ii", 1, 0)


def connecting(port: int) -> socket.socket:
    """Return a socket that connects; it is writable when it has, or has failed.

    Raises:
        OSError: it cannot.

    """
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    code = sock.connect_ex((HOST, port))
    if code not in {0, errno.EINPROGRESS}:
        sock.close()
        raise OSError(code, errno.errorcode[code])
    return sock


class Reader(Session):
    """One connection."""

    __slots__ = ("_buffer", "_fd", "_loop", "_port", "_recv", "_sock", "_upgraded")

    def __init__(self, loop: Loop, port: int, seen: Seen, text: str = "") -> None:
        super().__init__(seen, text)
        self._loop = loop
        self._port = port
        self._buffer = bytearray()
        self._upgraded = False

    def open(self) -> None:
        """Connect."""
        self._asked = time.perf_counter()
        try:
            self._sock = connecting(self._port)
        except OSError as error:
            self._failed(f"connect: {error.strerror}")
            return
        self._fd, self._recv = self._sock.fileno(), self._sock.recv
        self._loop.watch(self._fd, self._upgrade, writable=True)

    def post(self, payload: bytes) -> None:
        """Send an Engine.IO packet."""
        self.send(masked(payload))

    def send(self, data: bytes) -> None:
        """Send what any socket takes at once; on one that is over, nothing."""
        try:
            self._sock.send(data)
        except OSError as error:
            self._seen.errors[f"send: {type(error).__name__}"] += 1

    def leave(self) -> None:
        """Say goodbye; the server closes."""
        self.send(BYE)

    def cut(self) -> None:
        """End the connection as a network does that has gone: with RST, and no word."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self._close()

    def _close(self) -> None:
        self._loop.forget(self._fd)
        self._sock.close()

    def _upgrade(self) -> None:
        self._loop.watch(self._fd, self._read)
        self.send(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % self._port
        )

    def _read(self) -> None:
        try:
            data = self._recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if len(data) == CHAR_FRAME and data.startswith(CHAR_HEAD) and not self._buffer:
            self.take_character(data[-3])
        elif data:
            self._buffer += data
            if self._upgraded or self._take_head():
                self._take_frames()
        else:
            self._close()
            if not self._upgraded:
                self._seen.errors["closed before it was open"] += 1
            self.on_gone(self)

    def _take_head(self) -> bool:
        head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            return False
        status = head.split(b" ", 2)[1].decode("latin-1")
        if status != "101":
            self._close()
            self._failed(f"HTTP {status}")
            return False
        self._buffer[:] = rest
        self._upgraded = True
        return True

    def _failed(self, why: str) -> None:
        self._seen.errors[why] += 1
        self.on_gone(self)

    def _take_frames(self) -> None:
        for opcode, payload in take(self._buffer):
            if opcode == TEXT:
                self.take_packet(payload)
            elif opcode == CLOSE and payload[:2] not in WELL:
                self._seen.errors[f"closed with {int.from_bytes(payload[:2])}"] += 1
