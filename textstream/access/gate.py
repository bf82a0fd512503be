"""A gate lets a number of callers in at a time. Who waits holds no thread: the gate calls back.

The places go round between clients: first to the address that has the fewest, then to its
connection that has the fewest, then in the order of coming. So whoever asks for one is not behind
all those that another asked for before.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable

from textstream.access.caller import Caller


class Ticket:
    """One caller's place, or its wait for one."""

    __slots__ = ("_admitted", "_gate", "caller", "inside", "order", "over")

    def __init__(
        self, gate: Gate, caller: Caller, order: int, admitted: Callable[[], None]
    ) -> None:
        self._gate = gate
        self._admitted: Callable[[], None] | None = admitted
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

    def _call(self) -> None:
        admitted, self._admitted = self._admitted, None
        if admitted and not self.over:
            admitted()


class Gate:
    """Lets in at most `limit` at a time, and at most `per_address` of one address.

    ``_lock`` guards everything; nothing is called while it is held.
    """

    def __init__(self, limit: int, *, per_address: Callable[[str], int] | None = None) -> None:
        """Make an open gate.

        Args:
            limit: callers inside at a time, from 1; 0: any number.
            per_address: how many of an address may be inside, 0: any number.

        """
        self._limit = limit
        self._per_address = per_address
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._inside = 0
        self._by_address: Counter[str] = Counter()
        self._by_caller: Counter[Caller] = Counter()
        self._waiting: OrderedDict[int, Ticket] = OrderedDict()

    def enter(self, caller: Caller, admitted: Callable[[], None]) -> Ticket:
        """Ask for a place; `admitted` is called once when there is one, maybe before this returns.

        It is called with no lock held, by whoever makes room. The ticket must be left.
        """
        with self._lock:
            ticket = Ticket(self, caller, next(self._order), admitted)
            self._waiting[ticket.order] = ticket
            let_in = self._admit()
        for one in let_in:
            one._call()
        return ticket

    def waiting(self, address: str | None = None) -> int:
        """Return how many wait, of one address or of all."""
        with self._lock:
            if address is None:
                return len(self._waiting)
            return sum(one.caller.address == address for one in self._waiting.values())

    def inside(self, address: str | None = None) -> int:
        """Return how many are inside, of one address or of all."""
        return self._inside if address is None else self._by_address[address]

    def _leave(self, ticket: Ticket) -> None:
        with self._lock:
            if ticket.over:
                return
            ticket.over = True
            if ticket.inside:
                self._inside -= 1
                for counter, key in (
                    (self._by_address, ticket.caller.address),
                    (self._by_caller, ticket.caller),
                ):
                    counter[key] -= 1  # type: ignore[index]
                    if not counter[key]:  # type: ignore[index]
                        del counter[key]
            else:
                del self._waiting[ticket.order]
            let_in = self._admit()
        for one in let_in:
            one._call()

    def _admit(self) -> list[Ticket]:
        """Take in who may come in, with the lock held; return them, to be called without it."""
        let_in = []
        while self._waiting and (not self._limit or self._inside < self._limit):
            ticket = self._next()
            if ticket is None:
                break
            del self._waiting[ticket.order]
            ticket.inside = True
            self._inside += 1
            self._by_address[ticket.caller.address] += 1
            self._by_caller[ticket.caller] += 1
            let_in.append(ticket)
        return let_in

    def _next(self) -> Ticket | None:
        """Return whose turn it is; None: nobody who waits may have more."""
        best, rank = None, (0, 0, 0)
        for ticket in self._waiting.values():
            address = ticket.caller.address
            inside = self._by_address[address]
            most = self._per_address(address) if self._per_address else 0
            if most and inside >= most:
                continue
            its = (inside, self._by_caller[ticket.caller], ticket.order)
            if best is None or its < rank:
                best, rank = ticket, its
        return best
