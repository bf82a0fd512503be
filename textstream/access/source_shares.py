"""How much of one source somebody may have: at a time, and waiting."""

from __future__ import annotations

from dataclasses import dataclass

from textstream.access.address import is_loopback
from textstream.access.caller import Caller

RUNNING = 2
WAITING = 4
"""Of one who comes from elsewhere, by default."""

WAITING_HERE = 64
"""Of one on this machine."""


@dataclass(frozen=True)
class SourceShares:
    """The shares of each address; None: sane for an address elsewhere, generous on loopback.

    A user's are its quota's in place of its address's, and the same where that says nothing.

    Attributes:
        running: answers at a time, 0: any number. By default 2; on loopback one less than the
            source's slots, so that others always find one, but at least 1.
        waiting: starts that wait for a slot, 0: any number. By default 4; on loopback 64.

    """

    running: int | None = None
    waiting: int | None = None

    def running_of(self, caller: Caller, slots: int) -> int:
        """Return how many of a caller's may run at a time, of a source with so many slots."""
        given = self.running if caller.quota is None else caller.quota.running
        if given is not None:
            return given
        if not is_loopback(caller.address):
            return RUNNING
        return max(1, slots - 1) if slots else 0

    def waiting_of(self, caller: Caller) -> int:
        """Return how many of a caller's may wait."""
        given = self.waiting if caller.quota is None else caller.quota.waiting
        if given is not None:
            return given
        return WAITING_HERE if is_loopback(caller.address) else WAITING
