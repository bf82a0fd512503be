"""What one connection may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

REFUSED_WHOLE = 8
"""A text message of up to so many times the limit is dropped as it arrives, and answered.

One that is longer still, or a binary one over the limit, ends the connection: with 1009 on a
WebSocket (RFC 6455, 7.4.1).
"""

OnOversized = Callable[[str, str, int], None]
"""Called with the Engine.IO session id, the beginning of the message, and its size in bytes."""


@dataclass(frozen=True)
class Bounds:
    """What one connection may cost. Times are in seconds.

    Attributes:
        max_message: bytes of a message.
        max_dropped: bytes of a text message that is dropped as it arrives and then answered;
            with more the connection is closed.
        max_buffered: bytes of control events that wait for a slow reader.
        max_inbox: messages that wait for a worker; with more the socket is not read.
        max_attachments: binary attachments of an event; one with more is dropped.
        max_packets: Engine.IO packets in a polling request, whose size is bounded in bytes. The
            packets are handled one after the other; with more none of them is.
        events_per_second: messages handled in a second; with more the socket is not read until
            the second is over, so that the peer must wait.
        stall: seconds after which a reader that takes nothing is closed.
        closing: seconds for the peer to answer a close frame.
        connect: seconds to complete a Socket.IO CONNECT.

    """

    max_message: int = 1_000_000
    max_dropped: int = REFUSED_WHOLE * 1_000_000
    max_buffered: int = 1 << 20
    max_inbox: int = 64
    max_attachments: int = 4
    max_packets: int = 16_384
    events_per_second: int = 2000
    stall: float = 15.0
    closing: float = 5.0
    connect: float = 10.0
