"""What a principal may do with a stream. The one place that decides; it is asked on each event."""

from __future__ import annotations

import hmac
from typing import Protocol

from textstream.access.principal import Principal
from textstream.errors import Forbidden

NOT_OWNER = (
    "Only who started this stream may do that: on the connection that did, with the client_key of "
    "that client at CONNECT, or with the key that the answer to start_stream had."
)

WRONG_KEY = "This is not the key of that stream: the answer to its start_stream had it."


class Owned(Protocol):
    """A stream, as far as this goes.

    Attributes:
        owner: the connection that has it now.
        principal: who started it.
        key: makes whoever has it its owner.

    """

    owner: str
    principal: Principal
    key: str


def check_key(stream: Owned, key: str | None) -> None:
    """Refuse a key that is not the stream's; none is no wrong one.

    Raises:
        Forbidden: it is another.

    """
    if key is not None and not hmac.compare_digest(key.encode(), stream.key.encode()):
        raise Forbidden(WRONG_KEY)


def owns(stream: Owned, principal: Principal, connection: str, key: str | None = None) -> bool:
    """Return whether somebody may do with a stream what changes it for others.

    Args:
        stream: it.
        principal: who asks, as it is now.
        connection: by which.
        key: the stream's, if it was shown.

    Raises:
        Forbidden: it is another stream's key.

    """
    check_key(stream, key)
    return (
        key is not None
        or stream.owner == connection
        or (principal.known and principal == stream.principal)
    )


def check_control(
    stream: Owned, principal: Principal, connection: str, key: str | None = None
) -> None:
    """Refuse what changes a stream for others to whoever does not own it.

    Raises:
        Forbidden: see `owns`.

    """
    if not owns(stream, principal, connection, key):
        raise Forbidden(NOT_OWNER)
