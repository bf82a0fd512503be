"""A client of the crowd: raw WebSocket, Engine.IO and Socket.IO over a plain socket."""

from __future__ import annotations

import errno
import json
import socket
import struct
from array import array
from collections import Counter
from collections.abc import Callable
from time import perf_counter

from benchmarks.crowd.frames import (
    BYE,
    CHAR_FRAME,
    CHAR_HEAD,
    CHAR_PAYLOAD,
    CHAR_PREFIX,
    CLOSE,
    TEXT,
    masked,
    take,
)
from benchmarks.crowd.loop import Loop

HOST = "127.0.0.1"
RECEIVE = 4096
CONNECT, PONG = masked(b"40"), masked(b"3")

_LINGER = struct.pack("ii", 1, 0)

Told = Callable[["Reader"], None]


def nothing(_: Reader) -> None:
    """Do nothing."""


class Seen:
    """What all readers write to: seconds, and what went wrong.

    Attributes:
        ready: from connecting to Socket.IO's answer.
        first: from asking for a stream to its first character.
        gaps: between two characters of a reader.
        errors: how often what went wrong.

    """

    def __init__(self) -> None:
        self.ready = array("d")
        self.first = array("d")
        self.gaps = array("d")
        self.errors: Counter[str] = Counter()


class Reader:
    """One connection, which keeps every character that it gets.

    Attributes:
        got: the characters, in ASCII.
        base: where in the text the first of them stands.
        id: of the stream, if the server tells.
        on_ready: called when Socket.IO has answered.
        on_first: called at the first character of a stream.
        on_end: called when the stream has ended.
        on_gone: called when the connection is over, however.

    """

    __slots__ = (
        *("_asked", "_buffer", "_fd", "_last", "_loop", "_port", "_recv", "_seen", "_sock"),
        *("_upgraded", "base", "got", "id", "on_end", "on_first", "on_gone", "on_ready", "text"),
    )

    def __init__(self, loop: Loop, port: int, seen: Seen, text: str = "") -> None:
        self._loop = loop
        self._port = port
        self._seen = seen
        self._buffer = bytearray()
        self._upgraded = False
        self._asked = self._last = 0.0
        self.text = text.encode()
        self.got = bytearray()
        self.base = 0
        self.id = ""
        self.on_ready: Told = nothing
        self.on_first: Told = nothing
        self.on_end: Told = nothing
        self.on_gone: Told = nothing

    @property
    def exact(self) -> bool:
        """Whether just the text came, from `base` on."""
        return self.got == self.text[self.base :]

    def open(self) -> None:
        """Connect."""
        self._sock = socket.socket()
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fd, self._recv = self._sock.fileno(), self._sock.recv
        self._asked = perf_counter()
        code = self._sock.connect_ex((HOST, self._port))
        if code == errno.EINPROGRESS:
            self._loop.watch(self._fd, self._upgrade, writable=True)
        elif code == 0:
            self._upgrade()
        else:
            self._sock.close()
            self._failed(f"connect: {errno.errorcode[code]}")

    def send(self, data: bytes) -> None:
        """Send what any socket takes at once; on one that is over, nothing."""
        try:
            self._sock.send(data)
        except OSError as error:
            self._seen.errors[f"send: {type(error).__name__}"] += 1

    def ask(self, message: bytes) -> None:
        """Send what asks for a stream, and take the time."""
        self.got.clear()
        self._asked = perf_counter()
        self.send(message)

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
            self._take_character(data[-3])
        elif data:
            self._buffer += data
            if self._upgraded or self._take_head():
                self._take_frames()
        else:
            self._close()
            if not self._upgraded:
                self._seen.errors["closed before it was open"] += 1
            self.on_gone(self)

    def _take_character(self, code: int) -> None:
        now = perf_counter()
        if self.got:
            self._seen.gaps.append(now - self._last)
            self._last = now
            self.got.append(code)
            return
        self._seen.first.append(now - self._asked)
        self._last = now
        self.got.append(code)
        self.on_first(self)

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
                if len(payload) == CHAR_PAYLOAD and payload.startswith(CHAR_PREFIX):
                    self._take_character(payload[-3])
                else:
                    self._take_packet(payload)
            elif opcode == CLOSE and payload[:2] not in {b"", b"\x03\xe8", b"\x03\xed"}:
                self._seen.errors[f"closed with {int.from_bytes(payload[:2])}"] += 1

    def _take_packet(self, payload: bytes) -> None:
        if payload.startswith(b'42["stream_start"'):
            told = json.loads(payload[2:])[1]
            self.id, self.base = told["id"], told["offset"]
        elif payload.startswith(b'42["stream_end"'):
            self.on_end(self)
        elif payload == b"2":
            self.send(PONG)
        elif payload.startswith(b"0"):
            self.send(CONNECT)
        elif payload.startswith(b"40"):
            self._seen.ready.append(perf_counter() - self._asked)
            self.on_ready(self)
        elif payload.startswith((b"44", b'42["stream_error"')):
            self._seen.errors[payload.decode()] += 1
