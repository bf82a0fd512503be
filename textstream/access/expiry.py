"""When who is connected has expired: one timer for all of them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

COARSE = 1.0
"""Seconds between two looks, at least. Each goes through all who expire: 10,000 take 1 ms."""

FARTHEST = 3600.0
"""Seconds to the next look, at most: one that was asked for is kept until then, whatever comes."""

CallAt = Callable[[float, Callable[[], None]], None]


class Expiries:
    """Connections that are good for a time. Any thread.

    Not a timer for each: most are gone, or have a newer token, long before, and their timers would
    be kept until then. ``_lock`` guards the rest; nothing is called under it but `call_at`.
    """

    def __init__(
        self,
        on_over: Callable[[str], None],
        *,
        call_at: CallAt,
        clock: Callable[[], float],
    ) -> None:
        """Watch nobody yet.

        Args:
            on_over: told of a connection whose time is over; it is not watched any more.
            call_at: calls at a time of the clock, or a little later.
            clock: seconds, monotonic.

        """
        self._on_over = on_over
        self._call_at = call_at
        self._clock = clock
        self._lock = threading.Lock()
        self.ends: dict[str, float] = {}
        """Who is watched, and until when; for others to read only."""
        self._looks = math.inf  # when it looks next

    def __len__(self) -> int:
        """Return how many are watched."""
        return len(self.ends)

    def watch(self, connection: str, seconds: float | None) -> None:
        """Let a connection be over in so many seconds, whatever was said before; None: never."""
        with self._lock:
            if seconds is None:
                self.ends.pop(connection, None)
                return
            now = self._clock()
            self.ends[connection] = now + seconds
            when = min(now + seconds, now + FARTHEST)
            # Not for less: each of those whose time falls and falls would leave a call behind.
            if when < self._looks - COARSE:
                self._look_at(when)

    def forget(self, connection: str) -> None:
        """Watch a connection no more."""
        self.watch(connection, None)

    def _look_at(self, when: float) -> None:
        self._looks = when
        self._call_at(when, lambda: self._look(when))

    def _look(self, when: float) -> None:
        with self._lock:
            if when != self._looks:
                return  # another look comes before, and goes on from there
            now = self._clock()
            over = [one for one, end in self.ends.items() if end <= now]
            for one in over:
                del self.ends[one]
            self._looks = math.inf
            if self.ends:
                soonest = max(min(self.ends.values()), now + COARSE)
                self._look_at(min(soonest, now + FARTHEST))
        for one in over:
            self._on_over(one)
