"""How many threads requests may have: in all, and of one address. And who gives way."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from textstream.access.address import Proxies, counted, is_loopback
from textstream.web.descriptors import limit

MOST = 1024
"""Connections with a thread, at most: at some 100 kB a thread it is 100 MB. A WebSocket holds none,
nor does a poll while it waits."""

OF_DESCRIPTORS = 2
"""Nor more than one in so many of the descriptors there may be: the rest is for WebSockets."""

FAR = 64
"""The share of an address of another machine. A browser has at most 6 connections to a server."""


LOOKED_AT = 16
"""Connections that are asked whether a request has come in, at most, to find one that gives way:
when many clients connect at once, most have asked, and their threads have not come to it."""


class Visit:
    """A connection that has a thread.

    Attributes:
        address: what it is counted by.
        at_work: whether a request of it is being answered; else all of its head is waited for.

    """

    __slots__ = ("_sock", "address", "at_work")

    def __init__(self, sock: socket.socket, address: str) -> None:
        self._sock = sock
        self.address = address
        self.at_work = False

    @property
    def silent(self) -> bool:
        """Whether nothing has come in that its thread has not read."""
        try:
            return not self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return True

    def end(self) -> None:
        """Have its thread find the connection ended."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


Visits = dict[socket.socket, Visit]
"""The oldest first."""


class RequestThreads:
    """The connections that have a thread each. Any thread; ``_lock`` guards the tables."""

    def __init__(
        self,
        proxies: Proxies,
        *,
        most: int = MOST,
        far: int = FAR,
        descriptors: Callable[[], int] = limit,
    ) -> None:
        """Make it empty.

        Args:
            proxies: behind which there are many clients.
            most: connections, at most.
            far: of one address, at most, if it is another machine's.
            descriptors: how many there may be.

        """
        self._proxies = proxies
        self._most = most
        self._far = far
        self._descriptors = descriptors
        self._lock = threading.Lock()
        self._visits: Visits = {}
        self._by_address: dict[str, Visits] = {}

    @property
    def most(self) -> int:
        """How many connections there may be now."""
        return max(1, min(self._most, self._descriptors() // OF_DESCRIPTORS))

    def share(self, peer: str) -> int:
        """Return how many of them may be of one peer's address.

        Of this machine's own, or a trusted proxy's: all but a quarter, so that nobody has
        everything.
        """
        near = max(1, self.most * 3 // 4)
        if is_loopback(counted(peer)) or self._proxies.trusts(peer):
            return near
        return min(self._far, near)

    def enter(self, sock: socket.socket, peer: str) -> bool:
        """Count a connection in; return whether there is room for it.

        Where there is none, another gives way that has not asked for anything yet: the oldest of
        the same address if that has its share, else of the address that has the most. Clients ask
        as soon as they have connected, and poll on a new connection each time.

        Args:
            sock: the connection. It is to `leave`.
            peer: its peer's address, "" of a Unix socket.

        """
        address = counted(peer)
        with self._lock:
            own = self._by_address.setdefault(address, {})
            if len(own) >= self.share(peer):
                room = self._give_way(own)
            elif len(self._visits) >= self.most:
                room = self._give_way(self._largest())
            else:
                room = True
            if room:
                self._by_address.setdefault(address, own)[sock] = visit = Visit(sock, address)
                self._visits[sock] = visit
            elif not own:
                del self._by_address[address]
        return room

    def leave(self, sock: socket.socket) -> None:
        """Count a connection out. Again, it does nothing."""
        with self._lock:
            self._forget(sock)

    @contextmanager
    def at_work(self, sock: socket.socket) -> Iterator[None]:
        """Let a connection not give way: a request of it is being answered."""
        visit = self._visits.get(sock)
        if visit:
            visit.at_work = True
        try:
            yield
        finally:
            if visit:
                visit.at_work = False

    def make_room(self, count: int) -> int:
        """End so many connections that have not asked for anything; return how many there were."""
        with self._lock:
            return sum(self._give_way(self._largest()) for _ in range(count))

    def counts(self) -> dict[str, int]:
        """Return how many connections have a thread, and of how many addresses they are."""
        return {"connections": len(self._visits), "addresses": len(self._by_address)}

    # With the lock held.

    def _largest(self) -> Visits:
        return max(self._by_address.values(), key=len, default={})

    def _give_way(self, among: Visits) -> bool:
        """End the oldest of them that has not asked for anything; return whether there is one."""
        idle = ((sock, visit) for sock, visit in among.items() if not visit.at_work)
        for sock, visit in itertools.islice(idle, LOOKED_AT):
            if visit.silent:
                self._forget(sock)
                visit.end()
                return True
        return False

    def _forget(self, sock: socket.socket) -> None:
        if visit := self._visits.pop(sock, None):
            own = self._by_address[visit.address]
            del own[sock]
            if not own:
                del self._by_address[visit.address]
