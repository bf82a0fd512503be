"""A client's socket in the reactor, and where it stands in the tables of all of them."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any, Protocol

from textstream.access.address import counted
from textstream.loggable import log_exception
from textstream.transport.http.deadlines import Deadlines, Phase
from textstream.transport.http.places import Places
from textstream.transport.reactor import Reactor

logger = logging.getLogger("textstream.http")


class Tables(Protocol):
    """The tables."""

    reactor: Reactor
    places: Places
    deadlines: Deadlines[Any]

    def gone(self, wire: Any) -> None:
        """Note that one has ended, or is somebody else's."""
        ...


class Wire:
    """A socket that is read and written in the reactor's thread, while it is in a phase.

    Attributes:
        sock: None when it has ended, or is somebody else's.
        peer: its peer's address, "" of a Unix socket.
        port: its peer's.
        address: what it is counted by.
        phase: what it is at.

    """

    __slots__ = ("_kept", "_tables", "_watched", "address", "peer", "phase", "port", "sock")

    def __init__(self, sock: socket.socket, peer: str, port: int, tables: Tables) -> None:
        """Own `sock`, which does not block, of a peer. Its place is taken."""
        self.sock: socket.socket | None = sock
        self.peer = peer
        self.port = port
        self.address = counted(peer)
        self.phase = Phase.FRESH
        self._tables = tables
        self._kept = 0  # bytes of a body that are counted
        self._watched = (False, False)

    def on_ready(self, readable: bool, writable: bool) -> None:
        """Read, or write. What it did not ask for, as with an error, comes with what it did."""
        read, write = self._watched
        if writable and write and self.sock is not None:
            self._guarded(self._flush)
        if readable and read and self.sock is not None:
            self._guarded(self._receive)

    def give_way(self) -> bool:
        """Close, unless something has come that was not read yet; return whether it is closed."""
        if self.sock is None:
            return False
        try:
            silent = not self.sock.recv(1, socket.MSG_PEEK)
        except OSError:
            silent = True
        if silent:
            self.end()
        return silent

    def end(self) -> None:
        """Close, whatever it is at."""
        sock, self.sock = self.sock, None
        if sock is None:
            return
        self._tables.reactor.forget(sock)
        sock.close()
        self._leave()

    def take(self) -> socket.socket:
        """Hand over the socket, for good.

        Raises:
            RuntimeError: no request of it is being served, or not in the reactor's thread.

        """
        sock = self.sock
        if sock is None or self.phase is not Phase.WORKING or not self._tables.reactor.is_current:
            raise RuntimeError("the connection is not to be taken")
        self._watch()  # or it could not be watched for another
        self.sock = None
        self._leave()
        return sock

    # What it is made for.

    def _receive(self) -> None:
        raise NotImplementedError

    def _flush(self) -> None:
        raise NotImplementedError

    def _left(self) -> None:
        raise NotImplementedError

    # Where it stands.

    def _guarded(self, step: Callable[[], None]) -> None:
        """Take a step. If it raises, nothing would ever go on here."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 (of whatever kind)
            log_exception(logger, "an HTTP connection failed", error=error)
            self.end()

    def _enter(self, phase: Phase) -> None:
        self._tables.deadlines.leave(self, self.phase)
        self.phase = phase
        self._tables.deadlines.enter(self, phase)

    def _watch(self, *, read: bool = False, write: bool = False) -> None:
        if self.sock is not None and self._watched != (read, write):
            self._watched = (read, write)
            self._tables.reactor.watch(self.sock, self, read=read, write=write)

    def _count(self, kept: int) -> None:
        if kept != self._kept:
            self._tables.places.keep(self, kept - self._kept)
            self._kept = kept

    def _leave(self) -> None:
        self._count(0)
        self._tables.deadlines.leave(self, self.phase)
        self._tables.places.leave(self)
        self._tables.gone(self)
        self._left()
