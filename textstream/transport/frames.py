"""WebSocket frames (RFC 6455) that are written. Those that arrive: see ``assembler``. No I/O."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from textstream.json_encoder import new_encoder

TEXT = 0x81
BINARY = 0x82
CLOSE = 0x88
PING = 0x89
PONG = 0x8A

NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009

MAX_REASON = 123
"""Bytes of the reason in a close frame: a control frame has 125, two are the code (5.5)."""

MAX_CACHED_UNITS = 8_192
"""Different units of a generation of kept frames: more than most texts have, some 1.5 MB."""

MAX_CACHED_LENGTH = 16
"""Code points of a unit whose frame is kept. Long words seldom come twice."""

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


_encode = new_encoder(ensure_ascii=False)


def event_frame(event: str, payload: object) -> bytes:
    """Return the frame of a Socket.IO event in the namespace ``/``."""
    return frame(
        TEXT,
        f'42["{event}",{_encode(payload)}]'.encode(),
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
