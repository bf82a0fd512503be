"""Sessions that have not completed a Socket.IO CONNECT yet: for how long they may do so."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any


class Newcomers:
    """Closes each session that is not connected so many seconds after its handshake.

    One timer for all of them, in the order in which they came, and no object but a weak reference
    for each: whoever opens thousands should not make the server keep more than that.
    """

    def __init__(
        self,
        seconds: float,
        *,
        is_connected: Callable[[Any], bool],
        close: Callable[[Any], None],
        call_later: Callable[[float, Callable[[], None]], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch nobody yet.

        Args:
            seconds: that a session has.
            is_connected: tells whether one has completed a CONNECT.
            close: closes one; must not block.
            call_later: calls back in so many seconds.
            clock: seconds that only grow.

        """
        self._seconds = seconds
        self._is_connected = is_connected
        self._close = close
        self._call_later = call_later
        self._clock = clock
        self._lock = threading.Lock()  # guards the rest
        self._coming: deque[tuple[float, weakref.ref[Any]]] = deque()
        self._watching = False

    def expect(self, session: Any) -> None:
        """Give `session` its seconds, from now on. It must allow weak references."""
        with self._lock:
            self._coming.append((self._clock() + self._seconds, weakref.ref(session)))
            if self._watching:
                return
            self._watching = True
        self._call_later(self._seconds, self._check)

    def _check(self) -> None:
        for known in self._due():
            session = known()
            if session is not None and not session.closed and not self._is_connected(session):
                self._close(session)

    def _due(self) -> list[weakref.ref[Any]]:
        due = []
        with self._lock:
            now = self._clock()
            while self._coming and self._coming[0][0] <= now:
                due.append(self._coming.popleft()[1])
            self._watching = bool(self._coming)
            left = self._coming[0][0] - now if self._coming else 0.0
        if self._watching:
            self._call_later(left, self._check)
        return due
