"""Messages of one connection on their way to the worker threads: in order, one at a time."""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence

from textstream.access.account import Account, Kind
from textstream.loggable import log_exception
from textstream.threads import ThreadPool
from textstream.transport.assembler import Message
from textstream.transport.bounds import Bounds
from textstream.transport.large import Large

logger = logging.getLogger("textstream.transport")

BATCH = 16
"""Messages that a worker handles before other connections get their turn."""

WORTH_COUNTING = 1024
"""Bytes of a message from which on it is in the account. Most have fewer, and there are 64."""


class Inbox:
    """Hands messages to a pool so that one slow handler delays its own connection only.

    ``_lock`` guards everything; nothing is called while it is held.
    """

    __slots__ = (
        "_account",
        "_at",
        "_at_once",
        "_bounds",
        "_ended",
        "_lock",
        "_messages",
        "_nbytes",
        "_on_end",
        "_on_message",
        "_pool",
        "busy",
    )

    def __init__(
        self,
        pool: ThreadPool,
        bounds: Bounds,
        *,
        on_message: Callable[[Message], None],
        on_end: Callable[[], None],
        at_once: Callable[[Message | None], bool] | None = None,
        account: Account | None = None,
    ) -> None:
        """Make an empty one.

        Args:
            pool: its threads handle the messages.
            bounds: ``max_inbox`` and ``max_inbox_bytes`` of them.
            on_message: called in the pool for each.
            on_end: called in the pool, once and last.
            at_once: told what is put while nothing waits and no worker is at anything, None for the
                end: handles it there and then, or returns False, and a worker will. One thread puts
                all messages, and runs it.
            account: bears what messages of `WORTH_COUNTING` bytes take, until they are handled.

        """
        self._pool = pool
        self._bounds = bounds
        self._on_message = on_message
        self._on_end = on_end
        self._at_once = at_once
        self._account = account
        self._lock = threading.Lock()
        self._messages: deque[Message | None] = deque()
        self._nbytes = 0  # of the messages that wait
        self._at = False  # whether a worker is at a message: the first, and of any size
        self.busy = False
        """Whether a worker is at it, or was asked to."""
        self._ended = False

    def would_be_full(self, more: Sequence[Message]) -> bool:
        """Return whether with `more` messages as much would wait as may."""
        if not self.busy and len(more) == 1:
            return False  # it is the first; so are nearly all
        with self._lock:
            if len(self._messages) + len(more) > self._bounds.max_inbox:
                return True
            waiting = self._nbytes + sum(map(size_of, more))
            if not self._at and (self._messages or more):
                waiting -= size_of(self._messages[0] if self._messages else more[0])
            return waiting > self._bounds.max_inbox_bytes

    @property
    def is_half_empty(self) -> bool:
        """Whether so little waits that more may come."""
        return (
            len(self._messages) <= self._bounds.max_inbox // 2
            and self._nbytes <= self._bounds.max_inbox_bytes // 2
        )

    def put(self, message: Message | None) -> None:
        """Add a message; None is the end, after which nothing is added any more."""
        if self._at_once is not None and not self.busy:
            if self._ended:
                return
            try:
                done = self._at_once(message)
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                log_exception(logger, "a message handler failed", error=error)
                done = True
            if done:
                self._ended = message is None
                return
        size = size_of(message)
        with self._lock:
            if self._ended:
                return
            self._ended = message is None
            self._messages.append(message)
            self._nbytes += size
            was_busy, self.busy = self.busy, True
        if self._account and size >= WORTH_COUNTING:
            self._account.add(Kind.INBOX, size)
        if not was_busy:
            self._pool.submit(self._work)

    def close(self) -> None:
        """Let go of the connection: nothing comes after the end."""
        del self._on_message, self._on_end
        self._at_once = None

    def _work(self) -> None:
        for _ in range(BATCH):
            with self._lock:
                self._at = bool(self._messages)
                if not self._messages:
                    self.busy = False
                    return
                message = self._messages.popleft()
                size = size_of(message)
                self._nbytes -= size
            try:
                if message is None:
                    self._on_end()
                else:
                    self._on_message(message)
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                log_exception(logger, "a message handler failed", error=error)
            if self._account and size >= WORTH_COUNTING:
                self._account.add(Kind.INBOX, -size)
            if message is None:
                return
        with self._lock:
            self._at = False
        self._pool.submit(self._work)


def size_of(message: Message | None) -> int:
    """Return how many bytes a message takes in memory."""
    if isinstance(message, str | bytes):
        return sys.getsizeof(message)
    if isinstance(message, Large):
        return message.nbytes
    return 0 if message is None else sys.getsizeof(message.head)
