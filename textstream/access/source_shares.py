"""How much of one source an address may have: at a time, and waiting."""

from __future__ import annotations

from dataclasses import dataclass

from textstream.access.address import is_loopback

RUNNING = 2
WAITING = 4
"""Of an address elsewhere, by default."""

WAITING_HERE = 64
"""Of this machine's own address."""


@dataclass(frozen=True)
class SourceShares:
    """The shares of each address; None: sane for an address elsewhere, generous on loopback.

    Attributes:
        running: answers at a time, 0: any number. By default 2; on loopback one less than the
            source's slots, so that others always find one, but at least 1.
        waiting: starts that wait for a slot, 0: any number. By default 4; on loopback 64.

    """

    running: int | None = None
    waiting: int | None = None

    def running_of(self, address: str, slots: int) -> int:
        """Return how many of an address may run at a time, of a source with so many slots."""
        if self.running is not None:
            return self.running
        if not is_loopback(address):
            return RUNNING
        return max(1, slots - 1) if slots else 0

    def waiting_of(self, address: str) -> int:
        """Return how many of an address may wait."""
        if self.waiting is not None:
            return self.waiting
        return WAITING_HERE if is_loopback(address) else WAITING
