"""Taking a socket away from the WSGI server that accepted it."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import socket
import struct
import termios

SEND_BUFFER = 65_536
"""Bytes that the kernel keeps for a reader (it doubles them). Left to itself it takes megabytes
for one that is slow: what is sent then is late, and the buffer says it is full for so long that
the reader looks dead."""

USER_TIMEOUT_MS = 30_000
"""What was sent and is not acknowledged by TCP for so long ends the connection (RFC 5482)."""


def steal(raw: socket.socket) -> socket.socket:
    """Take the connection away from the WSGI server; leave it a dead socket to shut and close.

    Raises:
        OSError: there are not the two descriptors more that it takes; the connection stays there.

    """
    dead, peer = socket.socketpair()
    peer.close()
    with dead:
        sock = socket.socket(fileno=os.dup(raw.fileno()))
        os.dup2(dead.fileno(), raw.fileno())
    sock.setblocking(False)
    tune(sock)
    return sock


def tune(sock: socket.socket) -> None:
    """Set how a connection is to send, on its socket, or on the one that accepts it (Linux)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if sock.family in {socket.AF_INET, socket.AF_INET6}:
        # Each character is sent when it is due: Nagle's algorithm would hold it for some 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


def unacknowledged(sock: socket.socket) -> int:
    """Return how many bytes the kernel keeps that the peer's kernel has not taken (``SIOCOUTQ``).

    0 where the system cannot say.
    """
    count = array.array("i", [0])
    with contextlib.suppress(OSError):
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, count)
    return count[0]


def reset_on_close(sock: socket.socket) -> None:
    """Let ``close`` drop what the kernel keeps and tell the peer so (RST).

    Else the kernel goes on trying, and keeps the bytes, for `USER_TIMEOUT_MS`.
    """
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
