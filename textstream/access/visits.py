"""An address and a connection of it: what each has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textstream.access.account import Account, Kind
from textstream.access.shares import Share, at_most


class Client:
    """One address. The clients' lock guards the counts.

    Attributes:
        address: it, as in `Caller`.
        share: what it may.
        account: the bytes that are kept for it.
        connections: that it has.
        running: its streams that run.
        kept: its streams that have ended and are kept.
        most_connections: connections that it may have.
        most_connection_bytes: bytes that may be kept for one of them.
        most_running: streams that may run.
        most_kept: ended ones that may be kept.

    """

    __slots__ = (
        "account",
        "address",
        "connections",
        "kept",
        "most_connection_bytes",
        "most_connections",
        "most_kept",
        "most_running",
        "running",
        "share",
    )

    def __init__(self, address: str, share: Share, everybody: Account) -> None:
        self.address = address
        self.share = share
        waiting = at_most(share.waiting)
        self.account = Account(
            everybody,
            most=at_most(share.nbytes),
            limits={Kind.WAITING: waiting, Kind.QUEUED: waiting},
        )
        self.connections = 0
        self.running = 0
        self.kept = 0
        self.most_connections = at_most(share.connections)
        self.most_connection_bytes = at_most(share.connection_bytes)
        self.most_running = at_most(share.streams)
        self.most_kept = at_most(share.kept)

    @property
    def keeps_too_much(self) -> bool:
        """Whether its oldest ended streams have to go."""
        return self.account.full or self.kept > self.most_kept


class Visit:
    """A client's connection: what is kept for it, until it leaves.

    Attributes:
        address: whose it is.
        client: the same, with all that it has.
        account: the bytes that are kept for it.
        kept: its streams that have ended and are kept.
        over: whether it has left.

    """

    __slots__ = ("_count_text", "_full", "_left", "account", "address", "client", "kept", "over")

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
        self.account = account
        self.kept = 0
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
