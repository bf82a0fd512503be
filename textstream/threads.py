"""A pool of threads that grows when there is work and shrinks when there is none."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

logger = logging.getLogger("textstream.threads")

IDLE_SECONDS = 10.0
"""How long a thread waits for more work before it ends."""

LATE_SECONDS = 1.0
"""A job that waited so long for a thread is worth a word in the log."""


class ThreadPool:
    """At most `limit` threads that run jobs in the order in which they were submitted.

    Not ``concurrent.futures``: its threads stay until the process ends, and its exit waits for
    them, also for one that hangs.
    """

    def __init__(self, limit: int, name: str, *, cure: str, late: float = LATE_SECONDS) -> None:
        """Make an empty pool.

        Args:
            limit: threads, at most.
            name: of the threads.
            cure: what to do when a job had to wait; logged once.
            late: seconds of waiting that are worth the word.

        """
        self._limit = limit
        self._name = name
        self._cure = cure
        self._late = late
        self._changed = threading.Condition()  # guards everything below
        self._jobs: deque[tuple[float, Callable[[], None]]] = deque()  # with when it came
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._closed = False
        self._warned = False

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` soon. It must not raise. After `close` it is dropped."""
        with self._changed:
            if self._closed:
                return
            self._jobs.append((time.monotonic(), job))
            if self._idle >= len(self._jobs):
                self._changed.notify()
            elif len(self._threads) < self._limit:
                thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._threads.add(thread)
                thread.start()

    def close(self, deadline: float) -> None:
        """Take no more jobs, wait for the running ones until `deadline` (``time.monotonic``)."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._jobs or self._closed, IDLE_SECONDS)
                self._idle -= 1
                if not self._jobs:
                    self._threads.discard(threading.current_thread())
                    return
                came, job = self._jobs.popleft()
            if time.monotonic() - came > self._late and not self._warned:
                self._warned = True
                logger.warning(
                    "all %d %s threads are busy. %s", self._limit, self._name, self._cure
                )
            job()
            del job  # or an idle thread would keep what it last worked on
