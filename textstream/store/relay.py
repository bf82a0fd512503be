"""On the owner: what a process that follows a stream counts for, one reader in place of all its."""

from __future__ import annotations

from typing import Any

from textstream.protocol import EndReason


class Relay:
    """The readers of a stream on another process, as that one reports them.

    An `AttachedReader`: so the source is held, the stream sealed and its grace counted as with
    readers here. The stream's lock guards it.

    Attributes:
        process: whose readers they are.
        readers: how many.
        paused: whether all of them have paused.
        cursor: how far the furthest of them was sent.
        seen: when it was last heard of, by the clock.

    """

    __slots__ = ("connection", "cursor", "first", "parked", "paused", "process", "readers", "seen")

    def __init__(self, process: str, seen: float) -> None:
        self.process = process
        self.connection = f"process {process}"
        self.first = self.cursor = self.readers = 0
        self.paused = self.parked = False
        self.seen = seen

    @property
    def reading(self) -> bool:
        """Whether anybody does."""
        return self.readers > 0

    def end_now(self, reason: EndReason) -> None:
        """Do nothing: its process hears of the end from the store."""

    def settle(self) -> None:
        """Do nothing: its cursor is what it was told."""

    def drop(self, problem: dict[str, Any]) -> None:
        """Do nothing: its process looks itself after who may read."""

    def wake(self) -> None:
        """Do nothing: its process is told of new text by the store."""
