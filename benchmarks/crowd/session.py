"""What a client of the crowd does with Engine.IO's packets, over whatever transport they come."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable
from time import perf_counter

from benchmarks.crowd.frames import CHAR_PAYLOAD, CHAR_PREFIX, packet

CONNECT = b"40"

Told = Callable[["Session"], None]


def nothing(_: Session) -> None:
    """Do nothing."""


class Seen:
    """What all sessions write to: seconds, and what went wrong.

    Attributes:
        ready: from connecting to Socket.IO's answer.
        first: from asking for a stream to its first character.
        gaps: between two characters of a session.
        polls: how many were answered.
        errors: how often what went wrong.

    """

    def __init__(self) -> None:
        self.ready = array("d")
        self.first = array("d")
        self.gaps = array("d")
        self.polls = 0
        self.errors: Counter[str] = Counter()

    def clear(self) -> None:
        """Forget all."""
        for seconds in (self.ready, self.first, self.gaps):
            del seconds[:]
        self.polls = 0
        self.errors.clear()


class Session:
    """A session, which keeps every character that it gets. Its transport is its subclass's.

    Attributes:
        text: that it is to get, in ASCII.
        got: the characters, in ASCII.
        base: where in the text the first of them stands.
        connect: Socket.IO's CONNECT.
        id: of the stream, if the server tells.
        last: when the latest character came.
        on_ready: called when Socket.IO has answered.
        on_first: called at the first character of a stream.
        on_end: called when the stream has ended.
        on_gone: called when the session is over, however.

    """

    __slots__ = (
        *(
            "_asked",
            "_seen",
            "base",
            "connect",
            "got",
            "id",
            "last",
            "on_end",
            "on_first",
            "on_gone",
        ),
        *("on_ready", "text"),
    )

    def __init__(self, seen: Seen, text: str = "") -> None:
        self._seen = seen
        self._asked = self.last = 0.0
        self.text = text.encode()
        self.got = bytearray()
        self.base = 0
        self.connect = CONNECT
        self.id = ""
        self.on_ready: Told = nothing
        self.on_first: Told = nothing
        self.on_end: Told = nothing
        self.on_gone: Told = nothing

    @property
    def exact(self) -> bool:
        """Whether just the text came, from `base` on."""
        return self.got == self.text[self.base :]

    @property
    def exact_so_far(self) -> bool:
        """Whether what came is how the text goes on from `base`."""
        return self.got == self.text[self.base : self.base + len(self.got)]

    def open(self) -> None:
        """Connect."""
        raise NotImplementedError

    def post(self, payload: bytes) -> None:
        """Send an Engine.IO packet."""
        raise NotImplementedError

    def leave(self) -> None:
        """Say goodbye."""
        raise NotImplementedError

    def start(self, rate: float) -> None:
        """Ask for a stream of its text."""
        self.ask(packet("start_stream", {"text": self.text.decode(), "rate": rate}))

    def ask(self, payload: bytes) -> None:
        """Send what asks for a stream, and take the time."""
        self.got.clear()
        self._asked = perf_counter()
        self.post(payload)

    def take_character(self, code: int) -> None:
        """Take in a character."""
        now = perf_counter()
        if self.got:
            self._seen.gaps.append(now - self.last)
            self.last = now
            self.got.append(code)
            return
        self._seen.first.append(now - self._asked)
        self.last = now
        self.got.append(code)
        self.on_first(self)

    def take_packet(self, payload: bytes) -> None:
        """Take in an Engine.IO packet."""
        if len(payload) == CHAR_PAYLOAD and payload.startswith(CHAR_PREFIX):
            self.take_character(payload[-3])
        elif payload.startswith(b'42["stream_start"'):
            told = json.loads(payload[2:])[1]
            self.id, self.base = told["id"], told["offset"]
        elif payload.startswith(b'42["stream_end"'):
            self.on_end(self)
        elif payload == b"2":
            self.post(b"3")
        elif payload.startswith(b"0"):
            self.post(self.connect)
        elif payload.startswith(b"40"):
            self._seen.ready.append(perf_counter() - self._asked)
            self.on_ready(self)
        elif payload.startswith((b"44", b'42["stream_error"')):
            self._seen.errors[payload.decode()] += 1
