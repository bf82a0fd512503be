"""What one connection may cost."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

LARGE = 65_536
"""Bytes of a message over which it is large."""

REFUSED_WHOLE = 8
"""A text message of up to so many times the limit is dropped as it arrives, and answered.

One that is longer still, or a binary one over the limit, ends the connection: with 1009 on a
WebSocket (RFC 6455, 7.4.1).
"""


WIDE = 2
"""Times `Bounds.max_message` that a measured text may take in memory. With one emoji in it, each of
its characters takes four bytes, so that one may have half as many characters as bytes are allowed.
"""


class Limit(enum.Enum):
    """Which of the bounds refuses a message."""

    MESSAGE = "max_message"
    PLAIN = "max_plain"
    PARTS = "max_parts"
    WIDE = "wide"


class Parts(NamedTuple):
    """What a large message may have beside the text in it.

    Attributes:
        outside: characters outside of its JSON strings.
        strings: JSON strings.

    """

    outside: int = 16_384
    strings: int = 512


OnOversized = Callable[[str, str, int, Limit], None]
"""Called with the Engine.IO session id, the beginning of the message, its size in bytes, and which
limit it is over."""


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
        max_plain: bytes of a message that is nothing special; None: as `max_message`. A longer
            text message is dropped unless `may_be_large` allows it, a longer binary one closes.
        may_be_large: told the first characters of a text message, whether it may have more than
            `max_plain` bytes; by default none may. Called in the reactor's thread.
        max_parts: what a message of more than `LARGE` bytes may have beside the text in it; None:
            anything. One with more is dropped, and nobody parses it. Nor one that takes more than
            `WIDE` times `max_message` as text.
        frames_per_second: frames of a WebSocket taken in a second, control frames and fragments
            too; with more the socket is not read until the second is over.
        pings_per_second: pings answered in a second; of more the latest is answered when the
            second is over (RFC 6455, 5.5.3).
        unfinished: seconds from the first frame of a message to its last; what takes longer is
            closed. The time in which its messages before are handled is not counted.
        max_inbox_bytes: bytes in memory of messages that wait for a worker, beside the one that
            came first; with more the socket is not read.
        large_at_once: large messages that are received and handled at a time, of one address, and
            POSTs of more than `LARGE` bytes. A WebSocket's message asks for its turn when half of
            `LARGE` has come of it, and its socket is not read until then. 0: any number.
        large_in_all: the same, of all addresses.

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
    max_plain: int | None = None
    may_be_large: Callable[[str], bool] | None = None
    max_parts: Parts | None = None
    frames_per_second: int = 2000
    pings_per_second: int = 10
    unfinished: float = 30.0
    max_inbox_bytes: int = LARGE
    large_at_once: int = 1
    large_in_all: int = 4

    @cached_property
    def first_look(self) -> int:
        """At how many bytes a message is looked at for the first time."""
        plain = LARGE if self.max_plain is None else self.max_plain
        return min(LARGE, self.max_message, plain)
