"""A gate lets a number of callers in at a time. Who waits holds no thread: the gate calls back.

The places go round between clients (see ``access.line``). So whoever asks for one is not behind
all those that another asked for before, also where there is one place.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from operator import attrgetter

from textstream.access.caller import Caller
from textstream.access.line import NEVER, Party, place, places
from textstream.loggable import log_exception

logger = logging.getLogger("textstream.access")

Admitted = Callable[["Ticket"], None]


class Ticket:
    """One caller's place, or its wait for one. `what` it is for is its own business."""

    __slots__ = ("_admitted", "_gate", "caller", "inside", "order", "over", "what")

    def __init__(
        self, gate: Gate, caller: Caller, order: int, admitted: Admitted, *, what: object
    ) -> None:
        self._gate = gate
        self._admitted: Admitted | None = admitted
        self.what = what
        self.caller = caller
        self.order = order
        self.inside = False
        self.over = False

    def leave(self) -> None:
        """Give the place back, or wait no longer. Doing it again does nothing. Any thread.

        A caller that has waited is not called back after this has returned, unless it is being
        called at this very moment.
        """
        self._gate._leave(self)

    def withdraw(self) -> bool:
        """Wait no longer; return whether it did wait. A place is kept: its holder gives it back."""
        return self._gate._leave(self, waiting=True)

    def _call(self) -> None:
        admitted, self._admitted = self._admitted, None
        if admitted and not self.over:
            admitted(self)


class Gate:
    """Lets in at most `limit` at a time, and of one user or address at most what it may.

    ``_lock`` guards everything; nothing is called while it is held.
    """

    def __init__(self, limit: int, *, most_of: Callable[[Caller], int] | None = None) -> None:
        """Make an open gate.

        Args:
            limit: callers inside at a time, from 1; 0: any number.
            most_of: how many of a caller's user, or else address, may be inside, 0: any number.
                What it said of the last that came counts. It must take no lock, and return at once.

        """
        self._limit = limit
        self._most_of = most_of
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._inside = 0
        self._waiting = 0
        self._parties: dict[str, Party[Ticket]] = {}  # by who that is
        self._let_in: deque[Ticket] = deque()  # to be called
        self._calling = False  # whether a thread is at that

    def enter(self, caller: Caller, admitted: Admitted, *, what: object = None) -> Ticket:
        """Ask for a place; `admitted` is called once when there is one, maybe before this returns.

        It is called with the ticket and with no lock held, by whoever makes room: it must return
        soon. The ticket must be left.
        """
        most = self._most(caller)
        with self._lock:
            order = next(self._order)
            ticket = Ticket(self, caller, order, admitted, what=what)
            party = self._parties.get(caller.who)
            if party is None:
                party = self._parties[caller.who] = Party(NEVER + order)
            party.most = most
            party.line(caller.connection, NEVER + order).waiting[order] = ticket
            party.waiting += 1
            self._waiting += 1
            self._admit()
        self._call()
        return ticket

    def waiting(self, who: str | None = None) -> int:
        """Return how many wait, of one user or address or of all."""
        if who is None:
            return self._waiting
        party = self._parties.get(who)
        return party.waiting if party else 0

    def inside(self, who: str | None = None) -> int:
        """Return how many are inside, of one user or address or of all."""
        if who is None:
            return self._inside
        party = self._parties.get(who)
        return party.inside if party else 0

    def room(self, caller: Caller) -> float:
        """Return how many of a caller's could come in now, were they the only ones to ask."""
        return max(0, min(self._free, self._most(caller) - self.inside(caller.who)))

    def place(self, caller: Caller, coming: Sequence[Caller] = ()) -> int:
        """Return the place that a caller would have in the line, 1 is next; 0: it would not wait.

        `coming` are those that are on the way, and come before.
        """
        all_of_them = [(one, self._most(one)) for one in (*coming, caller)]
        with self._lock:
            if not (coming or self._waiting):  # nearly always
                return int(not self._free or self.inside(caller.who) >= all_of_them[0][1])
            return place(self._parties, all_of_them, self._free)

    def places(self) -> list[tuple[Ticket, int]]:
        """Return all that wait, each with its place: 1 is next."""
        with self._lock:
            return places(self._parties.values(), self._free)

    @property
    def _free(self) -> float:
        return max(0, self._limit - self._inside) if self._limit else math.inf

    def _most(self, caller: Caller) -> float:
        return (self._most_of(caller) if self._most_of else 0) or math.inf

    def _leave(self, ticket: Ticket, *, waiting: bool = False) -> bool:
        """Take a ticket back, if it still is one; with `waiting`, only one that waits."""
        with self._lock:
            if ticket.over or (waiting and ticket.inside):
                return False
            ticket.over = True
            party = self._parties[ticket.caller.who]
            line = party.lines[ticket.caller.connection]
            if ticket.inside:
                self._inside -= 1
                party.inside -= 1
                line.inside -= 1
            else:
                self._waiting -= 1
                party.waiting -= 1
                del line.waiting[ticket.order]
            if not (line.inside or line.waiting):
                del party.lines[ticket.caller.connection]
            if not party.lines:
                del self._parties[ticket.caller.who]
            self._admit()
        self._call()
        return True

    def _admit(self) -> None:
        """Take in who may come in, with the lock held; they are to be called without it."""
        while self._waiting and self._free:
            # None: of nobody who waits more may come in.
            may = (one for one in self._parties.values() if one.waiting and one.inside < one.most)
            party = min(may, key=attrgetter("rank"), default=None)
            if party is None:
                return
            ticket = party.next()
            line = party.lines[ticket.caller.connection]
            del line.waiting[ticket.order]
            party.waiting -= 1
            self._waiting -= 1
            ticket.inside = True
            line.inside += 1
            party.inside += 1
            self._inside += 1
            line.turn = party.turn = next(self._order)
            self._let_in.append(ticket)

    def _call(self) -> None:
        """Call back those who were let in: one thread for all, and one after the other.

        One that leaves as soon as it is called lets the next one in. Were that one called within,
        a queue of a thousand would be a thousand calls deep.
        """
        while True:
            with self._lock:
                if self._calling or not self._let_in:
                    return
                self._calling = True
                ticket = self._let_in.popleft()
            try:
                ticket._call()
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                log_exception(logger, "a callback of a gate failed", error=error)
            finally:
                with self._lock:
                    self._calling = False
