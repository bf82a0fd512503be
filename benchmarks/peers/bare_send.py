"""The floor: a loop of ``sock.send`` of ready-made WebSocket frames, and nothing else.

What a character costs in CPython when nobody thinks about it: one thread, no framework, no
encoding, one system call each. It speaks as much of the handshakes as the load generator needs,
trusts what it reads, and serves no HTTP. A frame that the kernel does not take is tried again
in the next tick.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import selectors
import socket
import time
from collections import deque
from typing import Any

TICK = 0.005
"""Seconds between two rounds, as in our dispatcher."""

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
OPEN = b'0{"sid":"x","upgrades":[],"pingInterval":600000,"pingTimeout":600000,"maxPayload":1000000}'


def frame(payload: bytes) -> bytes:
    """Return `payload`, under 126 bytes, as a text frame of a server (RFC 6455, section 5.2)."""
    return bytes((0x81, len(payload))) + payload


END = frame(b'42["stream_end",{}]')
FRAMES = {chr(code): frame(f'42["new_char","{chr(code)}"]'.encode()) for code in range(32, 127)}


class Connection:
    """A socket, what was read of an unfinished message, and where its stream is.

    `cut` says that only a part of the current frame was sent.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.send = sock.send
        self.recv = sock.recv
        self.received = bytearray()
        self.is_open = False
        self.frames: list[bytes] = []
        self.position = 0
        self.cut = False
        self.interval = 0.0
        self.due = 0.0

    def messages(self) -> list[bytes]:
        """Take the complete messages out of what was received: masked frames, one a message."""
        taken = []
        while (parsed := self._message()) is not None:
            taken.append(parsed)
        return taken

    def _message(self) -> bytes | None:
        data = self.received
        if len(data) < 2:
            return None
        extended = {126: 2, 127: 8}.get(data[1] & 0x7F, 0)
        start = 2 + extended + 4
        if len(data) < start:
            return None
        size = int.from_bytes(data[2 : 2 + extended]) if extended else data[1] & 0x7F
        if len(data) < start + size:
            return None
        mask = bytes(data[start - 4 : start]) * (size // 4 + 1)
        masked = int.from_bytes(data[start : start + size])
        payload = (masked ^ int.from_bytes(mask[:size])).to_bytes(size)
        opcode = data[0] & 0x0F
        del data[: start + size]
        if opcode == 0x9:
            self._pong(payload)
        return payload if opcode == 0x1 else b""

    def _pong(self, payload: bytes) -> None:
        if self.cut:
            return  # it would end up inside of a frame
        with contextlib.suppress(BlockingIOError):
            self.send(bytes((0x8A, len(payload))) + payload)

    def accept(self) -> None:
        """Answer the opening handshake (RFC 6455, section 4.2.2)."""
        head, end, rest = bytes(self.received).partition(b"\r\n\r\n")
        if not end:
            return
        key = re.search(rb"sec-websocket-key: *(\S+)", head, re.IGNORECASE)
        assert key, "not a WebSocket handshake"
        digest = hashlib.sha1(key[1] + GUID).digest()
        self.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n" + frame(OPEN)
        )
        self.received[:] = rest
        self.is_open = True


class BareServer:
    """All connections and their streams, in one thread."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        # All streams of a run have the same pace, so the first one in the queue is due first.
        self.streams: deque[Connection] = deque()

    def serve(self) -> None:
        next_poll = 0.0
        while True:
            now = time.monotonic()
            any_sent = self._send_due(now)
            if any_sent and now < next_poll:
                continue
            for key, _ in self.selector.select(0 if any_sent else TICK):
                if key.fileobj is self.listener:
                    self._accept()
                else:
                    self._read(key.data)
            next_poll = now + TICK

    def _send_due(self, now: float) -> bool:
        """Send one frame to each stream that is due; return whether any was sent."""
        streams = self.streams
        blocked = []
        any_sent = False
        for _ in range(len(streams)):
            if streams[0].due > now:
                break
            connection = streams.popleft()
            data = connection.frames[connection.position]
            try:
                sent = connection.send(data)
            except BlockingIOError:
                blocked.append(connection)
                continue
            except OSError:  # the reader has gone
                continue
            any_sent = True
            if sent < len(data):
                connection.frames[connection.position] = data[sent:]
                connection.cut = True
                blocked.append(connection)
                continue
            connection.cut = False
            connection.position += 1
            connection.due += connection.interval
            if connection.position < len(connection.frames):
                streams.append(connection)
        streams.extendleft(blocked)
        return any_sent

    def _accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(sock, selectors.EVENT_READ, (sock, Connection(sock)))

    def _read(self, data: tuple[socket.socket, Connection]) -> None:
        sock, connection = data
        try:
            received = connection.recv(2**20)
        except OSError:
            received = b""
        if not received:
            self.selector.unregister(sock)
            sock.close()
            return
        connection.received += received
        if not connection.is_open:
            connection.accept()
        if connection.is_open:
            for message in connection.messages():
                self._handle(connection, message)

    def _handle(self, connection: Connection, message: bytes) -> None:
        if message == b"40":
            connection.send(frame(b'40{"sid":"x"}'))
        elif message.startswith(b"42"):
            event, *arguments = json.loads(message[2:])
            if event == "start_stream":
                self._start(connection, arguments[0])

    def _start(self, connection: Connection, request: dict[str, Any]) -> None:
        connection.frames = [*map(FRAMES.__getitem__, request["text"]), END]
        connection.position = 0
        connection.interval = 1 / request["rate"] if request["rate"] else 0.0
        # Before all others, and as late as they are: so the queue stays sorted.
        now = time.monotonic()
        connection.due = min(now, self.streams[0].due) if self.streams else now
        self.streams.appendleft(connection)


if __name__ == "__main__":
    server = BareServer()
    print(f"listening on http://127.0.0.1:{server.listener.getsockname()[1]}", flush=True)
    server.serve()
