"""Messages of one connection on their way to the worker threads: in order, one at a time."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from textstream.threads import ThreadPool
from textstream.transport.frames import Oversized

logger = logging.getLogger("textstream.transport")

BATCH = 16
"""Messages that a worker handles before other connections get their turn."""

Message = str | bytes | Oversized


class Inbox:
    """Hands messages to a pool so that one slow handler delays its own connection only.

    ``_lock`` guards everything; nothing is called while it is held.
    """

    __slots__ = ("_busy", "_ended", "_lock", "_messages", "_on_end", "_on_message", "_pool")

    def __init__(
        self,
        pool: ThreadPool,
        *,
        on_message: Callable[[Message], None],
        on_end: Callable[[], None],
    ) -> None:
        """Make an empty one; both are called in the pool, `on_end` once and last."""
        self._pool = pool
        self._on_message = on_message
        self._on_end = on_end
        self._lock = threading.Lock()
        self._messages: deque[Message | None] = deque()
        self._busy = False  # whether a worker is at it, or was asked to
        self._ended = False

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._messages)

    def put(self, message: Message | None) -> None:
        """Add a message; None is the end, after which nothing is added any more."""
        with self._lock:
            if self._ended:
                return
            self._ended = message is None
            self._messages.append(message)
            if self._busy:
                return
            self._busy = True
        self._pool.submit(self._work)

    def close(self) -> None:
        """Let go of the connection: nothing comes after the end."""
        del self._on_message, self._on_end

    def _work(self) -> None:
        for _ in range(BATCH):
            with self._lock:
                if not self._messages:
                    self._busy = False
                    return
                message = self._messages.popleft()
            try:
                if message is None:
                    self._on_end()
                else:
                    self._on_message(message)
            except Exception:
                logger.exception("a message handler failed")
            if message is None:
                return
        self._pool.submit(self._work)
