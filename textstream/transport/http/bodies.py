"""How large a request's body may be, and what becomes of one that is larger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from textstream.transport.http.body import Body
from textstream.transport.http.head import Head

KEPT = 1024
"""Bytes that are kept of a body that is thrown away: whose it is stands there."""


class RequestBody(Protocol):
    """Takes the bytes of a body."""

    @property
    def complete(self) -> bool:
        """Whether all has come."""
        ...

    @property
    def content(self) -> bytes | bytearray:
        """What is kept of it."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return those behind the body. Raises `BadHead`."""
        ...


class Dropped:
    """A body of which the beginning is kept, so that whoever sent it can be told."""

    def __init__(self, size: int) -> None:
        self.content: bytes | bytearray = bytearray()
        self.size = size
        self._left = size

    @property
    def complete(self) -> bool:
        """Whether all has come."""
        return not self._left

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return those behind the body."""
        taken = data[: self._left]
        self.content += taken[: KEPT - len(self.content)]
        self._left -= len(taken)
        return data[len(taken) :]


def size_of(body: RequestBody) -> int:
    """Return how many bytes a complete body had."""
    return body.size if isinstance(body, Dropped) else len(body.content)


class Bodies:
    """What bodies may have."""

    def __init__(
        self, most: int, dropped: int = 0, may_be_dropped: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Set it.

        Args:
            most: bytes of a body.
            dropped: bytes of one that is read and thrown away, where the application answers it.
            may_be_dropped: whether it does, by the path of the request.

        """
        self._most = most
        self._dropped = dropped
        self._may_be_dropped = may_be_dropped

    def of(self, head: Head) -> RequestBody:
        """Return what takes a request's body.

        Raises:
            BadHead: it is too large.

        """
        if self._most < head.length <= self._dropped and self._may_be_dropped(head.path):
            return Dropped(head.length)
        return Body(head, self._most)
