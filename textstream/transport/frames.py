"""WebSocket frames (RFC 6455): writing them, and assembling the messages that arrive. No I/O."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from textstream.transport.bounds import Limit
from textstream.transport.measure import HEAD

TEXT = 0x81
BINARY = 0x82
CLOSE = 0x88
PONG = 0x8A

NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
POLICY_VIOLATION = 1008
BAD_GATEWAY = 1014

MAX_REASON = 123
"""Bytes of the reason in a close frame: a control frame has 125, two are the code (5.5)."""

MAX_CACHED_UNITS = 8_192
"""Different units of a generation of kept frames: more than most texts have, some 1.5 MB."""

MAX_CACHED_LENGTH = 16
"""Code points of a unit whose frame is kept. Long words seldom come twice."""

_BAD_GATEWAY = struct.pack("!H", BAD_GATEWAY)
_TRY_AGAIN_LATER = struct.pack("!H", CloseReason.TRY_AGAIN_LATER)

SHORT, MEDIUM = 126, 65_536
"""Lengths from which on the length takes two, and eight bytes more (RFC 6455, 5.2)."""


def frame(first: int, payload: bytes) -> bytes:
    """Return an unmasked, unfragmented frame; `first` is its first byte."""
    size = len(payload)
    if size < SHORT:
        return bytes((first, size)) + payload
    if size < MEDIUM:
        return struct.pack("!BBH", first, SHORT, size) + payload
    return struct.pack("!BBQ", first, SHORT + 1, size) + payload


def message_frame(message: str | bytes) -> bytes:
    """Return the frame of a text or a binary message."""
    if isinstance(message, str):
        return frame(TEXT, message.encode("utf-8", "surrogatepass"))
    return frame(BINARY, bytes(message))


def event_frame(event: str, payload: object) -> bytes:
    """Return the frame of a Socket.IO event in the namespace ``/``."""
    return frame(
        TEXT,
        f'42["{event}",{json.dumps(payload, ensure_ascii=False, separators=(",", ":"))}]'.encode(),
    )


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a close frame; of `reason` as many whole characters as have room."""
    # Half a character would be no UTF-8, which the peer must refuse (RFC 6455, 5.5.1).
    kept = reason.encode("utf-8", "replace")[:MAX_REASON].decode("utf-8", "ignore")
    return frame(CLOSE, struct.pack("!H", code) + kept.encode())


PING_PACKET = frame(TEXT, b"2")
"""Engine.IO's ping, which every client answers with the message ``3``."""


class EventFrames:
    """Frames of one event with one string argument, each encoded once.

    The namespace is ``/``. A text has few different characters: nearly all come from the cache.
    That has two generations: what is not used while the younger one fills is forgotten with the
    older one. So rare units, however many, neither take memory for ever nor keep others out.
    """

    def __init__(self, event: str) -> None:
        self._event = event
        self._cache: dict[str, bytes] = {}
        self._older: dict[str, bytes] = {}

    def get(self, unit: str) -> bytes:
        """Return the frame of the event with `unit`."""
        known = self._cache.get(unit)
        if known is not None:
            return known
        made = self._older.get(unit) or event_frame(self._event, unit)
        if len(unit) <= MAX_CACHED_LENGTH:
            if len(self._cache) >= MAX_CACHED_UNITS:
                self._older, self._cache = self._cache, {}
            self._cache[unit] = made
        return made

    def all(self, units: Sequence[str]) -> tuple[bytes, ...]:
        """Return the frames of the event with each of `units`."""
        try:
            return tuple(map(self._cache.__getitem__, units))
        except KeyError:
            return tuple(map(self.get, units))


@dataclass(frozen=True)
class Oversized:
    """A text message over a limit, which was dropped while it arrived."""

    head: str
    size: int
    limit: Limit = Limit.MESSAGE


@dataclass(frozen=True)
class Ping:
    """A ping; answer with a pong of the same payload."""

    payload: bytes


