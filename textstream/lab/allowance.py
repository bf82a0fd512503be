"""What a client may do so many times a second. Pure: the time is a parameter."""

from __future__ import annotations


class Allowance:
    """Allows `rate` of something per second, and what was not used for a while at once.

    The generic cell rate algorithm (ITU-T I.371, annex A): all that is kept is when it will be
    whole again.
    """

    __slots__ = ("_burst", "_rate", "_whole_at")

    def __init__(self, rate: float, now: float, burst_seconds: float) -> None:
        """Make a whole one.

        Args:
            rate: how many per second, above 0.
            now: seconds, of any clock that does not run backwards.
            burst_seconds: how much of an idle time may be made good at once; one, at least, always.

        """
        self._rate = rate
        self._burst = max(1.0, rate * burst_seconds)
        self._whole_at = now

    def allows(self, count: int, now: float) -> bool:
        """Return whether `count` may be done now."""
        used = max(0.0, self._whole_at - now) * self._rate
        # The millionth is for rounding: who comes just in time must not come in vain.
        return used + count <= self._burst + 1e-6

    def is_whole(self, now: float) -> bool:
        """Return whether nothing is taken off it any more."""
        return self._whole_at <= now

    def spend(self, count: int, now: float) -> None:
        """Take `count` off it."""
        self._whole_at = max(self._whole_at, now) + count / self._rate
