"""WebSocket frames of which everything may be wrong (RFC 6455, 5.2)."""

from __future__ import annotations

import struct
from random import Random

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = bytes(4),
    length: int | None = None,
    width: int | None = None,
) -> bytes:
    """Return a frame.

    Args:
        payload: before masking.
        opcode: 0 to 15.
        fin: whether it is the last of its message.
        reserved: the three reserved bits, 0 to 7.
        mask: four bytes; None: unmasked. Zeros change nothing.
        length: what it claims to have; None: the truth.
        width: bytes of the length: 1, 2 or 8; None: as few as do.

    """
    size = len(payload) if length is None else length
    if width is None:
        width = 1 if size < 126 else 2 if size < 65_536 else 8
    first = (FIN if fin else 0) | reserved << 4 | opcode
    bit = 0 if mask is None else 0x80
    if width == 1:
        head = struct.pack("!BB", first, bit | size & 0x7F)
    elif width == 2:
        head = struct.pack("!BBH", first, bit | 126, size & 0xFFFF)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size & 2**64 - 1)
    return head + (mask or b"") + (_masked(payload, mask) if mask else payload)


def _masked(payload: bytes, mask: bytes) -> bytes:
    if not any(mask):
        return payload
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return bytes(a ^ b for a, b in zip(payload, repeated, strict=True))


def fragments(chance: Random, payload: bytes, opcode: int = TEXT) -> list[bytes]:
    """Return the frames of one message in two to five fragments, cut anywhere."""
    cuts = sorted(chance.randrange(len(payload) + 1) for _ in range(chance.randint(1, 4)))
    parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    last = len(parts) - 1
    return [
        frame(part, CONTINUATION if number else opcode, fin=number == last)
        for number, part in enumerate(parts)
    ]
