"""Requests, from the bytes of one connection. No I/O."""

from __future__ import annotations

import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from textstream.transport.http.bodies import RequestBody, size_of
from textstream.transport.http.files import FileBody
from textstream.transport.http.head import Head, find_end, parse_head

NONE = b""


class Carrier(Protocol):
    """The connection that a request has come on, and that brings the answer: `HttpConnection`."""

    sock: socket.socket | None
    peer: str
    port: int
    address: str

    @property
    def ahead(self) -> bytes:
        """What has come behind the request that is being served."""
        ...

    def answer(self, data: bytes, *, keep: bool, file: FileBody | None = None) -> None:
        """Send an answer, or the rest of one, and take the next request, or close."""
        ...

    def write(self, data: bytes, on_drained: Callable[[bool], None]) -> None:
        """Send a part of an answer."""
        ...

    def refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer that there is nothing, and close."""
        ...

    def expect_end(self, on_gone: Callable[[], None] | None) -> None:
        """Look for the client's end while its request waits, or no longer."""
        ...

    def take(self) -> socket.socket:
        """Hand over the socket, for good."""
        ...

    def end(self) -> None:
        """Close, whatever it is at."""
        ...


class Counted(Protocol):
    """Bytes that are counted: `places.Held`."""

    def let_go(self) -> None:
        """Count them no longer."""
        ...


class Request:
    """A request that has come whole.

    Attributes:
        head: its head.
        body: its content; the beginning only where it was too large to keep.
        size: bytes of the content as it came.
        connection: brings the answer.
        held: counts the content until the request was handled; None: it is empty.

    """

    __slots__ = ("body", "connection", "head", "held", "size")

    def __init__(self, head: Head, body: bytes, size: int, connection: Carrier) -> None:
        self.head = head
        self.body = body
        self.size = size
        self.connection = connection
        self.held: Counted | None = None


class Incoming:
    """What has come of a request, and what has come behind it.

    Attributes:
        head: of the request, if all of it has come.
        body: what takes its body then.
        ahead: what came behind the body: the beginning of the next request.

    """

    __slots__ = ("_body_of", "_data", "ahead", "body", "head")

    def __init__(self, body_of: Callable[[Head], RequestBody]) -> None:
        """Make it, empty; `body_of` returns what takes a body, or raises `BadHead`."""
        self._body_of = body_of
        self._data = bytearray()
        self.head: Head | None = None
        self.body: RequestBody | None = None
        self.ahead = NONE

    @property
    def kept(self) -> int:
        """Bytes of the body that are kept."""
        return len(self.body.content) if self.body else 0

    @property
    def complete(self) -> bool:
        """Whether there is a whole request to `take`."""
        return self.body is not None and self.body.complete

    def feed(self, data: bytes) -> None:
        """Take what has come, until a request is complete.

        Raises:
            BadHead: there will be no request. It takes nothing more then.

        """
        if self.body is None:
            start = max(0, len(self._data) - 3)
            self._data += data
            end = find_end(self._data, start)
            if end < 0:
                return
            whole = bytes(self._data)
            self._data.clear()
            self.head = parse_head(whole[:end])
            self.body = self._body_of(self.head)
            data = whole[end:]
        self.ahead = self.body.feed(data)

    def take(self, connection: Carrier) -> Request:
        """Return the request that is complete; what comes `ahead` is another's."""
        head, body, self.head, self.body = self.head, self.body, None, None
        assert head is not None  # noqa: S101 (one is complete)
        assert body is not None  # noqa: S101 (the same)
        return Request(head, bytes(body.content), size_of(body), connection)
