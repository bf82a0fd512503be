"""One thing that a client may send after the handshake, right or wrong, and what is due."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from reliability.fuzz.frames import CLOSE, CONTINUATION, TEXT, frame

LIMIT = 100_000
"""Bytes of a message. A text message of up to `DROPPED` is dropped, and the connection lives."""

DROPPED = 8 * LIMIT

PROTOCOL_ERROR, INVALID, POLICY, TOO_BIG = 1002, 1007, 1008, 1009
LIVES = None


@dataclass(frozen=True)
class Case:
    """One connection.

    Attributes:
        name: says what is sent.
        sent: written one after the other.
        code: of the server's close frame; `LIVES`: there is none.
        handled: the messages that the application gets, also those before a mistake; sent back
            while the connection lives.
        pongs: what the pings are answered with.

    """

    name: str
    sent: Sequence[bytes]
    code: int | None = LIVES
    handled: Sequence[str | bytes] = ()
    pongs: Sequence[bytes] = ()


def text(payload: str | bytes, **how: object) -> bytes:
    """Return the frame of an Engine.IO message."""
    data = payload.encode() if isinstance(payload, str) else payload
    return frame(b"4" + data, TEXT, **how)  # type: ignore[arg-type]


def close(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame."""
    return frame(struct.pack("!H", code) + reason, CLOSE)


def cut(data: bytes, size: int) -> list[bytes]:
    """Return `data` in pieces."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def fragments(*parts: bytes, opcode: int = TEXT) -> list[bytes]:
    """Return the frames of one message."""
    last = len(parts) - 1
    return [
        frame(part, CONTINUATION if number else opcode, fin=number == last)
        for number, part in enumerate(parts)
    ]