@dataclass(frozen=True)
class Closed:
    """The peer's close frame; answer with the same code."""

    code: int


@dataclass(frozen=True)
class Broken:
    """The peer broke the protocol or a limit; close with `code`, and say why."""

    code: int
    reason: str


Incoming = str | bytes | Oversized | Ping | Closed | Broken


class _Protocol(FrameProtocol):
    """wsproto's, which leaves out one close code that is registered with IANA: 1014."""

    def _process_close(self, frame: Frame) -> Frame:
        payload = bytes(frame.payload)  # type: ignore[arg-type]
        if not payload.startswith(_BAD_GATEWAY):
            return super()._process_close(frame)
        # The reason is checked as that of the code before it.
        super()._process_close(frame._replace(payload=_TRY_AGAIN_LATER + payload[2:]))
        return frame._replace(payload=(BAD_GATEWAY, ""))


class Assembler:
    """Makes messages of the bytes that arrive, and never keeps more than the limit.

    A text message over `limit` bytes is thrown away as it arrives and reported at its end; one
    over `hard_limit`, or a binary one over `limit`, is the end of the connection.
    """

    def __init__(self, limit: int, hard_limit: int) -> None:
        self._limit = limit
        self._hard_limit = hard_limit
        self._protocol = _Protocol(client=False, extensions=[])
        self._parts: list[str | bytes] = []
        self._size = 0
        self.over = False
        """Whether the peer closed or broke the protocol: nothing after that means anything."""

    def feed(self, data: bytes) -> list[Incoming]:
        """Take what arrived; return what is now complete. `Closed` and `Broken` come last.

        What was complete before a mistake is returned with it. So it does not depend on how TCP
        cut the bytes whether it is handled.
        """
        if self.over:
            return []
        self._protocol.receive_bytes(data)
        messages: list[Incoming] = []
        try:
            for part in self._protocol.received_frames():
                message = self._take(
                    part.opcode, part.payload, part.frame_finished and part.message_finished
                )
                if message is not None:
                    messages.append(message)
        except ParseFailed as error:
            self.over = True
            messages.append(Broken(int(error.code or PROTOCOL_ERROR), str(error)[:100]))
        return messages

    def close(self) -> None:
        """Take nothing more, and free the memory at once."""
        self.over = True
        # wsproto's parser and its generator point at each other.
        vars(self._protocol).clear()

    def _take(self, opcode: Opcode, payload: object, complete: bool) -> Incoming | None:
        if opcode.iscontrol():
            return self._control(opcode, payload)
        part = payload if isinstance(payload, str) else bytes(payload)  # type: ignore[call-overload]
        self._add(part)
        if not complete:
            return None
        parts, size = self._parts, self._size
        self._parts, self._size = [], 0
        if size > self._limit:
            return Oversized("".join(map(str, parts))[:HEAD], size)
        if isinstance(part, str):
            return "".join(parts)  # type: ignore[arg-type]
        return b"".join(parts)  # type: ignore[arg-type]

    def _control(self, opcode: Opcode, payload: Any) -> Incoming | None:
        if opcode is Opcode.CLOSE:
            self.over = True
            return Closed(NORMAL if payload[0] == CloseReason.NO_STATUS_RCVD else int(payload[0]))
        return Ping(bytes(payload)) if opcode is Opcode.PING else None

    def _add(self, part: str | bytes) -> None:
        was_within = self._size <= self._limit
        ascii_only = isinstance(part, bytes) or part.isascii()
        self._size += len(part) if ascii_only else len(part.encode())  # type: ignore[union-attr]
        if self._size <= self._limit:
            if part:
                self._parts.append(part)
            return
        if isinstance(part, bytes) or self._size > self._hard_limit:
            self._parts = []
            raise ParseFailed("Message is too big", CloseReason.MESSAGE_TOO_BIG)
        if was_within:
            self._parts = ["".join([*self._parts, part])[:HEAD]]  # type: ignore[list-item]
