"""What processes tell one another beside streams: messages on one channel, in order.

Whoever tells something does not wait for the store. While that is away messages are kept, within
bounds; what is published while it is away from others they do not hear.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from textstream.store.link import Link
from textstream.threads import ThreadPool

logger = logging.getLogger("textstream.store")

MAX_MESSAGES = 10_000
MAX_BYTES = 8 * 2**20
"""What is kept while the store is away. What comes then is dropped, and the log says so."""


class Bus:
    """Publishes and hears on a channel. `publish` for any thread, any lock held."""

    def __init__(self, link: Link, channel: str, hear: Callable[[bytes], object]) -> None:
        """Have `hear` called with each message, one after the other, in a thread of its own."""
        self.channel = channel
        self._link = link
        self._hear = hear
        self._lock = threading.Lock()  # guards the rest
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        # One thread: they are in order. Not the store's: a room may have ten thousand members.
        self._listener = ThreadPool(1, "bus", cure="Fewer events to rooms and to everybody.")

    def publish(self, message: bytes) -> None:
        """Tell all processes, this one included."""
        with self._lock:
            if len(self._waiting) >= MAX_MESSAGES or self._bytes + len(message) > MAX_BYTES:
                self._dropped += 1
                first = self._dropped == 1
            else:
                first = False
                self._waiting.append(message)
                self._bytes += len(message)
        if first:
            logger.error("the store is away for too long: events to other servers are dropped")
        self._link.soon(self._send)

    def heard(self, message: bytes) -> None:
        """Take a message. The store's thread only."""
        self._listener.submit(lambda: self._take(message))

    def begin(self) -> None:
        """Listen, and send what waits: the connection is new. The store's thread only."""
        self._link.send([("SUBSCRIBE", self.channel)])
        self._send()

    def close(self, deadline: float) -> None:
        """End the thread."""
        self._listener.close(deadline)

    def _send(self) -> None:
        if not self._link.up:
            return
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            self._bytes = 0
            dropped, self._dropped = self._dropped, 0
        if dropped:
            logger.error("%d events to other servers were dropped", dropped)
        if waiting:
            self._link.send([("PUBLISH", self.channel, message) for message in waiting])

    def _take(self, message: bytes) -> None:
        self._hear(message)
