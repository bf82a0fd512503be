"""Hosts and ports: read, written, listened on, connected to."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Any

Address = tuple[str, int]
"""Host and port. The host of IPv6 has no brackets here."""

MAX_PORT = 65535

_BACKLOG = 1024
_UNDER_WAY = {0, errno.EINPROGRESS}


def parse_address(text: str) -> Address:
    """Return host and port of ``host:port`` or ``[IPv6]:port``.

    Raises:
        ValueError: it has another form, or the port is not between 0 and 65535.

    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    valid_host = host and ((":" in host) == bracketed) and not set(host) & set("[]/@ ")
    valid_port = re.fullmatch("[0-9]{1,5}", port) and int(port) <= MAX_PORT
    if not (colon and valid_host and valid_port):
        raise ValueError(f"an address looks like 127.0.0.1:5002 or [::1]:5002, not {text!r}")
    return host, int(port)


def format_address(address: Address) -> str:
    """Return ``host:port``, with an IPv6 host in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def resolve(address: Address) -> list[tuple[socket.AddressFamily, Any]]:
    """Return what the address may mean, the best first: families and sockets' addresses.

    Raises:
        OSError: the name is not known.

    """
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    return [(family, where) for family, _, _, _, where in found]


def listen(address: Address) -> socket.socket:
    """Return a listening socket that does not block.

    Raises:
        OSError: the name is not known, the port is in use, or may not be used.

    """
    family, where = resolve(address)[0]
    listener = socket.create_server(where[:2], family=family, backlog=_BACKLOG)
    listener.setblocking(False)
    return listener


class Connecting:
    """A client whose connection to the server is on its way.

    A name may have several addresses (``localhost`` has two), of which the server has one.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        addresses: list[tuple[socket.AddressFamily, Any]],
        *,
        buffer: int,
        deadline: float,
    ) -> None:
        """Do nothing yet.

        Args:
            number: of the connection.
            client: whoever has connected to the proxy.
            addresses: as `resolve` returns them.
            buffer: bytes that the kernel may hold of what the server sends. The default is some
                megabytes: a server would not notice for long that its client is slow.
            deadline: when to give up, by the caller's clock.

        """
        self.number = number
        self.client = client
        self.deadline = deadline
        self.server: socket.socket | None = None
        self.error = ""
        """Why the last address failed."""
        self._addresses = iter(addresses)
        self._buffer = buffer

    def try_next(self) -> socket.socket | None:
        """Connect to the next address; return the socket on its way, None: there is no more."""
        self.drop()
        for family, where in self._addresses:
            self.server = socket.socket(family, socket.SOCK_STREAM)
            self.server.setblocking(False)
            self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
            self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._failed(self.server.connect_ex(where)):
                return self.server
            self.drop()
        return None

    def succeeded(self) -> bool:
        """Return whether it is connected, once its socket has become writable."""
        if self.server is None:
            return False
        return not self._failed(self.server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def drop(self) -> None:
        """Close the socket that is on its way."""
        if self.server:
            self.server.close()
            self.server = None

    def _failed(self, code: int) -> bool:
        if code in _UNDER_WAY:
            return False
        self.error = os.strerror(code)
        return True
