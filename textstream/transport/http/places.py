"""How many HTTP connections there may be: in all, and of one address. And who gives way."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import Protocol

from textstream.access.address import counted, is_loopback

MOST = 4096
"""Connections that have no WebSocket, at most. None of them has a thread while it is waited for;
one takes some 3 kB."""

OF_DESCRIPTORS = 2
"""Nor more than one in so many of the descriptors there may be: the rest is for WebSockets."""

FAR = 64
"""The share of an address of another machine. A browser has at most 6 connections to a server."""

MAX_BODIES = 4 << 20
"""Bytes of requests' bodies, of all, that have not come to their end or that somebody still has."""

FREE = 8_192
"""Bytes of each body that come in any case: an ordinary request must not wait for large ones."""

FIRST = 2
"""Bodies that go on although there is no room: those that have waited longest. If all waited for
each other, none would ever end."""

LOOKED_AT = 16
"""Idle ones that are asked whether something has come, at most, to find one that gives way: when
many clients send at once, it has come of most, and the reactor has not come to it."""


class Guest(Protocol):
    """Whoever has a place."""

    address: str

    def give_way(self) -> bool:
        """Be closed, if nothing has come of it meanwhile; return whether it is."""
        ...


Guests = dict[Guest, None]
"""The one that has been there longest first."""


class Held:
    """Bytes of a whole body, counted until its request was handled.

    It goes with the request as well: one whose client has gone may be handled by nobody. Either
    comes in any thread, with any lock held: it is noted, and counted later.
    """

    __slots__ = ("_address", "_let_go", "_nbytes")

    def __init__(self, address: str, nbytes: int, let_go: deque[tuple[str, int]]) -> None:
        self._address = address
        self._nbytes = nbytes
        self._let_go = let_go

    def let_go(self) -> None:
        """Count them no longer. An application may keep its environ: that is its own affair."""
        nbytes, self._nbytes = self._nbytes, 0
        if nbytes:
            self._let_go.append((self._address, nbytes))

    __del__ = let_go


class _Address:
    """What one address has."""

    __slots__ = ("busy", "idle")

    def __init__(self) -> None:
        self.idle: Guests = {}
        self.busy: Guests = {}

    def __len__(self) -> int:
        return len(self.idle) + len(self.busy)


