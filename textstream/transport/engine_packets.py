"""Engine.IO's packets: those of clients, taken strictly; what one takes; over to a WebSocket."""

from __future__ import annotations

import sys
from typing import Any

from engineio.packet import NOOP, PING, Packet

from textstream.transport.frames import NORMAL, message_frame
from textstream.transport.packets import MalformedPacketError

PACKET_BYTES = 128
"""What it takes beside its data. Measured: 116, with its place in the queue (CPython 3.11)."""

_TYPES = frozenset("0123456b")
"""What a packet begins with: its type, or a ``b`` for base64. Not just any digit of Unicode."""


def decode(encoded: str | bytes) -> Packet:
    """Return the Engine.IO packet that a client has sent.

    Raises:
        MalformedPacketError: it is none.

    """
    if isinstance(encoded, str) and encoded[:1] not in _TYPES:
        raise MalformedPacketError("unknown packet type" if encoded else "empty packet")
    try:
        return Packet(encoded_packet=encoded)
    except (ValueError, RecursionError) as error:  # the latter: JSON that is nested too deep
        raise MalformedPacketError(type(error).__name__) from error


def size_of(packet: Any) -> int:
    """Return the bytes that a packet takes, with its data: text as Python keeps it, in full.

    python-socketio's JSON is ASCII, a byte for each character: 12 for an emoji.
    """
    data = getattr(packet, "data", packet)
    if type(data) is not str and data is not None and not isinstance(data, bytes):
        data = packet.encode() if hasattr(packet, "encode") else ""  # JSON; it is kept encoded
    return PACKET_BYTES + sys.getsizeof(data)


def hand_over(connection: Any, packet: Any) -> None:
    """Write a packet to a WebSocket's connection. None is the end; a NOOP is for polls only."""
    if packet is None:
        connection.close(NORMAL)
        return
    kind = packet.packet_type
    if kind != NOOP:
        if kind == PING:
            connection.window.ping()
        connection.write(message_frame(packet.encode()))
