"""One background task that serves all readers: hands every due unit to its sink.

`Dispatcher.step` does the work of one moment and needs no clock, no thread and no sleep of its
own, so that tests drive it. `Dispatcher.run` is the task around it.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from textstream.subscription import Subscription

logger = logging.getLogger("textstream.dispatcher")

TICK = 0.005
"""Seconds between two steps, at least. Units due within one go out together."""

MAX_WAIT = 3600.0
"""Seconds to wait at a time, at most: a lock's timer overflows at some centuries.

A client may ask for one unit in a thousand years.
"""

STALE_ENTRIES = 64
"""Outdated entries that the heap may hold beside as many as there are readers due."""


class Dispatcher:
    """Serves readers when their next unit is due, and calls back at set times.

    ``_lock`` guards what other threads add: ``_woken`` and ``_calls``. It is the innermost lock:
    nothing is called while it is held.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Any],
        tick: float = TICK,
    ) -> None:
        """Make a dispatcher.

        Args:
            clock: seconds, monotonic.
            sleep: waits so many seconds, as the async mode wants it.
            tick: seconds between two steps, at least.

        """
        self._clock = clock
        self._sleep = sleep
        self._tick = tick
        self._lock = threading.Lock()
        self._woken: deque[Subscription] = deque()
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._wakeup = threading.Event()
        self._closed = False
        self._order = itertools.count(1)
        # The step's own: when each reader is due next. An entry counts only if the reader holds
        # its number as a ticket; replacing an entry in the heap would cost a search.
        self._heap: list[tuple[float, int, Subscription]] = []
        self._tickets = 0

    def wake(self, reader: Subscription) -> None:
        """Serve `reader` in the next step. Any thread, any lock held."""
        with self._lock:
            self._woken.append(reader)
        self._wakeup.set()

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        """Call `callback` in a step at or after `when`. Any thread, any lock held."""
        with self._lock:
            heapq.heappush(self._calls, (when, next(self._order), callback))
        self._wakeup.set()

    def step(self, now: float) -> float | None:
        """Serve everyone due at `now`; return when to be called next, None: when woken."""
        with self._lock:
            woken, self._woken = self._woken, deque()
            calls = []
            while self._calls and self._calls[0][0] <= now:
                calls.append(heapq.heappop(self._calls)[2])
        for reader in dict.fromkeys(woken):
            self._serve(reader, now)
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap))
        for _, number, reader in due:
            if reader.ticket == number:
                self._serve(reader, now)
        for callback in calls:
            try:
                callback()
            except Exception:
                logger.exception("a timed call failed")
        return self._next_due(now)

    def run(self) -> None:
        """Step until closed. Costs nothing while no reader is due."""
        while not self._closed:
            self._wakeup.clear()
            started = self._clock()
            due = self.step(started)
            if due is None:
                self._wakeup.wait()
            else:
                self._wait_until(due)
            # Never two steps within one tick, or a source that appends character by character
            # would have a step for each.
            self._sleep(max(0.0, started + self._tick - self._clock()))

    def close(self) -> None:
        """End `run`. Doing it again does nothing."""
        self._closed = True
        self._wakeup.set()

    def _wait_until(self, due: float) -> None:
        delay = due - self._clock()
        if delay > self._tick:
            self._wakeup.wait(min(delay, MAX_WAIT))

    def _serve(self, reader: Subscription, now: float) -> None:
        if reader.ticket:
            reader.ticket = 0
            self._tickets -= 1
        try:
            due = reader.step(now)
        except Exception:
            logger.exception("stream %s: a reader failed and was dropped", reader.stream.id)
            reader.drop()
            return
        if due is not None:
            number = reader.ticket = next(self._order)
            self._tickets += 1
            heapq.heappush(self._heap, (due, number, reader))

    def _next_due(self, now: float) -> float | None:
        with self._lock:
            if self._woken:
                return now
            times = [self._calls[0][0]] if self._calls else []
        if len(self._heap) > 2 * self._tickets + STALE_ENTRIES:
            # A reader that was due far in the future is not to be kept until then.
            self._heap = [entry for entry in self._heap if entry[2].ticket == entry[1]]
            heapq.heapify(self._heap)
        while self._heap and self._heap[0][2].ticket != self._heap[0][1]:
            heapq.heappop(self._heap)
        if self._heap:
            times.append(self._heap[0][0])
        return min(times, default=None)
