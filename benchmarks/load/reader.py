"""One connection: raw Engine.IO and Socket.IO framing over a picows WebSocket.

A character costs one call of `on_ws_frame`, so that the generator is not what limits a server.
The text is ASCII: every ``new_char`` frame has the same size, and no other frame has it.
"""

from __future__ import annotations

import asyncio
import json
from array import array
from collections import Counter
from time import perf_counter

from picows import WSFrame, WSListener, WSMsgType, WSTransport

CHAR_PREFIX = b'42["new_char","'
CHAR_SIZE = len(CHAR_PREFIX) + 3


class Observations:
    """What all readers of a process write to."""

    def __init__(self) -> None:
        self.gaps = array("f")
        self.pings = array("d")
        self.answered_pings = array("d")
        self.round_trips = array("d")
        self.errors: Counter[str] = Counter()
        self.lost = 0
        self.closing = False


class Reader(WSListener):
    """Counts characters. Starts its stream anew when it has ended."""

    def __init__(self, seen: Observations) -> None:
        self.seen = seen
        self.ready = asyncio.get_running_loop().create_future()
        self.transport: WSTransport | None = None
        self.start_message: bytes | None = None
        self.stream_id: asyncio.Future[str] | None = None
        self.count = 0
        self.started = 0.0
        self.first = 0.0
        self.last = 0.0

    def send(self, message: bytes) -> None:
        """Send an Engine.IO packet."""
        if self.transport is not None:
            self.transport.send(WSMsgType.TEXT, message)

    def start(self, message: bytes | None) -> None:
        """Ask for the stream, if there is something to ask, and take the time."""
        self.start_message = message
        self.started = self.last = perf_counter()
        if message is not None:
            self.send(message)

    def ping(self) -> None:
        """Send a WebSocket ping that carries the time."""
        now = perf_counter()
        self.seen.pings.append(now)
        if self.transport is not None:
            self.transport.send_ping(repr(now).encode())

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        """Count a connection that the server ended."""
        self.transport = None
        if self.ready.done() and not self.seen.closing:
            self.seen.lost += 1
        elif not self.ready.done():
            self.ready.set_exception(ConnectionError("the server closed the connection"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:  # noqa: ARG002
        """Count a character, as cheaply as can be."""
        if frame.payload_size == CHAR_SIZE:
            if not self.count:
                self.first = perf_counter() - self.started
            self.count += 1
        else:
            self.control(frame)

    def control(self, frame: WSFrame) -> None:
        """Take what is not a character: a pong, or an Engine.IO packet."""
        payload = frame.get_payload_as_bytes()
        if frame.msg_type == WSMsgType.PONG:
            self.seen.answered_pings.append(float(payload))
            self.seen.round_trips.append(perf_counter() - float(payload))
        elif frame.msg_type == WSMsgType.TEXT:
            self.packet(payload)

    def packet(self, payload: bytes) -> None:
        """Do what a packet asks for."""
        if payload == b"2":
            self.send(b"3")
        elif payload.startswith(b'42["stream_end"'):
            if self.start_message is not None:
                self.send(self.start_message)
        elif payload.startswith(b'42["stream_start"'):
            if self.stream_id is not None:
                self.stream_id.set_result(json.loads(payload[2:])[1]["id"])
        elif payload.startswith(b"0"):
            self.send(b"40")
        elif payload.startswith(b"40"):
            self.ready.set_result(None)
        elif payload.startswith((b"44", b'42["stream_error"')):
            self.seen.errors[payload.decode()] += 1


class PacedReader(Reader):
    """Takes the time of each character as well."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:  # noqa: ARG002
        """Count a character and record the gap before it."""
        if frame.payload_size == CHAR_SIZE:
            now = perf_counter()
            if not self.count:
                self.first = now - self.started
            self.count += 1
            self.seen.gaps.append(now - self.last)
            self.last = now
        else:
            self.control(frame)


class CheckingReader(PacedReader):
    """Looks at each character, so that the text is known to be the text."""

    def __init__(self, seen: Observations, text: str) -> None:
        super().__init__(seen)
        self.text = text.encode()
        self.exact = True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Compare, then count."""
        if frame.payload_size == CHAR_SIZE:
            expected = self.text[self.count % len(self.text)]
            self.exact &= frame.get_payload_as_bytes()[-3] == expected
        super().on_ws_frame(transport, frame)
