"""An address, a user, and a connection of them: what each has."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from textstream.access.account import Account, Kind
from textstream.access.quotas import Quota
from textstream.access.shares import Share, at_most

FEW_SECONDS = 5.0
"""When to ask again where nobody can say when there will be room."""


class _Party:
    """Whoever has connections. The clients' lock guards the counts.

    Attributes:
        account: the bytes that are kept for it.
        connections: that it has.
        running: its streams that run.
        kept: its streams that have ended and are kept.
        most_kept: ended ones that may be kept.

    """

    __slots__ = ("account", "connections", "kept", "most_kept", "running")

    def __init__(self, account: Account, most_kept: float) -> None:
        self.account = account
        self.connections = 0
        self.running = 0
        self.kept = 0
        self.most_kept = most_kept

    @property
    def keeps_too_much(self) -> bool:
        """Whether its oldest ended streams have to go."""
        return self.account.full or self.kept > self.most_kept

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of it."""
        return not (self.connections or self.running or self.kept or self.account.total)


class Client(_Party):
    """One address.

    Attributes:
        address: it, as in `Caller`.
        share: what it may.
        most_connections: connections that it may have.
        most_connection_bytes: bytes that may be kept for one of them.
        most_running: streams that may run.

    """

    __slots__ = ("address", "most_connection_bytes", "most_connections", "most_running", "share")

    def __init__(self, address: str, share: Share, everybody: Account) -> None:
        waiting = at_most(share.waiting)
        account = Account(
            everybody,
            most=at_most(share.nbytes),
            limits={Kind.WAITING: waiting, Kind.QUEUED: waiting},
        )
        super().__init__(account, at_most(share.kept))
        self.address = address
        self.share = share
        self.most_connections = at_most(share.connections)
        self.most_connection_bytes = at_most(share.connection_bytes)
        self.most_running = at_most(share.streams)


class User(_Party):
    """One user, wherever it comes from.

    Attributes:
        id: its principal's.

    """

    __slots__ = ("id",)

    def __init__(self, name: str, account: Account) -> None:
        super().__init__(account, math.inf)
        self.id = name


class Visit:
    """A client's connection: what is kept for it, until it leaves.

    Attributes:
        address: whose it is.
        client: the same, with all that it has.
        user: whose it is by name; None: nobody has said so.
        quota: what that user may, by what it has shown here; None: there is none.
        account: the bytes that are kept for it.
        kept: its streams that have ended and are kept.
        is_in: whether it counts among the connections of its user.
        over: whether it has left.

    """

    __slots__ = (
        "_count_text",
        "_full",
        "_left",
        "account",
        "address",
        "client",
        "is_in",
        "kept",
        "over",
        "quota",
        "user",
    )

    def __init__(
        self,
        client: Client,
        account: Account,
        *,
        left: Callable[[Visit], None],
        full: Callable[[Visit], None],
    ) -> None:
        """Begin it; `left` is called when it is over, `full` when as much is kept as may be."""
        self._left = left
        self._full = full
        self._count_text: Callable[[int], None] | None = None
        self.address = client.address
        self.client = client
        self.user: User | None = None
        self.quota: Quota | None = None
        self.account = account
        self.kept = 0
        self.is_in = False
        self.over = False

    @property
    def count_text(self) -> Callable[[int], None]:
        """What counts bytes of units: one for all logs of the connection, made with the first."""
        if self._count_text is None:
            self._count_text = partial(self.account.add, Kind.TEXT)
            self.account.tell(partial(self._full, self))
        return self._count_text

    @property
    def keeps_too_much(self) -> bool:
        """Whether its oldest ended streams have to go."""
        return self.account.full

    def leave(self) -> None:
        """End it. Doing it again does nothing."""
        self._left(self)


def count_of(number: int, what: str) -> str:
    """Return ``1 stream``, ``2 streams``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