class Places:
    """The places of connections: idle ones, which may give way, and busy ones. One thread."""

    def __init__(
        self,
        *,
        trusts: Callable[[str], bool] = lambda _: False,
        most: int = MOST,
        far: int = FAR,
        descriptors: Callable[[], int] = lambda: 1 << 20,
        max_bodies: int = MAX_BODIES,
    ) -> None:
        """Make them, all free.

        Args:
            trusts: whether a peer is a proxy, behind which there are many clients.
            most: connections, at most.
            far: of one address, at most, if it is another machine's.
            descriptors: how many there may be.
            max_bodies: bytes of bodies in all; three quarters of them of one address.

        """
        self._trusts = trusts
        self._most = most
        self._far = far
        self._descriptors = descriptors
        self._max_bodies = max_bodies
        self._addresses: dict[str, _Address] = {}
        self._taken = self._bodies = 0
        self._whole = 0  # bytes of bodies that have come whole
        self._bodies_of: dict[str, int] = {}  # by address, which may have left
        self._let_go: deque[tuple[str, int]] = deque()
        self._waiting: Guests = {}  # those that were told to wait with their bodies

    @property
    def most(self) -> int:
        """How many there may be now."""
        return max(1, min(self._most, self._descriptors() // OF_DESCRIPTORS))

    def share(self, peer: str) -> int:
        """Return how many of them may be of one peer's address.

        Of this machine's own, or a trusted proxy's: all but a quarter, so that nobody has
        everything.
        """
        near = max(1, self.most * 3 // 4)
        if is_loopback(counted(peer)) or self._trusts(peer):
            return near
        return min(self._far, near)

    def enter(self, guest: Guest, peer: str) -> bool:
        """Give an idle guest a place; return whether there is one.

        Where there is none, another gives way that has not asked for anything: the oldest of the
        same address if that has its share, else of the address that has the most of those that have
        such a one.

        Args:
            guest: it. Is to `leave`.
            peer: its peer's address, "" of a Unix socket.

        """
        own = self._addresses.get(guest.address)
        if own is not None and len(own) >= self.share(peer):
            if not _give_way(own):
                return False
        elif self._taken >= self.most and not _give_way(self._largest()):
            return False
        # Not the one above: with its last guest an address is forgotten.
        self._addresses.setdefault(guest.address, _Address()).idle[guest] = None
        self._taken += 1
        return True

    def busy(self, guest: Guest) -> None:
        """Let a guest not give way: it has asked for something."""
        own = self._addresses[guest.address]
        del own.idle[guest]
        own.busy[guest] = None

    def idle(self, guest: Guest) -> None:
        """Let a guest give way again: it was answered."""
        own = self._addresses[guest.address]
        del own.busy[guest]
        own.idle[guest] = None

    def leave(self, guest: Guest) -> None:
        """Free a guest's place."""
        own = self._addresses[guest.address]
        if own.idle.pop(guest, self) is self:  # not there
            del own.busy[guest]
        self._taken -= 1
        self.has_body(guest)
        if not own:
            del self._addresses[guest.address]

    def make_room(self, count: int) -> int:
        """Have so many idle guests give way; return how many there were."""
        return sum(_give_way(self._largest()) for _ in range(count))

    def keep(self, guest: Guest, nbytes: int) -> None:
        """Count bytes of a body that are kept for a guest, or no longer if it is negative."""
        self._keep(guest.address, nbytes)

    def hold(self, address: str, nbytes: int) -> Held:
        """Count the bytes of a whole body of an address until what is returned lets them go."""
        self._settle()
        self._keep(address, nbytes)
        self._whole += nbytes
        return Held(address, nbytes, self._let_go)

    def has_room_for_body(self, guest: Guest, kept: int) -> bool:
        """Return whether more of a guest's body may be kept now, beside the `kept` bytes of it."""
        self._settle()
        own = self._bodies_of.get(guest.address, 0)
        if kept < FREE or (self._bodies < self._max_bodies and own < self._max_bodies * 3 // 4):
            self._waiting.pop(guest, None)
            return True
        self._waiting.setdefault(guest, None)
        # Whole ones will be handled, and make room. Where there is none, all wait for each other.
        return not self._whole and guest in itertools.islice(self._waiting, FIRST)

    def has_body(self, guest: Guest) -> None:
        """Note that all of a guest's body has come."""
        self._waiting.pop(guest, None)

    def counts(self) -> dict[str, int]:
        """Return how many connections and addresses there are, and the bytes of bodies kept."""
        addresses = list(self._addresses.values())
        return {
            "connections": self._taken,
            "idle": sum(len(one.idle) for one in addresses),
            "addresses": len(addresses),
            "bodies": self._bodies - sum(nbytes for _, nbytes in list(self._let_go)),
        }

    def _settle(self) -> None:
        """Count no longer what was let go of: with each body, or it would gather."""
        while self._let_go:
            address, nbytes = self._let_go.popleft()
            self._keep(address, -nbytes)
            self._whole -= nbytes

    def _keep(self, address: str, nbytes: int) -> None:
        self._bodies += nbytes
        own = self._bodies_of.pop(address, 0) + nbytes
        if own:
            self._bodies_of[address] = own

    def _largest(self) -> _Address:
        """Return the address that has most, of those of which one can give way."""
        yielding = (one for one in self._addresses.values() if one.idle)
        return max(yielding, key=len, default=_Address())


def _give_way(own: _Address) -> bool:
    """Close the oldest idle one; return whether there is one. It leaves its place itself."""
    return any(guest.give_way() for guest in list(itertools.islice(own.idle, LOOKED_AT)))
