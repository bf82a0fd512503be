"""The clients, by address and by user: what each has, and whether it may have more."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from textstream.access.account import Account, Kind
from textstream.access.principal import Principal
from textstream.access.quotas import Quotas
from textstream.access.rates import Rate, Rates
from textstream.access.shares import Share, Shares, at_most
from textstream.access.users import Users
from textstream.access.visits import FEW_SECONDS, Client, User, Visit, count_of
from textstream.errors import RateLimited, TooManyStreams

Owner = Client | User | Visit
"""For whom something is kept: an address, a user, a connection."""

SWEEP = 1024
"""Addresses from which on those are looked for of which nothing is left."""


class Clients:
    """All clients. Any thread; ``_lock`` guards the counts, and only accounts are taken under it.

    Attributes:
        account: the bytes that are kept for everybody.

    """

    def __init__(
        self,
        shares: Shares | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        quotas: Quotas | None = None,
    ) -> None:
        """Know nobody yet.

        Args:
            shares: what everybody may; by default, whatever it likes.
            clock: seconds, monotonic.
            quotas: what a user may beside; by default the same.

        """
        self._shares = shares or Shares()
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}
        self._rates = Rates(clock)
        self._connections = 0
        self._most_connections = at_most(self._shares.connections)
        self._sweep_at = SWEEP
        self._on_full: Callable[[Owner | None], None] = _nothing
        self.account = Account(most=at_most(self._shares.nbytes))
        self._users = Users(quotas or Quotas(), self._rates, self.account)

    def tell(self, on_full: Callable[[Owner | None], None]) -> None:
        """Call `on_full` each time that as much is kept as may be: for whom, or None for all.

        Of those that enter from now on. As with `Account.tell`: it must return at once.
        """
        self._on_full = on_full
        self.account.tell(partial(on_full, None))

    # Connections.

    @property
    def full(self) -> bool:
        """Whether there are as many connections, of all, as may be."""
        return self._connections >= at_most(self._shares.connections)

    def enter(self, address: str) -> Visit:
        """Let a connection of an address in.

        Raises:
            RateLimited: it has too many, or begins too many; or all together have too many.

        """
        share = self._shares.of(address)
        with self._lock:
            if self._connections >= self._most_connections:
                raise RateLimited(
                    f"The server has {count_of(self._connections, 'connection')}, as many as it "
                    "may (TEXTSTREAM_MAX_CONNECTIONS). Try again later.",
                    retry_after=FEW_SECONDS,
                    scope="server",
                )
            client = self._client(address, share)
            if client.connections >= client.most_connections:
                raise RateLimited(
                    f"This address has {count_of(client.connections, 'connection')}, as many as it "
                    "may (TEXTSTREAM_CONNECTIONS_PER_ADDRESS). Close one, or try again later.",
                    retry_after=FEW_SECONDS,
                    scope="address",
                )
            # Last: who is refused for something else has not connected.
            rate = share.handshakes
            if rate and (wait := self._rates.take(rate, "handshakes", address)):
                raise RateLimited(
                    "This address connects too often. Wait, and keep connections open.",
                    retry_after=wait,
                    scope="address",
                )
            client.connections += 1
            self._connections += 1
        return self._visit(client, left=self.leave)

    def stranger(self) -> Visit:
        """Return a visit for what nobody's connection asks for. It is no connection itself."""
        with self._lock:
            client = self._client("", self._shares.of(""))
            self._forget(client)  # until there is something of it
        return self._visit(client, left=_nothing)

    def leave(self, visit: Visit) -> None:
        """Count a connection no longer. What was kept for it goes on to count for its address."""
        with self._lock:
            if visit.over:
                return
            visit.over = True
            self._users.leave(visit)
            visit.client.connections -= 1
            self._connections -= 1
            self._forget(visit.client)

    # Their users.

    def sign_in(self, visit: Visit, principal: Principal) -> None:
        """Let a connection be of a user, if its principal is one: that one's quota counts, too.

        Raises:
            RateLimited: the user has too many connections.

        """
        if principal.is_user:
            with self._lock:
                self._users.enter(visit, principal, self._on_full)

    def renew(self, visit: Visit, principal: Principal) -> None:
        """Let the user of a connection have from now on what its newer token says."""
        with self._lock:
            self._users.renew(visit, principal)

    def sign_out(self, visit: Visit) -> None:
        """Count a connection of a user no longer. Doing it again does nothing."""
        with self._lock:
            self._users.leave(visit)

    # Streams.

    def take_start(self, visit: Visit, connection: str) -> None:
        """Count a start.

        Raises:
            RateLimited: the connection, its user or its address starts too many.

        """
        share, user, quota = visit.client.share, visit.user, visit.quota
        if share.connection_starts:
            self._take_start(share.connection_starts, "connection", connection)
        if user is not None and quota is not None:
            self._users.take_start(user, quota)
            if "starts" in quota.given:
                return
        if share.starts:
            self._take_start(share.starts, "address", visit.address)

    def _take_start(self, rate: Rate, scope: str, who: str) -> None:
        wait = self._rates.take(rate, f"starts of a {scope}", who)
        if wait:
            raise RateLimited(
                f"This {scope} starts streams too often. Wait {math.ceil(wait)} s.",
                retry_after=wait,
                scope=scope,
            )

    def check_stream(self, visit: Visit, *, ending: int = 0) -> None:
        """Refuse a stream that would be too much for its user, or for its address.

        Args:
            visit: whose it is.
            ending: streams of its user that end when it begins.

        Raises:
            TooManyStreams: it runs as many as it may, or keeps as much.

        """
        client, quota = visit.client, visit.quota
        if visit.user is not None and quota is not None:
            self._users.check_stream(visit.user, quota, ending=ending)
        lifted = quota is not None and "streams" in quota.given
        if client.running >= client.most_running and not lifted:
            raise TooManyStreams(
                f"This address runs {count_of(client.running, 'stream')}, as many as it may "
                "(TEXTSTREAM_STREAMS_PER_ADDRESS). Stop one, or wait until one has ended.",
                retry_after=FEW_SECONDS,
                scope="address",
            )
        if visit.account.room(Kind.WAITING) <= 0 and not self.account.full:
            scope = "address" if client.account.room(Kind.WAITING) <= 0 else "connection"
            raise TooManyStreams(
                f"As much text as may be is kept for this {scope} "
                "(TEXTSTREAM_BYTES_PER_ADDRESS, _BYTES_PER_CONNECTION, _WAITING_PER_ADDRESS). "
                "Stop a stream, or wait until one has ended.",
                retry_after=FEW_SECONDS,
                scope=scope,
            )

    def started(self, visit: Visit) -> None:
        """Count a stream that runs."""
        client = visit.client
        with self._lock:
            client.running += 1
            self._clients.setdefault(client.address, client)  # its connection has just left
            if visit.user is not None:
                self._users.started(visit.user)

    def ended(self, visit: Visit, user: User | None = None) -> None:
        """Count a stream that has ended, and is kept; `user` is who has started it."""
        client = visit.client
        with self._lock:
            client.running -= 1
            client.kept += 1
            visit.kept += 1
            if user is not None:
                user.running -= 1
                user.kept += 1

    def forgotten(self, visit: Visit, user: User | None = None) -> None:
        """Count a stream no longer."""
        client = visit.client
        with self._lock:
            visit.kept -= 1
            client.kept -= 1
            self._forget(client)
            if user is not None:
                user.kept -= 1
                self._users.forget(user)

    # For people.

    def counters(self, most: int = 10) -> dict[str, Any]:
        """Return what there is, with the `most` addresses for which most is kept."""
        with self._lock:
            clients = list(self._clients.values())
            connections = self._connections
        clients.sort(key=lambda client: (-client.account.total, -client.connections))
        return {
            "connections": connections,
            "addresses": len(clients),
            "users": len(self._users),
            "bytes": self.account.counts(),
            "largest": {
                client.address or "unknown": {
                    "connections": client.connections,
                    "running": client.running,
                    "kept": client.kept,
                    "bytes": client.account.counts(),
                }
                for client in clients[:most]
            },
        }

    def _visit(self, client: Client, *, left: Callable[[Visit], None]) -> Visit:
        account = Account(client.account, most=client.most_connection_bytes)
        return Visit(client, account, left=left, full=self._on_full)

    # With the lock held.

    def _client(self, address: str, share: Share) -> Client:
        client = self._clients.get(address)
        if client is None:
            if len(self._clients) >= self._sweep_at:
                for known in list(self._clients.values()):
                    self._forget(known)  # what was kept for it went after its last connection
                self._sweep_at = 2 * len(self._clients) + SWEEP
            client = self._clients[address] = Client(address, share, self.account)
            client.account.tell(partial(self._on_full, client))
        return client

    def _forget(self, client: Client) -> None:
        """Forget an address of which nothing is left. One that comes back gets a new record."""
        if client.is_empty:
            self._clients.pop(client.address, None)


def _nothing(_owner: object) -> None:
    """Do nothing: nobody wants to be told."""
