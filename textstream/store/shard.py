"""One connection to a server of the store: what is sent and awaited on it. No thread of its own."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import hiredis

from textstream.store.wire import Command

RECEIVED = 262_144
"""Bytes read at once."""

PING_SECONDS = 1.0
"""After so long without a word the store is asked for one."""

DEAD_SECONDS = 3.0
"""A store that answers nothing for so long is given up, and connected to anew."""

BROKEN = (
    *("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "MISCONF", "NOREPLICAS"),
    *("MOVED", "ASK", "TRYAGAIN"),
)
"""What errors begin with that mean: not this server, or not now."""

CONFIRMED = (b"subscribe", b"unsubscribe", b"ssubscribe", b"sunsubscribe")
"""What is pushed in the place of a reply, in its order (RESP3). One that is refused has a reply."""

Replies = list[Any]
Done = Callable[[Replies | None], object]
"""Called in the store's thread with a reply for each command, errors among them; None: the
connection broke, and nobody knows what was done."""


class Batch:
    """Commands that were left together, and the replies to them, from however many servers."""

    __slots__ = ("_left", "done", "replies")

    def __init__(self, count: int, done: Done) -> None:
        """Call `done` when so many replies are there."""
        self.replies: Replies = [None] * count
        self.done = done
        self._left = count

    def take(self, number: int, reply: Any) -> bool:
        """Keep the reply to a command; return whether it is the last one."""
        self.replies[number] = reply
        self._left -= 1
        return not self._left


class Shard:
    """A connection. The store's thread's own.

    Attributes:
        sock: it; does not block.
        outgoing: bytes that wait to be sent.

    """

    __slots__ = (
        "_call",
        "_channels",
        "_heard",
        "_on_message",
        "_reader",
        "_waiting",
        "outgoing",
        "sock",
    )

    def __init__(
        self,
        sock: socket.socket,
        now: float,
        *,
        call: Callable[..., None],
        on_message: Callable[[bytes, bytes], object],
    ) -> None:
        """Speak on `sock`.

        Args:
            sock: owned from now on.
            now: seconds of the link's clock.
            call: calls back, whatever is raised then.
            on_message: called with a channel, and what was published on it.

        """
        self.sock = sock
        self.outgoing = b""
        self._channels: set[str] = set()  # sharded ones that are subscribed, or about to be
        self._call = call
        self._on_message = on_message
        self._reader: Any = hiredis.Reader()
        self._waiting: deque[tuple[Batch, int]] = deque()  # for replies, in order
        self._heard = now

    def add(self, packed: list[bytes], awaited: Iterable[tuple[Batch, int]]) -> None:
        """Send packed commands soon; of which batch, and which of its replies, is `awaited`."""
        self.outgoing = b"".join((self.outgoing, *packed))
        self._waiting += awaited

    def note(self, command: Command) -> None:
        """Know of a command that is about to be sent which channels are wanted from then on."""
        if command[0] == "SSUBSCRIBE":
            self._channels.add(str(command[1]))
        elif command[0] == "SUNSUBSCRIBE":
            self._channels.discard(str(command[1]))

    def fail(self) -> list[Batch]:
        """Close it; return what is not answered any more, each once, the oldest first."""
        self.sock.close()
        left = dict.fromkeys(batch for batch, _ in self._waiting)
        self._waiting.clear()
        return list(left)

    @property
    def pending(self) -> bool:
        """Whether something was read that TLS still has."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def write(self) -> None:
        """Send what waits, as far as the kernel takes it."""
        try:
            sent = self.sock.send(self.outgoing)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        self.outgoing = self.outgoing[sent:]

    def read(self, now: float) -> None:
        """Take what has come.

        Raises:
            OSError, HiredisError: it is over.

        """
        try:
            data = self.sock.recv(RECEIVED)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        if not data:
            raise ConnectionResetError("it closed the connection")
        self._heard = now
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self._take(reply)

    def due(self) -> float:
        """Return when it is to be looked at, whatever comes."""
        return self._heard + PING_SECONDS

    def is_silent(self, now: float) -> bool:
        """Return whether it is to be asked for a sign of life.

        Raises:
            TimeoutError: it was asked, and gives none.

        """
        silent = now - self._heard
        if silent >= DEAD_SECONDS and self._waiting:
            raise TimeoutError(f"it has answered nothing for {silent:.0f} s")
        return silent >= PING_SECONDS and not self._waiting

    def _take(self, reply: Any) -> None:
        if isinstance(reply, hiredis.PushNotification) and not self._is_reply(reply):
            return
        if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(BROKEN):
            raise ConnectionResetError(str(reply))
        batch, number = self._waiting.popleft()
        if batch.take(number, reply):
            self._call(batch.done, batch.replies)

    def _is_reply(self, push: Any) -> bool:
        """Take what was pushed; return whether it stands in the place of a reply."""
        kind = push[0]
        if kind in {b"message", b"smessage"}:
            self._call(self._on_message, push[1], push[2])
        elif kind == b"sunsubscribe" and push[1] and push[1].decode() in self._channels:
            raise ConnectionResetError("a slot of the cluster has moved")
        return kind in CONFIRMED
