"""Clients that come while an attack goes on: each connects, starts a stream, and leaves."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from benchmarks.abuse.outcome import name_of
from benchmarks.abuse.talker import Talker
from benchmarks.abuse.wire import OTHER, Ended, close_frame, event

EVERY_SECONDS = 1.0
MOST_SECONDS = 1.0
"""To the first character of a newcomer, from the moment at which it connects."""

PATIENCE = 8.0
REQUEST = {"text": "welcome", "rate": 0}


@dataclass
class Welcomed:
    """How the newcomers fared: seconds to the first character, and how others ended."""

    seconds: list[float] = field(default_factory=list)
    turned_away: list[str] = field(default_factory=list)

    @property
    def worst(self) -> float:
        """The longest wait of those that were served; seconds."""
        return max(self.seconds, default=0.0)

    @property
    def failure(self) -> str | None:
        """What is wrong with that."""
        tries = len(self.seconds) + len(self.turned_away)
        late = sum(seconds > MOST_SECONDS for seconds in self.seconds)
        if self.turned_away:
            ways = ", ".join(sorted(set(self.turned_away)))
            return f"{len(self.turned_away)} of {tries} newcomers were not served: {ways}"
        if late:
            return f"{late} of {tries} newcomers had to wait, up to {self.worst:.1f} s"
        return None


class Newcomers:
    """One comes every second, from an address of its own. A context manager: ends the last."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._come()))
        self.welcomed = Welcomed()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    async def _come(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            began = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE):
                    await first_character(self._port)
                self.welcomed.seconds.append(time.monotonic() - began)
            except (Ended, OSError, TimeoutError) as error:
                ending = "no answer" if isinstance(error, TimeoutError) else name_of(error)
                self.welcomed.turned_away.append(ending)
            due = max(due + EVERY_SECONDS, time.monotonic())
            while time.monotonic() < due and not self._over.is_set():
                await asyncio.sleep(0.05)


async def first_character(port: int, source: str = OTHER) -> None:
    """Connect, start a short stream, read its first character, and leave.

    Raises:
        Ended: it was refused; the ending has the HTTP status or the error's code.

    """
    client = await Talker.open(port, source=source)
    try:
        await client.send(event("start_stream", REQUEST))
        while not (payload := await client.receive()).startswith(b'42["new_char"'):
            if payload.startswith(b'42["stream_error"'):
                raise Ended(payload.partition(b'"code":"')[2].partition(b'"')[0].decode())
        await client.send(close_frame())
    finally:
        client.close()
