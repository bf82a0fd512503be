"""What comes from other threads to a generator, which holds no thread until it is there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from typing import Generic, TypeVar

from textstream.sources.base import Wait

T = TypeVar("T")


class Arrivals(Generic[T]):
    """A queue from any thread to one generator. ``_lock`` guards it; no wait is ended under it."""

    __slots__ = ("_items", "_lock", "_wait")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: deque[T] = deque()
        self._wait: Wait | None = None

    def __len__(self) -> int:
        """Return how many were not taken yet."""
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item, and wake the generator if it waits. Any thread."""
        with self._lock:
            self._items.append(item)
            wait, self._wait = self._wait, None
        if wait:
            wait.over()

    def take(self) -> Generator[Wait, None, T]:
        """Return the next item; wait for it only if there is none. For ``yield from``."""
        while not self._items:
            with self._lock:
                if self._items:
                    break
                wait = self._wait = Wait()
            yield wait
        return self._items.popleft()
