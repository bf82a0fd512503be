"""The socket that is listened on."""

from __future__ import annotations

import socket
import stat
import sys
from pathlib import Path
from typing import Any

from textstream.transport.handoff import tune

BACKLOG = 1024
"""Connections that the kernel keeps until they are accepted: as many as come within a moment. It
takes no more than ``net.core.somaxconn``."""

UNIX = "unix://"

INHERITED = sys.platform == "linux"
"""Whether what is accepted has the options of the socket that listens."""

MAPPED = "::ffff:"
"""Before an IPv4 address that has come to an IPv6 socket (RFC 4291, 2.5.5.2)."""


def listen(host: str, port: int) -> socket.socket:
    """Listen, without blocking.

    Args:
        host: a name, an IPv4 or IPv6 address, or ``unix:///path`` of a Unix socket. ``::`` is
            every address of the machine, those of IPv4 too. A socket file that a server has left
            which is no more is replaced.
        port: 0 picks a free one.

    Raises:
        OSError: it cannot.

    """
    if host.startswith(UNIX):
        path = host.removeprefix(UNIX)
        family, address = int(socket.AF_UNIX), path
        _remove_stale(Path(path))
    else:
        family, address = _resolve(host, port)
    sock = socket.socket(family)
    try:
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            only = host != "::"
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        tune(sock)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int) -> tuple[int, Any]:
    """Return family and address of a host: of IPv4, where a name has both.

    It is what clients find in any case: they try both.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return found[0][0], found[0][4]


def _remove_stale(path: Path) -> None:
    """Remove the socket file that a server has left: nobody listens on it any more."""
    if not _is_socket(path):
        return  # whatever else it is stays, and cannot be listened on
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # whoever has no place for it is there, too
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            return  # it may be alive


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False


def close(sock: socket.socket) -> None:
    """Listen no longer; a Unix socket's file goes with it. Again, it does nothing."""
    if sock.fileno() < 0:
        return
    name = sock.getsockname()
    sock.close()
    if isinstance(name, str) and name:
        _remove_stale(Path(name))  # where another server has taken its place, it is not


def name_of(sock: socket.socket) -> tuple[str, str]:
    """Return address and port of a socket, as WSGI has them: both in text.

    A Unix socket's are ``localhost`` and 80: neither may be empty (PEP 3333).
    """
    name = sock.getsockname()
    return (name[0], str(name[1])) if isinstance(name, tuple) else ("localhost", "80")


def peer_of(address: object) -> tuple[str, int]:
    """Return address and port of a peer, of what ``accept`` returns for it.

    "" and 0 of a Unix socket's. An IPv4 address is one, also where IPv6 is listened on.
    """
    if not isinstance(address, tuple) or not address:
        return "", 0
    return address[0].removeprefix(MAPPED), address[1]
