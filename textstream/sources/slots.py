"""The slots of one source: how many run at a time, whose turn it is, and who may wait for one."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

from textstream.access.caller import Caller
from textstream.access.gate import Admitted, Gate, Ticket
from textstream.access.source_shares import SourceShares
from textstream.errors import TooManyStreams
from textstream.sources.base import CancelToken, SourceRequest

RETRY_SECONDS = 5.0
"""When whoever was refused may try again: about the time of a short answer."""


class Slots:
    """Hands the slots round between clients. ``_lock`` guards who was let in and is on the way."""

    def __init__(self, source: str, limit: int, shares: SourceShares | None = None) -> None:
        """Make them all free.

        Args:
            source: its name, for what is said to those who are refused.
            limit: how many run at a time, 0: any number.
            shares: how many of an address or a user run, and wait; None: any number.

        """
        self._source = source
        self._limit = limit
        self._shares = shares or SourceShares(0, 0)
        self._gate = Gate(limit, most_of=self._running_of)
        self._lock = threading.Lock()
        self._coming: dict[CancelToken, Caller] = {}  # in the order of coming
        self._coming_of: Counter[str] = Counter()

    def admit(self, request: SourceRequest) -> int:
        """Let a start in; what it is for need not have begun. It is to be generated, or cancelled.

        Returns:
            Its place in the line, 1 is next; 0: it need not wait.

        Raises:
            TooManyStreams: it would wait, and whoever asks has as many that wait as it may.

        """
        caller = request.caller
        with self._lock:
            waiting = self._gate.waiting(caller.who) + self._coming_of[caller.who]
            most = self._shares.waiting_of(caller)
            place = self._gate.place(caller, tuple(self._coming.values()))
            if most and waiting >= most + self._gate.room(caller):
                whose = "you" if caller.user else "your address"
                raise TooManyStreams(
                    f"{most} streams from {whose} wait for the source {self._source} "
                    "already. Start another when one of them has ended.",
                    scope="source",
                    retry_after=RETRY_SECONDS,
                    position=place,
                )
            self._coming[request.cancel] = caller
            self._coming_of[caller.who] += 1
        request.cancel.on_cancel(partial(self._arrived, request.cancel))
        return place

    def enter(self, request: SourceRequest, admitted: Admitted) -> Ticket:
        """Ask for a slot: see `Gate.enter`."""
        ticket = self._gate.enter(request.caller, admitted, what=request.cancel)
        self._arrived(request.cancel)
        return ticket

    def places(self) -> dict[CancelToken, int | None]:
        """Return the place of each that waits, 1 is next; None for those on the way."""
        with self._lock:
            found: dict[CancelToken, int | None] = dict.fromkeys(self._coming)
        for ticket, place in self._gate.places():
            assert isinstance(ticket.what, CancelToken)  # noqa: S101 (see `enter`)
            found[ticket.what] = place
        return found

    @property
    def running(self) -> int:
        """How many have a slot."""
        return self._gate.inside()

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return self._gate.waiting()

    def _running_of(self, caller: Caller) -> int:
        return self._shares.running_of(caller, self._limit)

    def _arrived(self, start: CancelToken) -> None:
        """Count a start no longer: it is in the queue by now, or was given up before."""
        with self._lock:
            caller = self._coming.pop(start, None)
            if caller is None:
                return
            self._coming_of[caller.who] -= 1
            if not self._coming_of[caller.who]:
                del self._coming_of[caller.who]
