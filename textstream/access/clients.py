"""The clients, by address: what each has, and whether it may have more."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from textstream.access.account import Account, Kind
from textstream.access.rates import Rate, Rates
from textstream.access.shares import Share, Shares, at_most
from textstream.access.visits import Client, Visit
from textstream.errors import RateLimited, TooManyStreams

FEW_SECONDS = 5.0
"""When to ask again where nobody can say when there will be room."""


SWEEP = 1024
"""Addresses from which on those are looked for of which nothing is left."""


class Clients:
    """All clients. Any thread; ``_lock`` guards the counts, and only accounts are taken under it.

    Attributes:
        account: the bytes that are kept for everybody.

    """

    def __init__(
        self, shares: Shares | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Know nobody yet.

        Args:
            shares: what everybody may; by default, whatever it likes.
            clock: seconds, monotonic.

        """
        self._shares = shares or Shares()
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}
        self._rates = Rates(clock)
        self._connections = 0
        self._most_connections = at_most(self._shares.connections)
        self._sweep_at = SWEEP
        self._on_full: Callable[[Client | Visit | None], None] = _nothing
        self.account = Account(most=at_most(self._shares.nbytes))

    def tell(self, on_full: Callable[[Client | Visit | None], None]) -> None:
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
                    f"The server has {_count(self._connections, 'connection')}, as many as it may "
                    "(TEXTSTREAM_MAX_CONNECTIONS). Try again later.",
                    retry_after=FEW_SECONDS,
                    scope="server",
                )
            client = self._client(address, share)
            if client.connections >= client.most_connections:
                raise RateLimited(
                    f"This address has {_count(client.connections, 'connection')}, as many as it "
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
            visit.client.connections -= 1
            self._connections -= 1
            self._forget(visit.client)

    # Streams.

    def take_start(self, visit: Visit, connection: str) -> None:
        """Count a start.

        Raises:
            RateLimited: the connection, or its address, starts too many.

        """
        share = visit.client.share
        if share.connection_starts:
            self._take_start(share.connection_starts, "connection", connection)
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

    def check_stream(self, visit: Visit) -> None:
        """Refuse a stream that would be too much for its address.

        Raises:
            TooManyStreams: it runs as many as it may, or keeps as much.

        """
        client = visit.client
        if client.running >= client.most_running:
            raise TooManyStreams(
                f"This address runs {_count(client.running, 'stream')}, as many as it may "
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

    def started(self, client: Client) -> None:
        """Count a stream that runs."""
        with self._lock:
            client.running += 1
            self._clients.setdefault(client.address, client)  # its connection has just left

    def ended(self, visit: Visit) -> None:
        """Count a stream that has ended, and is kept."""
        client = visit.client
        with self._lock:
            client.running -= 1
            client.kept += 1
            visit.kept += 1

    def forgotten(self, visit: Visit) -> None:
        """Count a stream no longer."""
        client = visit.client
        with self._lock:
            visit.kept -= 1
            client.kept -= 1
            self._forget(client)

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
        if not (client.connections or client.running or client.kept or client.account.total):
            self._clients.pop(client.address, None)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _nothing(_owner: object) -> None:
    """Do nothing: nobody wants to be told."""
