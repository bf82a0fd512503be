"""The short way of a handshake that has come whole: no connection of HTTP is made for it."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable

from textstream.loggable import log_exception
from textstream.transport.http.door import Threshold
from textstream.transport.http.environ import Environ, environ_of_head
from textstream.transport.http.head import BadHead, find_end, parse_head
from textstream.transport.http.wire import logger

Opening = Callable[[Environ, Threshold], bool]
"""Opens a session with the WebSocket that stands on a threshold, and returns True; or it does
nothing, and the request takes the long way. In the reactor's thread: must not block."""


class Express:
    """Has sessions opened with what clients send at once when they connect.

    Nearly every client of a WebSocket sends its handshake in one piece, and it is there when it is
    accepted. A place, a phase, a body and an exchange are for requests that have to be waited for:
    they were a fifth of what a connection cost. Whatever is not a whole handshake that is in order
    takes the long way, from its first byte, and is answered there.
    """

    def __init__(self, path: str, opening: Opening, name: tuple[str, str]) -> None:
        """Take handshakes to `path`, as `opening` opens them, at a server of this name."""
        self._begins = f"GET {path}?".encode()
        self._opening = opening
        self._name = name

    def take(self, sock: socket.socket, peer: str, port: int, data: bytes) -> bool:
        """Take a connection with all that has come of it; return whether it is somebody else's now.

        Args:
            sock: it, which does not block.
            peer: its peer's address.
            port: its peer's.
            data: that has come.

        """
        if not data.startswith(self._begins):
            return False
        end = find_end(data)
        if end < 0:
            return False
        try:
            head = parse_head(data[:end])
        except BadHead:
            return False
        if head.length or head.chunked:
            return False
        environ = environ_of_head(head, peer, port, self._name, io.BytesIO())
        try:
            return self._opening(environ, Threshold(sock, data[end:]))
        except Exception as error:  # noqa: BLE001 (of whatever kind)
            log_exception(logger, "an HTTP connection failed", error=error)
            sock.close()
            return True
