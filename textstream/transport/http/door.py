"""How a WebSocket leaves the HTTP connection that its handshake came on."""

from __future__ import annotations

import binascii
import errno
import hashlib
import socket
from typing import Any

from textstream.transport.http.request import Carrier
from textstream.transport.sockets import DOOR

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)

TAKEN = ()
"""What Engine.IO is to return for a request that is none any more. Not a list, which would be
packets to it."""


class Door:
    """In the environ of a request: what came with it, until it is answered.

    Engine.IO keeps the environ of a session's first request; it must not keep a connection.
    """

    __slots__ = ("connection",)

    def __init__(self, connection: Carrier) -> None:
        self.connection: Carrier | None = connection

    def take(
        self, environ: dict[str, Any], first: bytes = b""
    ) -> tuple[socket.socket, bytes, bytes]:
        """Switch protocols (RFC 6455, 4.2.2). In the thread that has read the request.

        From now on there is no HTTP on this connection: nothing may answer the request.

        Args:
            environ: of a handshake that is in order.
            first: what is sent behind the answer, in the same packet.

        Returns:
            The socket, whoever called owns it; what the client has sent behind its handshake; and
            what is to be sent before all else.

        Raises:
            OSError: the client has gone.

        """
        if self.connection is None:
            raise OSError("the request is answered")
        sock, rest = self.connection.take(), self.connection.ahead
        data = _switching(environ) + first
        try:
            # The kernel takes all of it, but where answers before are not read: half of it is none.
            if sock.send(data) < len(data):
                raise BlockingIOError(errno.EAGAIN, "the client does not read")
        except OSError:
            sock.close()
            raise
        return sock, rest, b""


class Threshold:
    """A door that nobody has to open: the request came in one piece, and was never a connection's.

    Attributes:
        sock: it came on this.
        rest: and this came behind it.

    """

    __slots__ = ("rest", "sock")

    def __init__(self, sock: socket.socket, rest: bytes) -> None:
        self.sock = sock
        self.rest = rest

    def take(
        self, environ: dict[str, Any], first: bytes = b""
    ) -> tuple[socket.socket, bytes, bytes]:
        """Switch protocols, as `Door.take`; nothing is sent yet."""
        return self.sock, self.rest, _switching(environ) + first


def door_of(environ: dict[str, Any]) -> Door | None:
    """Return the door that a request came through; None where another server has read it."""
    return environ.get(DOOR)


def _switching(environ: dict[str, Any]) -> bytes:
    key = environ["HTTP_SEC_WEBSOCKET_KEY"].encode()
    digest = hashlib.sha1(key + _GUID).digest()  # noqa: S324 (as the protocol has it)
    return _SWITCHING % binascii.b2a_base64(digest, newline=False)
