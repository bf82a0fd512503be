"""Large messages take turns: one at a time of an address, and a few in all.

Each is kept several times while it is parsed: sixty of 2 MB at once were 158 MB. With places they
are handled about as fast, for one thread at a time runs Python, and the others wait in their
senders' kernels: 160 texts on as many connections are 27 MB with one place, 35 with two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from textstream.access.caller import Caller
from textstream.access.gate import Gate, Ticket
from textstream.transport.bounds import LARGE, Bounds

ASKS = LARGE // 2
"""Bytes of an unfinished message from which on it asks for a place.

Not `LARGE`, from which on it is kept several times: 160 that waited would keep 11 MB already.
"""


class Turns:
    """The places of one server. Any thread; who leaves calls back who is next, with no lock held.

    A place is taken when a message is about to be large, and left when its handler has returned.
    """

    def __init__(self, bounds: Bounds) -> None:
        """Make as many places as `bounds` say."""
        self._gate = Gate(bounds.large_in_all, most_of=lambda _: bounds.large_at_once)

    def ask(self, caller: Caller, admitted: Callable[[Ticket], None]) -> Ticket:
        """Ask for a place, as `enter`; `admitted` is called with the ticket."""
        return self._gate.enter(caller, admitted)

    def enter(self, caller: Caller, admitted: Callable[[], None]) -> Ticket:
        """Ask for a place; `admitted` is called once when there is one, maybe before this returns.

        The ticket must be left, also by who has not been admitted.
        """
        return self._gate.enter(caller, lambda _ticket: admitted())

    def wait(self, caller: Caller, timeout: float) -> Ticket | None:
        """Wait `timeout` seconds at most for a place, in a thread that may block.

        Return its ticket, which must be left; None if there was none in time.
        """
        free = threading.Event()
        ticket = self._gate.enter(caller, lambda _ticket: free.set())
        if free.wait(timeout) or ticket.inside:
            return ticket
        ticket.leave()
        return None

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._gate.inside()
