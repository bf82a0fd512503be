"""The users: what each has, on whatever connections, and whether it may have more."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from textstream.access.account import Account, Kind
from textstream.access.principal import Principal
from textstream.access.quotas import Quota, Quotas
from textstream.access.rates import Rates
from textstream.access.shares import at_most
from textstream.access.visits import FEW_SECONDS, User, Visit, count_of
from textstream.errors import RateLimited, TooManyStreams

SWEEP = 1024
"""Users from which on those are looked for of whom nothing is left."""


class Users:
    """All users of whom there is anything. Not thread-safe: the clients' lock guards it."""

    def __init__(self, quotas: Quotas, rates: Rates, everybody: Account) -> None:
        """Know nobody yet.

        Args:
            quotas: what each may.
            rates: counts what each does.
            everybody: the account of all clients, to which none of a user's is added: those of
                its connections are.

        """
        self._quotas = quotas
        self._rates = rates
        self._everybody = everybody
        self._users: dict[str, User] = {}
        self._sweep_at = SWEEP

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._users)

    def enter(self, visit: Visit, principal: Principal, on_full: Callable[[User], None]) -> None:
        """Let a connection be of a user, and count what is kept for it as that one's.

        Raises:
            RateLimited: the user has too many connections.

        """
        self.leave(visit)  # one that was let in, and then refused for something else
        quota = self._quotas.of(principal.quota, visit.address)
        user = self._users.get(principal.id)
        connections = user.connections if user else 0
        if connections >= at_most(quota.connections):
            raise RateLimited(
                f"You have {count_of(connections, 'connection')}, as many as you may "
                "(TEXTSTREAM_CONNECTIONS_PER_PRINCIPAL). Close one, or try again later.",
                retry_after=FEW_SECONDS,
                scope="you",
            )
        if user is None:
            user = self._new(principal.id, on_full)
        if visit.user is not user:
            if visit.user is not None:  # it had connected before, as somebody else
                visit.account.take_from_below(visit.user.account)
                self.forget(visit.user)
            visit.account.put_below(user.account)
            visit.user = user
        user.connections += 1
        visit.is_in = True
        self._give(visit, quota)

    def renew(self, visit: Visit, principal: Principal) -> None:
        """Let the user of a connection have what it may from now on."""
        if visit.user is not None:
            self._give(visit, self._quotas.of(principal.quota, visit.address))

    def leave(self, visit: Visit) -> None:
        """Count a connection no longer. What is kept for it goes on to count. Again: nothing."""
        if visit.is_in and visit.user is not None:
            visit.is_in = False
            visit.user.connections -= 1
            self.forget(visit.user)

    def forget(self, user: User) -> None:
        """Forget a user of whom nothing is left. One that comes back gets a new record."""
        if user.is_empty and self._users.get(user.id) is user:
            del self._users[user.id]

    def started(self, user: User) -> None:
        """Count a stream that runs."""
        user.running += 1
        self._users.setdefault(user.id, user)  # its connection has just left

    def take_start(self, user: User, quota: Quota) -> None:
        """Count a start. Any thread.

        Raises:
            RateLimited: it starts too many.

        """
        if wait := self._rates.take(quota.starts, "starts of a user", user.id):
            raise RateLimited(
                f"You start streams too often. Wait {math.ceil(wait)} s.",
                retry_after=wait,
                scope="you",
            )

    def check_stream(self, user: User, quota: Quota, *, ending: int = 0) -> None:
        """Refuse a stream that would be too much for a user; `ending`: so many end for it.

        Raises:
            TooManyStreams: it runs as many as it may, or keeps as much.

        """
        if user.running - ending >= at_most(quota.streams):
            raise TooManyStreams(
                f"You run {count_of(user.running, 'stream')}, as many as you may "
                "(TEXTSTREAM_STREAMS_PER_PRINCIPAL). Stop one, or wait until one has ended.",
                retry_after=FEW_SECONDS,
                scope="you",
            )
        if user.account.room(Kind.WAITING) <= 0:
            raise TooManyStreams(
                "As much text as may be is kept for you (TEXTSTREAM_BYTES_PER_PRINCIPAL). "
                "Stop a stream, or wait until one has ended.",
                retry_after=FEW_SECONDS,
                scope="you",
            )

    def _new(self, name: str, on_full: Callable[[User], None]) -> User:
        if len(self._users) >= self._sweep_at:
            for known in list(self._users.values()):
                self.forget(known)  # what was kept for it went after its last connection
            self._sweep_at = 2 * len(self._users) + SWEEP
        user = self._users[name] = User(name, Account(beside=self._everybody))
        user.account.tell(partial(on_full, user))
        return user

    def _give(self, visit: Visit, quota: Quota) -> None:
        """Give a user what its newest token says; how many may run and wait, by each's own."""
        visit.quota = quota
        if visit.user is not None:
            visit.user.account.most = at_most(quota.nbytes)
            visit.user.most_kept = at_most(quota.kept)
