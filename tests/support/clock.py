"""A clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable


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


class ManualTimer(ManualClock):
    """A clock that also calls back, as a dispatcher does, when it comes to the time.

    Attributes:
        calls: what is to be called, and when.

    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        self.calls.append((when, callback))

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass, calling back at each time that was asked for; return the time."""
        end = self.now + seconds
        while due := [call for call in self.calls if call[0] <= end]:
            call = min(due, key=lambda call: call[0])
            self.calls.remove(call)
            self.now = max(self.now, call[0])
            call[1]()
        return super().advance(end - self.now)
