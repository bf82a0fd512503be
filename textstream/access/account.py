"""The one account: the bytes that clients make the server keep, by kind, and against someone.

Accounts form a tree: all clients, each address, each connection. What is added to one is added to
those above it in the same moment, so nothing is counted twice or forgotten on the way.
"""

from __future__ import annotations

import enum
import math
import threading
from collections.abc import Callable, Mapping


class Kind(enum.IntEnum):
    """What is kept. The names are those of the debug dump."""

    TEXT = 0
    """Units in logs, of running and of ended streams."""
    WAITING = 1
    """Texts of ``text`` streams that are not in their logs yet."""
    QUEUED = 2
    """Packets that wait for a client's next poll."""
    OUTGOING = 3
    """Bytes that a WebSocket's client has not taken."""
    INBOX = 4
    """Messages that wait for a worker, or that one is at."""
    UNFINISHED = 5
    """Messages of which only a part has arrived."""


KINDS = len(Kind)


class Account:
    """What is kept for one client, or for many. Any thread; an innermost lock guards the tree.

    Attributes:
        most: bytes of all kinds, at most.
        total: bytes of all kinds.

    """

    __slots__ = ("_counts", "_limits", "_lock", "_parent", "_reached", "most", "total")

    def __init__(
        self,
        parent: Account | None = None,
        *,
        most: float = math.inf,
        limits: Mapping[Kind, float] | None = None,
    ) -> None:
        """Open an account.

        Args:
            parent: the account that what is added here is added to as well.
            most: bytes of all kinds, at most.
            limits: bytes of some kinds, at most.

        """
        self._parent = parent
        self._lock: threading.Lock = parent._lock if parent else threading.Lock()
        self._counts = [0] * KINDS
        self.most = most
        self._limits = limits
        self._reached: Callable[[], None] | None = None
        self.total = 0

    def tell(self, reached: Callable[[], None] | None) -> None:
        """Call `reached` each time the total comes from below the most to it or above.

        It is called by whoever adds, with the locks held that this one holds: it must take none
        but the dispatcher's, and return at once.
        """
        self._reached = reached

    def add(self, kind: Kind, nbytes: int) -> None:
        """Count `nbytes` more; fewer, if it is negative. Limits do not refuse: see `room`."""
        passed: list[Callable[[], None]] | None = None
        with self._lock:
            account: Account | None = self
            while account is not None:
                account._counts[kind] += nbytes
                before = account.total
                account.total = after = before + nbytes
                if before < account.most <= after and account._reached:
                    passed = [*(passed or ()), account._reached]
                account = account._parent
        for reached in passed or ():
            reached()

    def room(self, kind: Kind) -> float:
        """Return how many bytes more of a kind there may be, here and above; negative: too many."""
        with self._lock:
            left = math.inf
            account: Account | None = self
            while account is not None:
                left = min(left, account.most - account.total)
                if account._limits:
                    most = account._limits.get(kind, math.inf)
                    left = min(left, most - account._counts[kind])
                account = account._parent
            return left

    @property
    def full(self) -> bool:
        """Whether this account, those above it aside, keeps as much as it may."""
        return self.total >= self.most

    def count(self, kind: Kind) -> int:
        """Return the bytes of a kind."""
        return self._counts[kind]

    def counts(self) -> dict[str, int]:
        """Return the bytes of each kind, by name."""
        with self._lock:
            return {kind.name.lower(): self._counts[kind] for kind in Kind}


class Holding:
    """Bytes of one kind that one thing keeps: they may become fewer, and are none in the end."""

    __slots__ = ("_account", "_kind", "_lock", "_nbytes")

    def __init__(self, account: Account, kind: Kind) -> None:
        """Count bytes of a kind on `account`: none yet."""
        self._lock = threading.Lock()  # guards the rest
        self._account: Account | None = account
        self._kind = kind
        self._nbytes = 0

    def set(self, nbytes: int) -> None:
        """Count `nbytes` from now on; after `close` it does nothing. Any thread."""
        with self._lock:
            self._set(nbytes)

    def close(self) -> None:
        """Count nothing any more."""
        with self._lock:
            self._set(0)
            self._account = None

    def _set(self, nbytes: int) -> None:
        if self._account is not None:
            self._account.add(self._kind, nbytes - self._nbytes)
            self._nbytes = nbytes
