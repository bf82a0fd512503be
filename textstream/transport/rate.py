"""How many of something there may be in a second."""

from __future__ import annotations

import time
from collections.abc import Callable


class Rate:
    """Counts up to so many in each second, which begins with the first that comes in it.

    Not `Intake`: that counts what has come already, of two kinds, and stops reading.
    """

    __slots__ = ("_clock", "_count", "_most", "_second")

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let `most` come in a second; `clock` is in seconds."""
        self._most = most
        self._clock = clock
        self._second = float("-inf")  # when the current second began, and
        self._count = 0  # how many came in it

    def delay(self) -> float:
        """Count one; or return the seconds to wait before asking again, uncounted."""
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._count = now, 0
        if self._count >= self._most:
            return self._second + 1 - now
        self._count += 1
        return 0.0
