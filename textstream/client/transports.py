"""Which way to a server: WebSocket, and polling where that does not get through."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textstream.client.connection import POLLING, WEBSOCKET, Connection
from textstream.client.failures import CannotConnect
from textstream.errors import InvalidRequest

WEBSOCKET_PATIENCE = 3.0
"""Seconds for each step of a WebSocket's handshake, where polling is still to be tried.

Proxies that carry none refuse it at once as a rule, but there are those that say nothing. A server
that is slower than this is read over polling: as exact, and a little slower.
"""

Attempt = tuple[str, ...]
Connect = Callable[[Attempt, float], Connection]


def attempts_of(transports: Sequence[str] | None) -> tuple[Attempt, ...]:
    """Return what is to be tried, one after the other.

    ``["polling", "websocket"]`` is one attempt, as in Engine.IO: a session begins with polling,
    and moves to a WebSocket where that gets through.

    Raises:
        InvalidRequest: there is no such transport, or none at all.

    """
    names = (transports,) if isinstance(transports, str) else transports
    if names is None:
        names = (WEBSOCKET, POLLING)
    wanted = tuple(dict.fromkeys(names))
    if not wanted or set(wanted) - {WEBSOCKET, POLLING}:
        raise InvalidRequest(
            f'transports: "{WEBSOCKET}", "{POLLING}" or both in their order, not {transports!r}'
        )
    return ((WEBSOCKET,), (POLLING,)) if wanted == (WEBSOCKET, POLLING) else (wanted,)


def connect_by(attempts: Sequence[Attempt], connect: Connect, timeout: float) -> Connection:
    """Return the connection of the first attempt that succeeds.

    Each is a connection of its own: nothing of one that failed is left for the next. The reason
    of the first one that no other transport can mend stands (no such name, refused, a
    certificate), or else that of the last.

    Raises:
        CannotConnect: no attempt succeeded.
        TextStreamError: the server refused the connection.

    """
    *earlier, last = attempts
    for attempt in earlier:
        try:
            return connect(attempt, min(timeout, WEBSOCKET_PATIENCE))
        except CannotConnect as error:
            if not error.cause.other_way:
                raise
    return connect(last, timeout)
