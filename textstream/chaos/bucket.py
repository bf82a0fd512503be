"""A token bucket: bytes, or whatever is counted, per second. Pure: the time is a parameter."""

from __future__ import annotations

BURST_SECONDS = 0.1
"""How much of an idle time may be made good at once."""


class TokenBucket:
    """Allows `rate` bytes per second, and what was not used for a short time at once."""

    def __init__(self, rate: float, now: float, burst_seconds: float = BURST_SECONDS) -> None:
        """Make a full bucket.

        Args:
            rate: bytes per second, above 0.
            now: seconds, of any clock that does not run backwards.
            burst_seconds: how much of an idle time may be made good at once.

        """
        self._rate = rate
        self._burst = max(1.0, rate * burst_seconds)
        self._tokens = self._burst
        self._at = now

    def available(self, now: float) -> int:
        """Return how many bytes may go now."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0, int(self._tokens))

    def take(self, count: int) -> None:
        """Take `count` bytes out, of those that `available` allowed."""
        self._tokens -= count

    def due(self, wanted: int) -> float:
        """Return when `wanted` bytes, or as many as fit in the bucket, may go at once."""
        missing = max(1.0, min(self._burst, float(wanted))) - self._tokens
        # The microsecond is for rounding: who comes at that time must not come in vain.
        return self._at + max(0.0, missing) / self._rate + 1e-6
