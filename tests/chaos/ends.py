"""Both ends of a connection through the proxy, in the test's own hands."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.timing import patient
from textstream.chaos import ChaosProxy

PATIENCE = patient(20.0)
SMALL = 64 * 1024


@dataclass(frozen=True)
class Ends:
    """The proxy, the client's socket, and the server's of the same connection."""

    proxy: ChaosProxy
    client: socket.socket
    server: socket.socket


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A server's listener with small buffers, so that little hides in the kernel."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        listener.settimeout(PATIENCE)
        yield listener


def connect(proxy: ChaosProxy) -> socket.socket:
    family = socket.AF_INET6 if ":" in proxy.address[0] else socket.AF_INET
    client = socket.socket(family)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    client.settimeout(PATIENCE)
    try:
        client.connect(proxy.address)
    except OSError:
        client.close()
        raise
    return client


@contextmanager
def ends(**options: Any) -> Iterator[Ends]:
    """Connect a client to a server through a proxy with these options."""
    with (
        listening() as listener,
        ChaosProxy(listener.getsockname()[:2], **options) as proxy,
        connect(proxy) as client,
        listener.accept()[0] as server,
    ):
        server.settimeout(PATIENCE)
        yield Ends(proxy, client, server)


@contextmanager
def sending(source: socket.socket, data: bytes, *, end: bool = False) -> Iterator[None]:
    """Send all of it meanwhile, and then the end, as far as the other side lets us."""

    def send() -> None:
        try:
            source.sendall(data)
            if end:
                source.shutdown(socket.SHUT_WR)
        except OSError:
            return  # cut: what has arrived is what the test looks at

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE)


def receive(target: socket.socket, count: int) -> bytes:
    """Receive exactly so many bytes, or fewer if the connection ends."""
    got = bytearray()
    while len(got) < count:
        data = target.recv(count - len(got))
        if not data:
            break
        got += data
    return bytes(got)


def receive_to_end(target: socket.socket) -> tuple[bytes, str]:
    """Return all that comes, and how it ended: "fin" or "rst"."""
    got = bytearray()
    try:
        while data := target.recv(65536):
            got += data
    except (ConnectionResetError, BrokenPipeError):
        return bytes(got), "rst"
    return bytes(got), "fin"
