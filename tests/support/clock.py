"""A clock that stands still until a test moves it."""

from __future__ import annotations


class ManualClock:
    """Seconds. Call it for the time, `advance` it to let time pass."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        # Not 0: a clock that is not near its origin shows rounding that a fresh one hides.
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass; return the time."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self.now += seconds
        return self.now
