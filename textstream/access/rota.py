"""Whose turn it is: things to do that go round between clients, each with its share."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from textstream.access.caller import Caller

T = TypeVar("T")

RotaShares = Callable[[str], tuple[int, int]]
"""How many of an address, and of one connection of it, may be at work at a time; each from 1."""


class _Address(Generic[T]):
    """What one address has waiting, by connection, and at work."""

    __slots__ = ("at_work", "busy", "most", "of_connection", "waiting")

    def __init__(self, most: int, of_connection: int) -> None:
        self.most = most
        self.of_connection = of_connection
        self.waiting: OrderedDict[str, deque[T]] = OrderedDict()  # the next one's turn first
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
        self._addresses: OrderedDict[str, _Address[T]] = OrderedDict()

    def add(self, item: T, caller: Caller) -> bool:
        """Add something; return whether its client has room for it now."""
        address = self._addresses.get(caller.address)
        if address is None:
            address = self._addresses[caller.address] = _Address(*self._shares(caller.address))
        address.waiting.setdefault(caller.connection, deque()).append(item)
        return address.has_room(caller.connection)

    def take(self) -> tuple[T, Caller] | None:
        """Return what is next, to be followed by `done`; None: nothing, or nobody has room."""
        for name, address in self._addresses.items():
            if address.at_work >= address.most:
                continue
            connection = next(filter(address.has_room, address.waiting), None)
            if connection is None:
                continue
            items = address.waiting[connection]
            item = items.popleft()
            address.at_work += 1
            address.busy[connection] = address.busy.get(connection, 0) + 1
            if items:
                address.waiting.move_to_end(connection)
            else:
                del address.waiting[connection]
            self._addresses.move_to_end(name)
            return item, Caller(name, connection)
        return None

    def done(self, caller: Caller) -> None:
        """Know that what was taken is done."""
        address = self._addresses[caller.address]
        address.at_work -= 1
        left = address.busy[caller.connection] - 1
        if left:
            address.busy[caller.connection] = left
        else:
            del address.busy[caller.connection]
        if not (address.at_work or address.waiting):
            del self._addresses[caller.address]

    def lift(self) -> None:
        """Let everybody have as many as there are: it goes to the end."""
        self._shares = lambda _address: (_ALL, _ALL)
        for address in self._addresses.values():
            address.most = address.of_connection = _ALL


_ALL = 2**31
