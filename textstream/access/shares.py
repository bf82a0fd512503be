"""What an address may have at a time, and do in a minute."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from textstream.access.rates import Rate


@dataclass(frozen=True)
class Share:
    """What one address may have and do. 0, or an empty rate: as much as it likes.

    Attributes:
        connections: at a time.
        handshakes: connections begun, in a time.
        starts: streams started, in a time.
        streams: that run at a time, those without a connection in their time of grace included.
        kept: ended streams that are kept for it.
        nbytes: bytes of all kinds that are kept for it.
        waiting: bytes of its texts that wait to be streamed, and of its packets that wait for
            polls: so many of each.
        connection_bytes: that are kept for one connection of it.
        connection_starts: streams that one connection of it starts, in a time.

    """

    connections: int = 0
    handshakes: Rate = ()
    starts: Rate = ()
    streams: int = 0
    kept: int = 0
    nbytes: int = 0
    waiting: int = 0
    connection_bytes: int = 0
    connection_starts: Rate = ()


def _same_for_all(_address: str) -> Share:
    return Share()


@dataclass(frozen=True)
class Shares:
    """What everybody may.

    Attributes:
        of: tells what an address may.
        connections: of all clients, at a time.
        nbytes: that are kept for all clients.

    """

    of: Callable[[str], Share] = field(default=_same_for_all)
    connections: int = 0
    nbytes: int = 0


def at_most(limit: int) -> float:
    """Return a limit as a number to compare with: 0 is none."""
    return limit or math.inf
