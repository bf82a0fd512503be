"""One timer for many that wait equally long."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from textstream.loggable import log_exception

logger = logging.getLogger("textstream.transport")


class Delay:
    """Calls something for each of many, the same time after each was added.

    One timer for all of them, in the order in which they came, and no object but a weak reference
    for each: whoever opens thousands of connections should not make the server keep more than that,
    nor sort as many timers.
    """

    def __init__(
        self,
        call: Callable[[Any], None],
        *,
        call_later: Callable[[float, Callable[[], None]], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wait for nobody yet.

        Args:
            call: is called for each that is still there; must not block.
            call_later: calls back in so many seconds.
            clock: seconds that only grow.

        """
        self._call = call
        self._call_later = call_later
        self._clock = clock
        self._lock = threading.Lock()  # guards the rest
        self._waiting: deque[tuple[float, weakref.ref[Any]]] = deque()
        self._set = False  # whether there is a timer

    def add(self, one: Any, seconds: float) -> None:
        """Call for `one`, which must allow weak references, in so many `seconds`. Any thread.

        The same for all: nobody's turn comes before those of whoever was added before.
        """
        due = self._clock() + seconds
        with self._lock:
            self._waiting.append((due, weakref.ref(one)))
            if self._set:
                return
            self._set = True
        self._call_later(seconds, self._check)

    def _check(self) -> None:
        for known in self._due():
            one = known()
            if one is not None:
                try:
                    self._call(one)
                except Exception as error:  # noqa: BLE001 (of whatever kind; the others wait)
                    log_exception(logger, "a call that was due failed", error=error)

    def _due(self) -> list[weakref.ref[Any]]:
        due = []
        with self._lock:
            now = self._clock()
            while self._waiting and self._waiting[0][0] <= now:
                due.append(self._waiting.popleft()[1])
            # Looked at here: behind the lock whoever adds the next one has a timer of its own set.
            again = self._set = bool(self._waiting)
            left = self._waiting[0][0] - now if self._waiting else 0.0
        if again:
            self._call_later(left, self._check)
        return due
