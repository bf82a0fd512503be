"""A gate lets a number of callers in at a time. Who waits holds no thread: the gate calls back.

The places go round between clients: first to the address that has the fewest, of those to the one
whose last turn was longest ago, then so to its connections, then in the order of coming. So whoever
asks for one is not behind all those that another asked for before, also where there is one place.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from operator import attrgetter

from textstream.access.caller import Caller
from textstream.loggable import log_exception

logger = logging.getLogger("textstream.access")

Admitted = Callable[["Ticket"], None]


class Ticket:
    """One caller's place, or its wait for one."""

    __slots__ = ("_admitted", "_gate", "caller", "inside", "order", "over")

    def __init__(self, gate: Gate, caller: Caller, order: int, admitted: Admitted) -> None:
        self._gate = gate
        self._admitted: Admitted | None = admitted
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


class _Line:
    """What one connection has of a gate: its tickets that wait, and how many are inside."""

    __slots__ = ("inside", "turn", "waiting")

    def __init__(self) -> None:
        self.inside = 0
        self.turn = -1  # the number of its last admission
        self.waiting: OrderedDict[int, Ticket] = OrderedDict()

    @property
    def rank(self) -> tuple[int, int]:
        """Who has the lowest comes first; of several, whoever came first."""
        return self.inside, self.turn


class _Address:
    """What one address has of a gate, by connection; each is forgotten when it has nothing."""

    __slots__ = ("inside", "lines", "turn", "waiting")

    def __init__(self) -> None:
        self.inside = 0
        self.turn = -1
        self.waiting = 0
        self.lines: dict[str, _Line] = {}

    @property
    def rank(self) -> tuple[int, int]:
        """As that of a line."""
        return self.inside, self.turn

    def line(self, connection: str) -> _Line:
        return self.lines.get(connection) or self.lines.setdefault(connection, _Line())

    def next(self) -> Ticket:
        """Return whose turn it is, of those that wait."""
        line = min((one for one in self.lines.values() if one.waiting), key=attrgetter("rank"))
        return next(iter(line.waiting.values()))


class Gate:
    """Lets in at most `limit` at a time, and at most `per_address` of one address.

    ``_lock`` guards everything; nothing is called while it is held.
    """

    def __init__(self, limit: int, *, per_address: Callable[[str], int] | None = None) -> None:
        """Make an open gate.

        Args:
            limit: callers inside at a time, from 1; 0: any number.
            per_address: how many of an address may be inside, 0: any number. It is called with the
                lock held: it must take none, and return at once.

        """
        self._limit = limit
        self._per_address = per_address
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._inside = 0
        self._waiting = 0
        self._addresses: dict[str, _Address] = {}
        self._let_in: deque[Ticket] = deque()  # to be called
        self._calling = False  # whether a thread is at that

    def enter(self, caller: Caller, admitted: Admitted) -> Ticket:
        """Ask for a place; `admitted` is called once when there is one, maybe before this returns.

        It is called with the ticket and with no lock held, by whoever makes room: it must return
        soon. The ticket must be left.
        """
        with self._lock:
            ticket = Ticket(self, caller, next(self._order), admitted)
            address = self._addresses.setdefault(caller.address, _Address())
            address.line(caller.connection).waiting[ticket.order] = ticket
            address.waiting += 1
            self._waiting += 1
            self._admit()
        self._call()
        return ticket

    def waiting(self, address: str | None = None) -> int:
        """Return how many wait, of one address or of all."""
        if address is None:
            return self._waiting
        share = self._addresses.get(address)
        return share.waiting if share else 0

    def inside(self, address: str | None = None) -> int:
        """Return how many are inside, of one address or of all."""
        if address is None:
            return self._inside
        share = self._addresses.get(address)
        return share.inside if share else 0

    def room(self, address: str) -> float:
        """Return how many of an address could come in now, were they the only ones to ask."""
        return min(_left(self._limit, self._inside), self._room_of(address, self.inside(address)))

    def _room_of(self, address: str, inside: int) -> float:
        return _left(self._per_address(address) if self._per_address else 0, inside)

    def _leave(self, ticket: Ticket, *, waiting: bool = False) -> bool:
        """Take a ticket back, if it still is one; with `waiting`, only one that waits."""
        with self._lock:
            if ticket.over or (waiting and ticket.inside):
                return False
            ticket.over = True
            address = self._addresses[ticket.caller.address]
            line = address.lines[ticket.caller.connection]
            if ticket.inside:
                self._inside -= 1
                address.inside -= 1
                line.inside -= 1
            else:
                self._waiting -= 1
                address.waiting -= 1
                del line.waiting[ticket.order]
            if not (line.inside or line.waiting):
                del address.lines[ticket.caller.connection]
            if not address.lines:
                del self._addresses[ticket.caller.address]
            self._admit()
        self._call()
        return True

    def _admit(self) -> None:
        """Take in who may come in, with the lock held; they are to be called without it."""
        while self._waiting and _left(self._limit, self._inside):
            address = self._next()
            if address is None:
                return
            ticket = address.next()
            line = address.lines[ticket.caller.connection]
            del line.waiting[ticket.order]
            address.waiting -= 1
            self._waiting -= 1
            ticket.inside = True
            line.inside += 1
            address.inside += 1
            self._inside += 1
            line.turn = address.turn = next(self._order)
            self._let_in.append(ticket)

    def _next(self) -> _Address | None:
        """Return the address whose turn it is; None: of nobody who waits more may come in."""
        may = (
            address
            for name, address in self._addresses.items()
            if address.waiting and self._room_of(name, address.inside)
        )
        return min(may, key=attrgetter("rank"), default=None)

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


def _left(most: int, inside: int) -> float:
    return max(0, most - inside) if most else math.inf
