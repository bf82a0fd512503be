"""Whose turn it is: things to do that go round between clients, each with its share."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from textstream.access.caller import Caller

T = TypeVar("T")

RotaShares = Callable[[Caller], tuple[int, int]]
"""How many of a caller's user, or else address, and of one connection of it, may be at work at a
time; each from 1."""


class _Party(Generic[T]):
    """What one user, or address, has waiting, by connection, and at work."""

    __slots__ = ("at_work", "busy", "most", "of_connection", "waiting")

    def __init__(self, most: int, of_connection: int) -> None:
        self.most = most
        self.of_connection = of_connection
        self.waiting: OrderedDict[str, deque[tuple[T, Caller]]] = (
            OrderedDict()
        )  # the next one's turn first
        self.at_work = 0
        self.busy: dict[str, int] = {}  # of those at work, by connection

    def has_room(self, connection: str) -> bool:
        return self.at_work < self.most and self.busy.get(connection, 0) < self.of_connection


class Rota(Generic[T]):
    """Waiting things, of which the next is that of the client whose turn it is. Locks nothing."""

    def __init__(self, shares: RotaShares) -> None:
        """Begin with none.

        Args:
            shares: how many may be at work at a time.

        """
        self._shares = shares
        self._parties: OrderedDict[str, _Party[T]] = OrderedDict()

    def add(self, item: T, caller: Caller) -> bool:
        """Add something; return whether its client has room for it now."""
        party = self._parties.get(caller.who)
        if party is None:
            party = self._parties[caller.who] = _Party(*self._shares(caller))
        party.waiting.setdefault(caller.connection, deque()).append((item, caller))
        return party.has_room(caller.connection)

    def take(self) -> tuple[T, Caller] | None:
        """Return what is next, to be followed by `done`; None: nothing, or nobody has room."""
        for who, party in self._parties.items():
            if party.at_work >= party.most:
                continue
            connection = next(filter(party.has_room, party.waiting), None)
            if connection is None:
                continue
            items = party.waiting[connection]
            next_one = items.popleft()
            party.at_work += 1
            party.busy[connection] = party.busy.get(connection, 0) + 1
            if items:
                party.waiting.move_to_end(connection)
            else:
                del party.waiting[connection]
            self._parties.move_to_end(who)
            return next_one
        return None

    def done(self, caller: Caller) -> None:
        """Know that what was taken is done."""
        party = self._parties[caller.who]
        party.at_work -= 1
        left = party.busy[caller.connection] - 1
        if left:
            party.busy[caller.connection] = left
        else:
            del party.busy[caller.connection]
        if not (party.at_work or party.waiting):
            del self._parties[caller.who]

    def lift(self) -> None:
        """Let everybody have as many as there are: it goes to the end."""
        self._shares = lambda _caller: (_ALL, _ALL)
        for party in self._parties.values():
            party.most = party.of_connection = _ALL


_ALL = 2**31
