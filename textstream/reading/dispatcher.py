"""What serves all readers: hands every due unit to its sink.

`Dispatcher.step` does the work of one moment and needs no clock, no thread and no sleep of its
own, so that tests drive it. `Dispatcher.turn` takes a step when it is time for one. Whoever has a
loop of its own calls it there, and `wait` says when (`Dispatcher.attach`); else `Dispatcher.run` is
the task around it.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from textstream.loggable import fingerprint, log_exception
from textstream.observe.deliveries import Deliveries
from textstream.reading.density import Density
from textstream.reading.reader import Reader
from textstream.reading.run import Run
from textstream.reading.schedule import Schedule
from textstream.reading.short_way import ShortWay

logger = logging.getLogger("textstream.dispatcher")

TICK = 0.005
"""Seconds. Readers are served at multiples of it; units due within one go out together."""

MAX_WAIT = 3600.0
"""Seconds to wait at a time, at most: a lock's timer overflows at some centuries.

A client may ask for one unit in a thousand years.
"""


class Dispatcher:
    """Serves readers when their next unit is due, and calls back at set times.

    ``_lock`` guards what other threads add: ``_new``, ``_woken`` and ``_calls``. It is the
    innermost lock: nothing is called while it is held.
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
        self._new: deque[Reader] = deque()
        self._woken: deque[Reader] = deque()
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._wakeup = threading.Event()
        self._rouse: Callable[[], None] = self._wakeup.set
        self._hosted = False
        self._closed = False
        self._edge = -math.inf  # no step before
        self._due: float | None = -math.inf  # of what the last step knew
        self._order = itertools.count()
        # The step's own: who is due when.
        self._schedule: Schedule[Reader] = Schedule(tick)
        self.deliveries = Deliveries(tick)
        self._runs: ShortWay[Reader] = ShortWay(
            tick, self.deliveries, left=self._end_runs, drop=self._drop
        )
        self._density = Density()
        self._sends = 0  # about, of this step

    @property
    def grain(self) -> float:
        """Seconds in which readers of a pace are served together; 0: each for itself."""
        return self._density.grain

    def wake(self, reader: Reader) -> None:
        """Serve `reader` in the next step. Any thread, any lock held."""
        with self._lock:
            self._woken.append(reader)
        self._rouse()

    def begin(self, reader: Reader) -> None:
        """Serve `reader` for the first time, in the next turn. Any thread, any lock held.

        It need not wait for the others' tick, where that costs no switch of threads: a first
        character is what somebody waits for.
        """
        with self._lock:
            self._new.append(reader)
        self._rouse()

    def add_run(self, run: Run[Reader]) -> None:
        """Serve `run` whenever it is due. The dispatcher's thread only: out of a reader's step."""
        self._runs.add(run, alone=len(run.reader.stream.readers) <= 1)

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        """Call `callback` in a step at or after `when`. Any thread, any lock held."""
        call = (when, next(self._order), callback)
        with self._lock:
            heapq.heappush(self._calls, call)
            first = self._calls[0] is call
        if first:  # else whoever waits will be there before
            self._rouse()

    def step(self, now: float) -> float | None:
        """Serve everyone due at `now`; return when to be called next, None: when woken."""
        self.deliveries.begin(now)
        self._serve_new(now)
        with self._lock:
            woken, self._woken = self._woken, deque()
            calls = []
            while self._calls and self._calls[0][0] <= now:
                calls.append(heapq.heappop(self._calls)[2])
        for reader in woken:
            self._schedule.remove(reader)
        self._serve(dict.fromkeys(woken), now)
        for late, _, readers in self._schedule.take(now):
            self.deliveries.was_late(late, len(readers))
            self._serve(readers, now)
        self._sends += self._runs.step(now)
        self._density.count(self._sends, now)
        self._sends = 0
        for callback in calls:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                log_exception(logger, "a timed call failed", error=error)
        return self._next_due(now)

    def wait(self) -> float | None:
        """Return the seconds until it is time for a turn; None: not before somebody is woken."""
        with self._lock:
            if self._new and self._hosted and not self._closed:
                return 0.0
            due = -math.inf if self._woken or self._new else self._due
            if self._calls and (due is None or self._calls[0][0] < due):
                due = self._calls[0][0]
        if due is None or self._closed:
            return None
        return min(max(due, self._edge) - self._clock(), MAX_WAIT)

    def turn(self) -> None:
        """Take a step, if it is time for one. One thread only."""
        wait = self.wait()
        if wait is None or wait > 0:
            return
        now = self._clock()
        if self._new and now < self._edge:
            self.begin_new()
            return
        # Never two steps within one tick, or a source that appends character by character
        # would have a step for each. To the next multiple of the tick: readers are due then.
        self._edge = (math.floor(now / self._tick) + 1) * self._tick
        self._due = self.step(now)

    def begin_new(self) -> None:
        """Serve those that begin. Where turns are taken, and in that thread only."""
        if self._new:
            now = self._clock()
            self.deliveries.begin(now)
            soonest = self._serve_new(now)
            for due in (soonest, self._runs.next_due()):
                if due is not None and (self._due is None or due < self._due):
                    self._due = due

    def attach(self, rouse: Callable[[], None]) -> None:
        """Let another loop take the turns, instead of `run`, from now on and in one thread.

        Args:
            rouse: makes that loop ask again how long to `wait`. Called by any thread, with any
                lock held.

        """
        self._rouse, self._hosted = rouse, True
        rouse()

    def run(self) -> None:
        """Take turns until closed. Costs nothing while no reader is due."""
        while not self._closed:
            self._wakeup.clear()
            self.turn()
            self._sleep(max(0.0, self._edge - self._clock()))
            wait = self.wait()
            if wait is None:
                self._wakeup.wait()
            elif wait > 0:
                self._wakeup.wait(wait)

    def counts(self) -> dict[str, int]:
        """Return how many readers and runs are scheduled, about, and how many timed calls."""
        return {
            "readers": len(self._schedule),
            "runs": len(self._runs),
            "woken": len(self._woken) + len(self._new),
            "calls": len(self._calls),
        }

    def close(self) -> None:
        """End `run`; take no more turns. Doing it again does nothing."""
        self._closed = True
        self._wakeup.set()

    def _serve_new(self, now: float) -> float | None:
        """Serve those that begin; return when one of them is due again, by itself."""
        if not self._new:
            return None
        with self._lock:
            new, self._new = self._new, deque()
        for reader in new:
            self._schedule.remove(reader)  # it may have been woken before, by its source
        return self._serve(new, now)

    def _end_runs(self, runs: Iterable[Run[Reader]], now: float) -> None:
        """Take the long way now, not after the others: their units are due like theirs."""
        for run in runs:
            if run.reader.end_run(run):
                self._serve((run.reader,), now)

    def _serve(self, readers: Iterable[Reader], now: float) -> float | None:
        """Serve `readers`; return when the first of them is due again, by itself."""
        put, first = self._schedule.put, math.inf
        for reader in readers:
            self._sends += 1
            try:
                due = reader.step(now)
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                self._drop(reader, error)
                continue
            if due is not None:
                first = min(first, put(reader, due) or first)
        return None if first == math.inf else (first - 1) * self._tick

    @staticmethod
    def _drop(reader: Reader, error: Exception) -> None:
        shown = fingerprint(reader.stream.id)
        log_exception(logger, "stream %s: a reader failed and was dropped", shown, error=error)
        reader.drop()

    def _next_due(self, now: float) -> float | None:
        with self._lock:
            if self._woken or self._new:
                return now
            called = self._calls[0][0] if self._calls else None
        times = (called, self._schedule.next_due(), self._runs.next_due())
        return min((time for time in times if time is not None), default=None)
