"""Many inputs at a time, layer by layer; what they did to the server's log."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from reliability.fuzz.answers import NO_ANSWER, TOO_LONG
from reliability.fuzz.grammar import make
from reliability.fuzz.inputs import Input, Layer
from reliability.fuzz.player import Player

PLAYERS = 16
"""Inputs in flight."""

TRACEBACK = "Traceback"

UNFAIR = (
    "HTTP 500",
    "HTTP 502",
    "HTTP 503",
    "error internal_error",
    NO_ANSWER,
    TOO_LONG,
    "ConnectionRefused",
)
"""How no input may be answered, whatever it is."""

LOOK_SECONDS = 0.2
SUSPECTS = 256
MOST_HUNTS = 3
"""Tracebacks whose input is looked for: each suspect is sent again alone."""

HUNT_SECONDS = 0.1
"""Time for a line to get from the server into our copy of its log."""


@dataclass
class Tally:
    """What came of a layer's inputs."""

    layer: Layer
    inputs: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Attack:
    """Sends a layer's inputs."""

    def __init__(
        self, port: int, seed: int, log_text: Callable[[], str], progress: Callable[[str], None]
    ) -> None:
        """Make one.

        Args:
            port: of the server.
            seed: of the inputs.
            log_text: returns what the server has logged so far.
            progress: told now and then how far it is.

        """
        self._port = port
        self._seed = seed
        self._log_text = log_text
        self._progress = progress
        self._hunts = 0
        self._tracebacks = 0

    async def run(self, layer: Layer, numbers: Sequence[int]) -> Tally:
        """Send these inputs of a layer; return what came of them."""
        tally = Tally(layer)
        began = time.monotonic()
        recent: deque[Input] = deque(maxlen=SUSPECTS)
        waiting = iter(numbers)
        players = [
            asyncio.create_task(self._play(layer, waiting, recent, tally)) for _ in range(PLAYERS)
        ]
        looking = asyncio.create_task(self._look(recent, tally, len(numbers)))
        try:
            await asyncio.gather(*players)
        finally:
            looking.cancel()
        await asyncio.sleep(HUNT_SECONDS)
        await self._find_culprit(recent, tally)
        tally.seconds = time.monotonic() - began
        return tally

    async def _play(
        self, layer: Layer, numbers: Iterator[int], recent: deque[Input], tally: Tally
    ) -> None:
        player = Player(self._port)
        try:
            for number in numbers:
                entry = make(self._seed, layer, number)
                recent.append(entry)
                before = player.before
                answer = await player.play(entry)
                tally.inputs += 1
                tally.answers[answer] += 1
                if answer.startswith(UNFAIR):
                    tally.failures.append(f"{answer}: {entry}; sent before it: {before}")
        finally:
            player.close()

    async def _look(self, recent: deque[Input], tally: Tally, count: int) -> None:
        """Watch the log, and say how far it is."""
        said = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._find_culprit(recent, tally)
            if time.monotonic() - said > 10:
                said = time.monotonic()
                self._progress(f"{tally.layer}: {tally.inputs:,} of {count:,} inputs")

    async def _find_culprit(self, suspects: Sequence[Input], tally: Tally) -> None:
        """Send what was sent last again, one by one, if there is a new traceback."""
        tracebacks = self._log_text().count(TRACEBACK)
        if tracebacks > self._tracebacks:
            self._hunts += 1
            if self._hunts <= MOST_HUNTS:
                await self._hunt(list(suspects), tally)
                tracebacks = self._log_text().count(TRACEBACK)
        self._tracebacks = tracebacks

    async def _hunt(self, suspects: Sequence[Input], tally: Tally) -> None:
        found = await self._replay(suspects)
        # Others are in flight meanwhile: who did it twice did it.
        found = await self._replay(found)
        tally.failures += [f"traceback: {entry}" for entry in found] or [
            "traceback, by none of these alone: " + ", ".join(str(s.number) for s in suspects)
        ]

    async def _replay(self, suspects: Sequence[Input]) -> list[Input]:
        """Send each alone; return those after which there was a new traceback."""
        found = []
        for suspect in suspects:
            before = self._log_text().count(TRACEBACK)
            player = Player(self._port)
            await player.play(suspect)
            player.close()
            await asyncio.sleep(HUNT_SECONDS)
            if self._log_text().count(TRACEBACK) > before:
                found.append(suspect)
        return found
