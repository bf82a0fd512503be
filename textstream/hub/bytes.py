"""The bytes of text that all streams keep."""

from __future__ import annotations

import threading
from collections.abc import Callable


class ByteCount:
    """Bytes that several logs keep together. Any thread; an innermost lock guards it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limit = float("inf")
        self._reached: Callable[[], None] = lambda: None
        self.total = 0

    def tell(self, limit: int, reached: Callable[[], None]) -> None:
        """Call `reached` each time the total comes from below `limit` to it or above.

        It is called by whoever adds, with the locks held that this one holds: it must take none
        but the dispatcher's, and return at once.
        """
        with self._lock:
            self._limit, self._reached = limit, reached

    def add(self, nbytes: int) -> None:
        """Count `nbytes` more; fewer, if it is negative."""
        with self._lock:
            before = self.total
            self.total = after = before + nbytes
        if before < self._limit <= after:
            self._reached()
