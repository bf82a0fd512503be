"""The socket that is listened on."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

from textstream.transport.handoff import tune

BACKLOG = 1024
"""Connections that the kernel keeps until they are accepted: as many as come within a moment. It
takes no more than ``net.core.somaxconn``."""

UNIX = "unix://"

INHERITED = sys.platform == "linux"
"""Whether what is accepted has the options of the socket that listens."""


def listen(host: str, port: int) -> socket.socket:
    """Listen, without blocking.

    Args:
        host: a name, an IPv4 or IPv6 address, or ``unix:///path`` of a Unix socket.
        port: 0 picks a free one.

    Raises:
        OSError: it cannot.

    """
    if host.startswith(UNIX):
        sock = socket.socket(socket.AF_UNIX)
        address: object = host.removeprefix(UNIX)
        with contextlib.suppress(FileNotFoundError):
            Path(host.removeprefix(UNIX)).unlink()
    else:
        flags = socket.AI_PASSIVE
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=flags)
        family, _, _, _, address = found[0]
        sock = socket.socket(family)
    try:
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tune(sock)
        sock.setblocking(False)
        sock.bind(address)  # type: ignore[arg-type]  # of whichever family
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def name_of(sock: socket.socket) -> tuple[str, str]:
    """Return address and port of a socket, as WSGI has them: both in text, "" where it has none."""
    name = sock.getsockname()
    return (name[0], str(name[1])) if isinstance(name, tuple) else (str(name), "")


def peer_of(address: object) -> tuple[str, int]:
    """Return address and port of a peer, of what ``accept`` returns for it."""
    return (address[0], address[1]) if isinstance(address, tuple) and address else ("", 0)
