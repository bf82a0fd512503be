"""How much is sent, and so how finely time is divided.

A send right behind another costs less than one that comes alone, here and at the client's end: 15
to 20 per cent less with 1,000 readers, measured. So where much is sent, those of one pace are
served at the same moments (`FixedPace.align`). Not everybody at multiples of a coarser tick: 50 ms
are no multiple of 20, and a pace is to stay even.
"""

from __future__ import annotations

LEVELS = ((2_000.0, 0.01), (10_000.0, 0.02))
"""From so many sends a second on, readers of a pace come together in a grain of so many seconds."""

LEAVES_AT = 0.7
"""Of such a number, down to which a level is kept, so that it does not change all the time."""

WINDOW = 0.5
"""Seconds over which sends are counted."""


class Density:
    """Counts sends. The dispatcher's thread only.

    Attributes:
        grain: seconds; 0: each is served when it is due.

    """

    def __init__(self) -> None:
        self.grain = 0.0
        self._level = 0
        self._sends = 0
        self._since = float("-inf")

    def count(self, sends: int, now: float) -> None:
        """Count the sends of a step."""
        self._sends += sends
        passed = now - self._since
        if passed < WINDOW:
            return
        rate = self._sends / passed
        self._sends, self._since = 0, now
        level = sum(rate >= least for least, _ in LEVELS)
        if level < self._level and rate >= LEVELS[self._level - 1][0] * LEAVES_AT:
            return
        self._level = level
        self.grain = LEVELS[level - 1][1] if level else 0.0
