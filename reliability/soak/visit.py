"""What an episode is given, and the few steps that many of them share."""

from __future__ import annotations

import random
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from reliability.soak.tally import Tally, Wrong
from reliability.soak.target import RETENTION
from reliability.soak.texts import some_text
from textstream.client import ReconnectPolicy, StreamClient, TextStream
from textstream.errors import ServerUnreachable, UnknownStream

QUICK = ReconnectPolicy(initial=0.02, maximum=0.3, give_up_after=30)

TRANSPORTS = (["websocket"], ["polling"], ["polling", "websocket"])

RATES = (0, 0, 400, 1000, 3000)

HANDSHAKES = 50
"""Tries for a first handshake: a client does not wait for a server that never answered."""

T = TypeVar("T")


@dataclass
class Visit:
    """A worker's means.

    Attributes:
        url: where the server is, behind the faults.
        choose: the source of every choice.
        tally: where to count, and what to compare with.
        model: whether the server has the local model.
        ended: streams that are over, with the time in monotonic seconds, oldest first.

    """

    url: str
    choose: random.Random
    tally: Tally
    model: bool
    ended: deque[tuple[str, float]] = field(default_factory=deque)

    def client(self, transports: list[str] | None = None) -> StreamClient:
        """Return a client that resumes by itself, over a transport by chance."""
        chosen = transports or self.choose.choice(TRANSPORTS)
        return StreamClient(self.url, transports=chosen, reconnect=QUICK, on_state=self._on_state)

    def text(self, words: tuple[int, int] = (10, 150)) -> str:
        """Return a text of some words."""
        return some_text(self.choose, self.choose.randint(*words))

    def start(self, client: StreamClient, **request: Any) -> TextStream:
        """Start a stream, once, however often the first handshake is cut."""
        request_id = self.request_id()
        stream = persist(lambda: client.stream(request_id=request_id, **request))
        self.tally.count("streams")
        return stream

    def request_id(self) -> str:
        """Return a UUID, by chance from the seed."""
        return str(uuid.UUID(int=self.choose.getrandbits(128), version=4))

    def replay(self, client: StreamClient, stream: str, since: float) -> str | None:
        """Read a stream that is over from its first unit on.

        Args:
            client: what to read it with.
            stream: its id.
            since: when it was last known to be there, in monotonic seconds.

        Returns:
            The text, verified; None when it was forgotten, and it was about time.

        """
        try:
            again = persist(lambda: client.resume(stream, rate=0))
        except UnknownStream:
            self.forgotten(stream, since)
            return None
        text = "".join(again)
        if not (again.result and again.result.verified):
            raise Wrong(f"stream {stream}: the replay is not verified")
        self.tally.exact(stream, text, text, again.result.text_sha256)
        self.tally.count("replays")
        return text

    def forgotten(self, stream: str, since: float) -> None:
        """Take note that a stream was forgotten, which was there at `since`.

        A client may be kept away by faults for longer than an ended stream is kept.

        Raises:
            Wrong: it is too early for that.

        """
        if time.monotonic() - since < RETENTION * 0.9:
            raise Wrong(f"stream {stream}: forgotten too early")
        self.tally.count("came back too late")

    def finished(self, stream: str) -> None:
        """Take note that a stream is over and nobody reads it."""
        self.ended.append((stream, time.monotonic()))

    def _on_state(self, state: str) -> None:
        if state == "reconnecting":
            self.tally.count("reconnections")


def persist(attempt: Callable[[], T]) -> T:
    """Try again while the first handshake is cut.

    Raises:
        Wrong: it never came through.

    """
    for _ in range(HANDSHAKES):
        try:
            return attempt()
        except ServerUnreachable:
            continue
    raise Wrong(f"the server could not be reached in {HANDSHAKES} handshakes")
