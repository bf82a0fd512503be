"""How often an address may do something: ``60/minute``, ``60/minute; 1000/day``."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from limits import RateLimitItem, parse_many
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

SWEEP = 1024
"""Keys entered between two looks for those that nobody needs any more."""

Rate = tuple[RateLimitItem, ...]
"""Windows that all hold; none of them is no limit."""


def parse_rate(text: str) -> Rate:
    """Return the windows of ``60/minute; 1000/day``; none for ``0`` and for nothing.

    Raises:
        ValueError: it is no rate.

    """
    if text.strip() in {"", "0"}:
        return ()
    try:
        windows = tuple(parse_many(text))
    except ValueError:
        windows = ()
    if not windows or any(window.amount < 1 for window in windows):
        raise ValueError(f'a rate looks like "60/minute; 1000/day", or 0 for none, not "{text}"')
    return windows


class _Memory(Storage, MovingWindowSupport):
    """The times of the last hits of each key, in this process, by a monotonic clock.

    Not ``limits``' own: that has a thread for each moment in which it cleans up, tells the time by
    the wall clock, and moves all entries of a key for each new one.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._hits: dict[str, tuple[float, deque[float]]] = {}
        self._entered = 0

    def __len__(self) -> int:
        return len(self._hits)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a hit, unless there were `limit` in the last `expiry` seconds."""
        now = self._clock()
        known = self._hits.get(key)
        if known is None:
            self._sweep(now)
            known = self._hits[key] = (expiry, deque(maxlen=limit))
        hits = known[1]
        if len(hits) + amount > limit and hits and hits[0] > now - expiry:
            return False
        hits.append(now)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return when the oldest hit in the window was, and how many there are."""
        now = self._clock()
        _, hits = self._hits.get(key, (0.0, deque[float]()))
        while hits and hits[0] <= now - expiry:
            hits.popleft()
        return (hits[0] if hits else now), len(hits)

    def _sweep(self, now: float) -> None:
        self._entered += 1
        if self._entered % SWEEP == 0:
            over = [key for key, (span, hits) in self._hits.items() if hits[-1] <= now - span]
            for key in over:
                del self._hits[key]

    # What the library's other strategies need, and nobody calls.

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        self._hits.clear()
        return None

    def clear(self, key: str) -> None:
        self._hits.pop(key, None)


class Rates:
    """Who did what how often. Any thread; ``_lock`` guards it, and nothing is called under it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of nothing yet; `clock` is in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._memory = _Memory(clock)
        self._limiter = MovingWindowRateLimiter(self._memory)

    @property
    def remembered(self) -> int:
        """The number of those of whom anything is remembered."""
        return len(self._memory)

    def take(self, rate: Rate, what: str, who: str) -> float:
        """Count it, and return 0; or count nothing, and return the seconds until it may be done.

        Args:
            rate: how often it may be.
            what: is done.
            who: does it.

        """
        if not rate:
            return 0.0
        with self._lock:
            if len(rate) == 1 and self._limiter.hit(rate[0], what, who):
                return 0.0  # nearly always; a hit of one of several windows could not be taken back
            wait = self._wait(rate, what, who)
            if wait > 0:
                return wait
            for window in rate:
                self._limiter.hit(window, what, who)
        return 0.0

    def wait(self, rate: Rate, what: str, who: str) -> float:
        """Return the seconds until it may be done, 0: it may now. Nothing is counted."""
        with self._lock:
            return self._wait(rate, what, who)

    def _wait(self, rate: Rate, what: str, who: str) -> float:
        wait = 0.0
        for window in rate:
            if not self._limiter.test(window, what, who):
                reset = self._limiter.get_window_stats(window, what, who).reset_time
                wait = max(wait, reset - self._clock())
        return math.ceil(wait * 1000) / 1000
