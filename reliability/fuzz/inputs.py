"""What an input is: what is written where, and how its connection ends."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Layer(enum.StrEnum):
    """What an input is malformed in."""

    HTTP = "http"
    WEBSOCKET = "websocket"
    ENGINEIO = "engineio"
    SOCKETIO = "socketio"


class Start(enum.Enum):
    """What is there before the first byte of an input is written."""

    TCP = "a TCP connection"
    WEBSOCKET = "a WebSocket, Engine.IO open, no CONNECT"
    CONNECTED = "a WebSocket, CONNECTed to the namespace /"
    POLLING = "a polling session; each write is a request on a TCP connection of its own"
    PROBING = "a polling session, and a WebSocket of it that is to become its upgrade"


class End(enum.Enum):
    """What comes after the last byte of an input."""

    BARRIER = "ask for a sign of life; the connection may serve another input"
    LAST = "Engine.IO's close packet, and read until the server closes"
    HALF_CLOSE = "FIN, and read until the server closes"
    CLOSE = "close without reading"
    RESET = "RST"


SID = b"--the-session-s-id--"
STREAM = b"---a-stream-s-id------"
"""Stand for what is only known when the input is sent. As long as what takes their place."""


@dataclass(frozen=True)
class Write:
    """Bytes to be written at once. `side`: beside the others, its answer not waited for first."""

    data: bytes
    side: bool = False


@dataclass(frozen=True)
class Input:
    """One input.

    Attributes:
        layer: which of the four.
        number: which of the layer's; with the seed it decides all of the others.
        kind: the rule of the grammar that made it.
        start: what is there before.
        writes: what is written, one after the other.
        end: what comes then.

    """

    layer: Layer
    number: int
    kind: str
    start: Start
    writes: tuple[Write, ...]
    end: End

    @property
    def data(self) -> bytes:
        """All its bytes."""
        return b"".join(write.data for write in self.writes)

    def __str__(self) -> str:
        """Return where it comes from and its first bytes, for a report."""
        shown = self.data[:SHOWN].hex() + ("…" if len(self.data) > SHOWN else "")
        return (
            f"{self.layer} {self.number} ({self.kind}, {self.start.name}, {self.end.name}, "
            f"{len(self.data)} bytes): {shown}"
        )


SHOWN = 300
"""Bytes of an input that a report has."""


@dataclass(frozen=True)
class Made:
    """What a rule makes; `Input` says what the fields are."""

    start: Start
    writes: tuple[Write, ...]
    end: End


class Rule(Protocol):
    """Makes an input of a kind: the function's name, of `chance` alone."""

    __name__: str

    def __call__(self, chance: Random) -> Made: ...


def one(start: Start, data: bytes, end: End) -> Made:
    """Return an input of one write."""
    return Made(start, (Write(data),), end)
