"""What every work of the crowd needs: a server to load, a loop, the server's CPU clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter

import psutil

from benchmarks.cpu import cpu_seconds
from benchmarks.crowd.frames import event
from benchmarks.crowd.loop import Loop
from benchmarks.crowd.reader import Reader, Seen, Told
from benchmarks.workloads import RATE

SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog does not mind. "
PATIENCE = 60.0
"""Seconds that a server may take beyond those that a work lasts by itself."""

REST = 0.3
"""Seconds that a server gets for what is left to do, before its clock is read."""

PRIMING = 200
"""Lives before anything is measured: for imports and first allocations, and for what compiles
while it runs. 50 at a time, as the storms."""

AT_A_TIME = 50


def text_of(number: int, characters: int) -> str:
    """Return the text of a reader: each another, so that one that gets another's is found out.

    ASCII without what JSON escapes, so that each ``new_char`` has the same size.
    """
    start = number % len(SENTENCE)
    return (SENTENCE * (characters // len(SENTENCE) + 2))[start : start + characters]


def start_of(text: str, rate: float = RATE) -> bytes:
    """Return the frame that starts a stream."""
    return event("start_stream", {"text": text, "rate": rate})


class Scene:
    """A server under load of this process."""

    def __init__(self, port: int, pids: Sequence[int], loop: Loop) -> None:
        self.port = port
        self.loop = loop
        self.seen = Seen()
        self._processes = [psutil.Process(pid) for pid in pids]

    def cpu(self) -> float:
        """Return the seconds of CPU that the server took so far."""
        return sum(cpu_seconds(process.pid) for process in self._processes)

    def threads(self) -> int:
        """Return how many threads the server has."""
        return sum(process.num_threads() for process in self._processes)

    def memory(self) -> int:
        """Return its resident bytes."""
        return sum(process.memory_info().rss for process in self._processes)

    def reader(self, number: int = 0, characters: int = 0) -> Reader:
        """Return a reader of a text of so many characters; not yet connected."""
        return Reader(self.loop, self.port, self.seen, text_of(number, characters))

    def wait(self, until: Callable[[], bool], what: str, seconds: float = 0.0) -> None:
        """Run until something is so.

        Raises:
            TimeoutError: it is not, `seconds` and `PATIENCE` later.

        """
        if not self.loop.run(until, seconds + PATIENCE):
            told = ", ".join(f"{why} ({often})" for why, often in self.seen.errors.most_common(3))
            raise TimeoutError(f"not all {what}" + (f": {told}" if told else ""))

    def spread(
        self, readers: Sequence[Reader], times: Sequence[float], do: Callable[[Reader], None]
    ) -> None:
        """Do something with each reader, at so many seconds from now."""
        now = perf_counter()
        for reader, when in zip(readers, times, strict=True):
            self.loop.at(now + when, partial(do, reader))

    def open(self, readers: Sequence[Reader], at_a_time: int = AT_A_TIME) -> None:
        """Connect all of them, so many at a time.

        Raises:
            TimeoutError: not all could connect.

        """

        def one(reader: Reader, done: Told) -> None:
            reader.on_ready = done
            reader.open()

        self._in_turn(readers, at_a_time, one, "connected")

    def close(self, readers: Sequence[Reader], at_a_time: int = AT_A_TIME) -> None:
        """Let all of them say goodbye, so many at a time.

        Raises:
            TimeoutError: the server did not close all.

        """

        def one(reader: Reader, done: Told) -> None:
            reader.on_gone = done
            reader.leave()

        self._in_turn(readers, at_a_time, one, "closed")

    def _in_turn(
        self,
        readers: Sequence[Reader],
        at_a_time: int,
        one: Callable[[Reader, Told], None],
        what: str,
    ) -> None:
        left, finished = iter(readers), 0

        def another() -> None:
            if reader := next(left, None):
                one(reader, done)

        def done(_: Reader) -> None:
            nonlocal finished
            finished += 1
            another()

        for _ in range(at_a_time):
            another()
        self.wait(lambda: finished == len(readers), what)

    def prime(self) -> None:
        """Let `PRIMING` readers live a short life, and forget what was seen of it."""
        readers = [self.reader(number, 6) for number in range(PRIMING)]
        self.open(readers)
        ended = 0

        def end(_: Reader) -> None:
            nonlocal ended
            ended += 1

        for reader in readers:
            reader.on_end = end
            reader.ask(start_of(reader.text.decode()))
        self.wait(lambda: ended == PRIMING, "primed")
        self.close(readers)
        self.loop.rest(REST)
        for seen in (self.seen.ready, self.seen.first, self.seen.gaps):
            del seen[:]
        self.seen.errors.clear()


class Stretch:
    """A stretch of time: the server's CPU, this process's, and the clock."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._server, self._own = scene.cpu(), time.process_time()
        self._began = perf_counter()
        self.server = self.own = self.seconds = 0.0

    def end(self) -> None:
        """Read the clocks."""
        self.seconds = perf_counter() - self._began
        self.server = self._scene.cpu() - self._server
        self.own = time.process_time() - self._own
