"""Waiting for what happens on other threads, always with a bound."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from tests.support.timing import patient
from textstream.sources.base import Wait

LONG = patient(30.0)
"""Seconds that nothing takes that works, however busy the machine."""

_POLL = threading.Event()


def wait_until(predicate: Callable[[], bool], timeout: float = LONG) -> float:
    """Wait until `predicate` holds; return the seconds that it took."""
    started = time.monotonic()
    while not predicate():
        if time.monotonic() - started > timeout:
            raise AssertionError(f"not within {timeout} s: {predicate}")
        _POLL.wait(0.002)
    return time.monotonic() - started


def texts(generator: Iterator[str | Wait]) -> Generator[str, None, Any]:
    """Iterate a source as a thread of its own would: where it waits, block."""
    try:
        while True:
            try:
                piece = next(generator)
            except StopIteration as stop:
                return stop.value
            if isinstance(piece, Wait):
                over = threading.Event()
                piece.then(over.set)
                assert over.wait(LONG), "it was never told to go on"
            else:
                yield piece
    finally:
        generator.close()  # type: ignore[attr-defined]  # those of sources are generators


class Consumer(threading.Thread):
    """Iterates a generator on a thread of its own.

    Attributes:
        pieces: what it yielded so far.
        result: what it returned.
        error: what it raised.
        ended_at: when, on the monotonic clock.

    """

    def __init__(self, generator: Iterator[str | Wait]) -> None:
        super().__init__(name="consumer", daemon=True)
        self.generator = texts(generator)
        self.pieces: list[str] = []
        self.result: Any = None
        self.error: Exception | None = None
        self.ended_at = 0.0
        self.start()

    def run(self) -> None:
        """Iterate to the end."""
        try:
            while True:
                self.pieces.append(next(self.generator))
        except StopIteration as stop:
            self.result = stop.value
        except Exception as error:  # noqa: BLE001 (told to the test)
            self.error = error
        self.ended_at = time.monotonic()

    def finish(self, timeout: float = LONG) -> str:
        """Wait for the end; return the text, or raise what the generator raised."""
        self.join(timeout)
        assert not self.is_alive(), "the generator still runs"
        if self.error:
            raise self.error
        return "".join(self.pieces)
