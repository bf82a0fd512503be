"""Work that takes its time and no thread: how much of it there may be."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from textstream.errors import RateLimited
from textstream.lab.limits import LabLimits

CallAt = Callable[[float, Callable[[], None]], None]
"""``Dispatcher.call_at``: calls back at a time of ``time.monotonic``."""


class Works:
    """Timers of the dispatcher, bounded for each client and in all. ``_lock`` guards the counts."""

    def __init__(self, call_at: CallAt, limits: LabLimits) -> None:
        """Make an empty one."""
        self._call_at = call_at
        self._limits = limits
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    def admit(self, sid: str) -> None:
        """Take on a work of the client; `start` must follow.

        Raises:
            RateLimited: it has too many, or all have. One that has gone counts until its end.

        """
        with self._lock:
            if self._running[sid] >= self._limits.works:
                raise RateLimited(f"{self._limits.works} requests are in work; wait for an answer")
            if self._running.total() >= self._limits.works_in_all:
                raise RateLimited("the server has too many requests in work; wait a little")
            self._running[sid] += 1

    def start(self, sid: str, done: Callable[[], None]) -> None:
        """Do an admitted work: call `done` in the dispatcher's thread when it is over."""

        def end() -> None:
            with self._lock:
                self._running[sid] -= 1
                if not self._running[sid]:
                    del self._running[sid]
            done()

        self._call_at(time.monotonic() + self._limits.work, end)
