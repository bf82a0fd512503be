"""Waits for sockets: with ``epoll`` itself where there is one, else with what `selectors` finds.

`selectors` makes an object for each socket that is ready, with flags of an enumeration: 2 µs of
Python for each, measured, where the whole of a small message takes 20.
"""

from __future__ import annotations

import errno
import select
import selectors
import socket
import sys
from typing import Protocol, cast


class Handler(Protocol):
    """What is called when a socket is ready. Must not block."""

    def on_ready(self, readable: bool, writable: bool) -> None:
        """Read, write, or both."""
        ...


Ready = list[tuple[Handler, bool, bool]]
"""Who is ready, and whether to read, and to write. An error is both: reading shows what it is."""


class Poller(Protocol):
    """Sockets, and who is called for each. One thread only."""

    def watch(self, sock: socket.socket, handler: Handler, *, read: bool, write: bool) -> None:
        """Wait for `sock` from now on; with neither, do not."""
        ...

    def forget(self, sock: socket.socket) -> None:
        """Do not wait for `sock` any more, before it is closed or goes on elsewhere."""
        ...

    def poll(self, timeout: float | None) -> Ready:
        """Wait for so many seconds, None: for ever; return who is ready.

        Raises:
            OSError: it is closed.

        """
        ...

    def sockets(self) -> list[socket.socket]:
        """Return what is waited for."""
        ...

    def close(self) -> None:
        """Free the descriptor. The sockets stay open."""
        ...


def _closed() -> OSError:
    return OSError(errno.EBADF, "the poller is closed")


class SelectorPoller:
    """For any system."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, sock: socket.socket, handler: Handler, *, read: bool, write: bool) -> None:
        """Wait for `sock` from now on; with neither, do not."""
        events = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        known = sock.fileno() in self._selector.get_map()
        if known and not events:
            self._selector.unregister(sock)
        elif known:
            self._selector.modify(sock, events, handler)
        elif events:
            self._selector.register(sock, events, handler)

    def forget(self, sock: socket.socket) -> None:
        """Do not wait for `sock` any more."""
        if sock.fileno() in self._selector.get_map():
            self._selector.unregister(sock)

    def poll(self, timeout: float | None) -> Ready:
        """Wait for so many seconds; return who is ready."""
        try:
            ready = self._selector.select(timeout)
        except ValueError as error:
            raise _closed() from error
        return [
            (key.data, bool(events & selectors.EVENT_READ), bool(events & selectors.EVENT_WRITE))
            for key, events in ready
        ]

    def sockets(self) -> list[socket.socket]:
        """Return what is waited for."""
        return [cast("socket.socket", key.fileobj) for key in self._selector.get_map().values()]

    def close(self) -> None:
        """Free the descriptor."""
        self._selector.close()


if sys.platform == "linux":

    class EpollPoller:
        """For Linux."""

        def __init__(self) -> None:
            self._epoll = select.epoll()
            self._watched: dict[int, tuple[socket.socket, Handler]] = {}

        def watch(self, sock: socket.socket, handler: Handler, *, read: bool, write: bool) -> None:
            """Wait for `sock` from now on; with neither, do not."""
            events = (select.EPOLLIN if read else 0) | (select.EPOLLOUT if write else 0)
            number = sock.fileno()
            if not events:
                self.forget(sock)
            elif number in self._watched:
                self._epoll.modify(number, events)
                self._watched[number] = sock, handler
            else:
                self._epoll.register(number, events)
                self._watched[number] = sock, handler

        def forget(self, sock: socket.socket) -> None:
            """Do not wait for `sock` any more."""
            # Told to the kernel, which forgets by itself only what is closed: not what goes on.
            if self._watched.pop(sock.fileno(), None):
                self._epoll.unregister(sock.fileno())

        def poll(self, timeout: float | None) -> Ready:
            """Wait for so many seconds; return who is ready."""
            try:
                ready = self._epoll.poll(timeout)
            except ValueError as error:
                raise _closed() from error
            watched = self._watched
            return [
                (
                    watched[number][1],
                    bool(events & ~select.EPOLLOUT),
                    bool(events & ~select.EPOLLIN),
                )
                for number, events in ready
            ]

        def sockets(self) -> list[socket.socket]:
            """Return what is waited for."""
            return [sock for sock, _ in self._watched.values()]

        def close(self) -> None:
            """Free the descriptor."""
            self._epoll.close()


def new_poller() -> Poller:
    """Return the fastest there is.

    Not ``epoll`` under gevent, which has taken it out of `select`: it would hold all greenlets.
    """
    if sys.platform == "linux" and hasattr(select, "epoll"):
        return EpollPoller()
    return SelectorPoller()
