"""Ports for servers that cannot be asked which they have picked."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def taken(count: int = 1) -> Iterator[tuple[int, list[socket.socket]]]:
    """Yield the first of so many ports in a row, and the sockets that listen on them."""
    with ExitStack() as stack:
        while True:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = first.getsockname()[1]
            try:
                more = [
                    stack.enter_context(socket.create_server(("127.0.0.1", port + number)))
                    for number in range(1, count)
                ]
            except OSError:
                continue
            yield port, [first, *more]
            return


def free_ports(count: int = 1) -> int:
    """Return the first of so many ports in a row that nobody listened on a moment ago."""
    with taken(count) as (first, _):
        return first
