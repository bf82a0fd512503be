"""What takes turns in the reactor's thread, beside the sockets; and a turn that takes too long."""

from __future__ import annotations

import logging
from typing import Protocol

from textstream.observe.figures import Histogram

logger = logging.getLogger("textstream.transport")

SHARE = 0.002
"""Seconds of work with sockets and calls after which the guest is asked, within a turn."""

LONG = 0.05
"""Seconds from which on a turn is long: whoever is due meanwhile is late by as much."""

QUIET = 60.0
"""Seconds between two lines of the log that say so."""


class Guest(Protocol):
    """Has work at times of its own."""

    def wait(self) -> float | None:
        """Return the seconds until it has work, 0 or less: now; None: not before it is woken."""
        ...

    def turn(self) -> None:
        """Do the work that is due, if any is."""
        ...


class LongTurns:
    """Says now and then in the log that a turn took long, and what it did."""

    def __init__(self) -> None:
        self._quiet_until = float("-inf")
        self.seconds = Histogram()
        """What the turns took that were noted, long or not."""

    def note(self, began: float, ended: float, sockets: int, calls: int, guest: float) -> None:
        """Note a turn.

        Args:
            began: seconds of the reactor's clock.
            ended: the same.
            sockets: how many were ready.
            calls: how many were made, those of timers among them.
            guest: seconds that the guest took of it.

        """
        self.seconds.observe(ended - began)
        if ended - began < LONG or ended < self._quiet_until:
            return
        self._quiet_until = ended + QUIET
        logger.warning(
            "a turn of the reactor took %.0f ms: %d sockets, %d calls; of it readers %.0f ms",
            (ended - began) * 1000,
            sockets,
            calls,
            guest * 1000,
        )
