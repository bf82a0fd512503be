"""Healthy clients beside the attack: the Python client, whose every text is compared."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Self

from tests.live.streams import CLUSTERS, sha256
from textstream.client import State, StreamClient
from textstream.errors import TextStreamError

STREAM_SECONDS = 4.0
"""How long a paced stream takes."""

REST_SECONDS = 1.0
"""Between two streams: an unpaced client that never rested would be an attack itself."""

JOIN_SECONDS = 60.0


@dataclass
class Bystander:
    """A healthy client, and how it fared.

    Attributes:
        transport: ``"websocket"`` or ``"polling"``.
        rate: units per second; 0 is unpaced.
        streams: how many it has read to their end.
        units: how many it has read in all.
        reconnects: how often its connection was lost.
        wrong: what was not exact.

    """

    transport: str
    rate: int
    streams: int = 0
    units: int = 0
    reconnects: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is called in a report."""
        return f"{self.transport}, " + (f"{self.rate} units/s" if self.rate else "unpaced")

    @property
    def failure(self) -> str | None:
        """What was wrong, if anything."""
        if self.wrong:
            return f"{self.name}: {self.wrong[0]}"
        return None if self.streams else f"{self.name}: read no stream to its end"


class Bystanders:
    """All of them, each in a thread. A context manager: ends them after their last stream."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._done = threading.Event()
        self.all = [
            Bystander("websocket", 0),
            Bystander("websocket", 200),
            Bystander("polling", 0),
            Bystander("polling", 100),
        ]
        self._threads = [
            threading.Thread(target=self._read, args=(one, random.Random(f"{seed} {number}")))
            for number, one in enumerate(self.all)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        for thread, one in zip(self._threads, self.all, strict=True):
            if thread.is_alive():
                one.wrong.append(f"its stream has not ended after {JOIN_SECONDS:g} s")

    def _read(self, one: Bystander, chance: random.Random) -> None:
        def on_state(state: State) -> None:
            one.reconnects += state == "reconnecting"

        length = int(one.rate * STREAM_SECONDS) or 10_000
        try:
            with StreamClient(
                self._url, transports=(one.transport,), timeout=30.0, on_state=on_state
            ) as client:
                while not self._done.is_set():
                    self._read_one(one, client, chance.choices(CLUSTERS, k=length))
                    self._done.wait(REST_SECONDS)
        except TextStreamError as error:
            one.wrong.append(f"{type(error).__name__}: {error}")

    def _read_one(self, one: Bystander, client: StreamClient, units: list[str]) -> None:
        text = "".join(units)
        stream = client.stream(text=text, rate=one.rate)
        got = "".join(stream)
        result = stream.result
        if result is None or not result.verified or result.text_sha256 != sha256(got):
            one.wrong.append(f"not verified: {result}")
        elif got != text:
            one.wrong.append(f"{len(got)} characters of {len(text)}, or others")
        one.streams += 1
        one.units += len(units)
