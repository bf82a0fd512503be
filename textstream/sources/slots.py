"""The slots of one source: how many run at a time, whose turn it is, and who may wait for one."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

from textstream.access.gate import Admitted, Gate, Ticket
from textstream.access.source_shares import SourceShares
from textstream.errors import TooManyStreams
from textstream.sources.base import SourceRequest

RETRY_SECONDS = 5.0
"""When whoever was refused may try again: about the time of a short answer."""


class Slots:
    """Hands the slots round between clients. ``_lock`` guards who was let in and is on the way."""

    def __init__(self, source: str, limit: int, shares: SourceShares | None = None) -> None:
        """Make them all free.

        Args:
            source: its name, for what is said to those who are refused.
            limit: how many run at a time, 0: any number.
            shares: how many of an address run, and wait; None: any number.

        """
        self._source = source
        self._limit = limit
        self._shares = shares or SourceShares(0, 0)
        self._gate = Gate(limit, per_address=self._running_of)
        self._lock = threading.Lock()
        self._coming: dict[int, str] = {}  # by the token, which would hold itself
        self._coming_of: Counter[str] = Counter()

    def admit(self, request: SourceRequest) -> None:
        """Let a start in; what it is for need not have begun. It is to be generated, or cancelled.

        Raises:
            TooManyStreams: it would wait, and its address has as many that wait as it may.

        """
        address, start = request.caller.address, id(request.cancel)
        with self._lock:
            waiting = self._gate.waiting(address) + self._coming_of[address]
            most = self._shares.waiting_of(address)
            if most and waiting >= most + self._gate.room(address):
                raise TooManyStreams(
                    f"{most} streams from your address wait for the source {self._source} "
                    "already. Start another when one of them has ended.",
                    scope="source",
                    retry_after=RETRY_SECONDS,
                )
            self._coming[start] = address
            self._coming_of[address] += 1
        request.cancel.on_cancel(partial(self._arrived, start))

    def enter(self, request: SourceRequest, admitted: Admitted) -> Ticket:
        """Ask for a slot: see `Gate.enter`."""
        ticket = self._gate.enter(request.caller, admitted)
        self._arrived(id(request.cancel))
        return ticket

    @property
    def running(self) -> int:
        """How many have a slot."""
        return self._gate.inside()

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return self._gate.waiting()

    def _running_of(self, address: str) -> int:
        return self._shares.running_of(address, self._limit)

    def _arrived(self, start: int) -> None:
        """Count a start no longer: it is in the queue by now, or was given up before."""
        with self._lock:
            address = self._coming.pop(start, None)
            if address is None:
                return
            self._coming_of[address] -= 1
            if not self._coming_of[address]:
                del self._coming_of[address]
