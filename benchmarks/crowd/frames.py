"""WebSocket frames of a client, made by hand, and those of a server, taken apart (RFC 6455, 5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

TEXT, CLOSE = 0x1, 0x8
FIN = 0x80
MASK = bytes.fromhex("37fa213d")
"""The same for all: that of the example in RFC 6455, 5.7. Servers have the work of any other."""

CHAR_PREFIX = b'42["new_char","'
CHAR_PAYLOAD = len(CHAR_PREFIX) + 3
CHAR_HEAD = bytes((FIN | TEXT, CHAR_PAYLOAD)) + CHAR_PREFIX
CHAR_FRAME = len(CHAR_HEAD) + 3
"""Size of the frame of a character in ASCII without escapes."""


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a frame of a client, of up to 65,535 bytes."""
    size = len(payload)
    head = (
        bytes((FIN | opcode, 0x80 | size))
        if size < 126
        else bytes((FIN | opcode, 0x80 | 126)) + size.to_bytes(2)
    )
    key = (MASK * (size // 4 + 1))[:size]
    return head + MASK + (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)


def event(name: str, *arguments: Any) -> bytes:
    """Return the frame of a Socket.IO event."""
    return masked(packet(name, *arguments))


def packet(name: str, *arguments: Any) -> bytes:
    """Return the same as an Engine.IO packet."""
    return b"42" + json.dumps([name, *arguments], separators=(",", ":")).encode()


BYE = masked(b"41") + masked((1000).to_bytes(2), CLOSE)
"""What socket.io-client says when it is disconnected: Socket.IO's DISCONNECT and a close frame."""


def take(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take the complete frames of a server out of what was received: opcode and payload."""
    while len(buffer) >= 2:
        size, start = buffer[1] & 0x7F, 2
        if size >= 126:
            start += 2 if size == 126 else 8
            if len(buffer) < start:
                return
            size = int.from_bytes(buffer[2:start])
        if len(buffer) < start + size:
            return
        taken = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        yield taken
