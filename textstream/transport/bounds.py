"""What one connection may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What one connection may cost. Times are in seconds.

    Attributes:
        max_message: bytes of a message.
        max_dropped: bytes of a text message that is dropped as it arrives and then answered;
            with more the connection is closed.
        max_buffered: bytes of control events that wait for a slow reader.
        max_inbox: messages that wait for a worker; with more the socket is not read.
        events_per_second: messages handled in a second; with more the socket is not read until
            the second is over, so that the peer must wait.
        stall: seconds after which a reader that takes nothing is closed.
        closing: seconds for the peer to answer a close frame.
        connect: seconds to complete a Socket.IO CONNECT.

    """

    max_message: int = 1_000_000
    max_dropped: int = 8_000_000
    max_buffered: int = 1 << 20
    max_inbox: int = 64
    events_per_second: int = 2000
    stall: float = 15.0
    closing: float = 5.0
    connect: float = 10.0
