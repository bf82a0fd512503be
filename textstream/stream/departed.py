"""Where readers stood that have gone, for their return."""

from __future__ import annotations

from collections import deque

MAX_DEPARTED = 1024
"""Cursors that are remembered for one stream."""


class Departed:
    """The cursors of readers that left one stream. The stream's lock guards it."""

    __slots__ = ("_cursors",)

    def __init__(self) -> None:
        self._cursors: deque[int] | None = None  # made when it is needed: it takes 600 bytes

    def remember(self, cursor: int) -> None:
        """Remember where a reader stood."""
        if self._cursors is None:
            self._cursors = deque(maxlen=MAX_DEPARTED)
        self._cursors.append(cursor)

    def recall(self, offset: int) -> int:
        """Return how far a reader had come that left and now resumes at `offset`.

        Readers have no names: it is taken for the one that stood closest behind `offset`. That
        one is forgotten. With none, it is `offset` itself.
        """
        if self._cursors is None:
            return offset
        reached = min((cursor for cursor in self._cursors if cursor >= offset), default=None)
        if reached is None:
            return offset
        self._cursors.remove(reached)
        return reached
