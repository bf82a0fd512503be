"""Refusals, so that the log can tell of them: whoever floods the server must not flood that too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

EVERY = 60.0
"""Seconds between two lines of the same kind for the same address."""

REMEMBERED = 4096
"""Kinds and addresses, about: from there on those are forgotten of which nothing was told for
`EVERY` seconds, and if that does not help, all. Their next refusal is told at once."""


class Refusals:
    """Counts who is refused what. Any thread; nothing is called under its lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of none yet; `clock` is in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, int]] = {}  # when told, and how many since

    def __len__(self) -> int:
        """Return how many kinds and addresses are remembered."""
        return len(self._known)

    def count(self, code: str, address: str) -> int:
        """Count one; return how many are to be told now, 0: nothing is."""
        now, key = self._clock(), (code, address)
        with self._lock:
            told, untold = self._known.get(key, (-EVERY, 0))
            if now - told < EVERY:
                self._known[key] = told, untold + 1
                return 0
            if key not in self._known and len(self._known) >= REMEMBERED:
                self._forget(now)
            self._known[key] = now, 0
        return untold + 1

    def _forget(self, now: float) -> None:
        self._known = {k: known for k, known in self._known.items() if now - known[0] < EVERY}
        if len(self._known) >= REMEMBERED:
            self._known.clear()
