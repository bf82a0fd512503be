"""How a request is refused before an application sees it."""

from __future__ import annotations

from http import HTTPStatus

_MAX_ECHO = 40


class BadHead(Exception):
    """A request that is not served. Behind it nothing can be read: the connection is closed.

    Attributes:
        status: what it is answered with.
        cure: one sentence or two for whoever sent it, printable, at most 120 characters.

    """

    def __init__(self, status: HTTPStatus, cure: str) -> None:
        super().__init__(status, cure)
        self.status = status
        self.cure = cure


def echo(text: str) -> str:
    """Return at most 40 characters of what a client sent, printable ASCII, in quotes."""
    return f"'{ascii(text[:_MAX_ECHO])[1:-1][:_MAX_ECHO]}'"
