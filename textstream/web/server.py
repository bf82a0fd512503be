"""The parts of a running server: from the first connection until it has gone down."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from engineio.exceptions import SocketIsClosedError
from flask import Flask
from flask_socketio import SocketIO

from textstream.access.caller import NOBODY
from textstream.access.clients import Clients
from textstream.hub.hub import Hub
from textstream.lab import Lab
from textstream.loggable import log_exception
from textstream.protocol import SERVER_DRAINING, server_draining
from textstream.reading.dispatcher import Dispatcher
from textstream.sources import SourceRegistry
from textstream.transport.driver import Transport
from textstream.transport.frames import GOING_AWAY
from textstream.transport.http.front import Front
from textstream.web.listening import KnownHosts
from textstream.web.watch import Watch

if TYPE_CHECKING:
    from textstream.store.node import Node

logger = logging.getLogger("textstream.server")

CLOSE_SECONDS = 1.8
"""Seconds from the end of the draining to the end of the process, at most."""

POLL_SECONDS = 0.6
"""Time for the clients that poll between two fetches, when the server goes down."""


class Closes(Protocol):
    """What has to be closed."""

    def close(self, deadline: float) -> None:
        """Close it until `deadline` (``time.monotonic``)."""
        ...


@contextmanager
def going_on(step: str) -> Iterator[None]:
    """Log what raises in a step of going down: it must not keep the others from being taken."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (of whatever kind)
        log_exception(logger, "going down: %s failed", step, error=error)


@dataclass
class Server:
    """The parts of a running server; ``app.extensions["textstream"]``."""

    app: Flask
    socketio: SocketIO
    hub: Hub
    registry: SourceRegistry
    dispatcher: Dispatcher
    transport: Transport | None
    clients: Clients
    watch: Watch
    known_hosts: KnownHosts
    """Is around the app, and has to be around what serves a part of it."""
    lab: Lab | None = None
    front: Front | None = None
    beside: Closes | None = None
    """What is served at another address, up to the end: figures."""
    one_thread: bool = True
    """Whether readers are served in the reactor's thread, where there is one.

    Measured with 400 and with 1,200 paced readers: 3 to 8 % of what a character costs is handing
    the interpreter from one thread to the other. Else the dispatcher has a task of its own.
    """
    on_closed: Callable[[float], object] = bool
    """Called at the end, with when that is to have ended (``time.monotonic``)."""
    node: Node | None = None
    """What shares streams with other processes, where that is wanted."""
    started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _task: threading.Thread | None = None
    _pid: int = 0
    _drained_by: float = 0.0

    def ensure_running(self) -> None:
        """See to it that readers are served, once in each process.

        Not when the app is made: a server that loads the app and forks then (gunicorn
        ``--preload``) would leave the threads behind.
        """
        if self._pid == os.getpid():
            return
        # Before the lock: it may be made now, under one of its own.
        reactor = self.transport.reactor if self.transport else None
        with self._lock:
            if self._pid != os.getpid():
                if self.transport and reactor and self.one_thread:
                    self.dispatcher.attach(reactor.wake)
                    reactor.host(self.dispatcher)
                    self.transport.quick.behind = self.dispatcher.begin_new
                else:
                    self._task = threading.Thread(
                        target=self.dispatcher.run, name="dispatcher", daemon=True
                    )
                    self._task.start()
                if self.node is not None:
                    self.node.start()
                self._pid = os.getpid()

    @property
    def down_by(self) -> float:
        """When a process that drains is to have ended, on the monotonic clock."""
        return self._drained_by + CLOSE_SECONDS

    def draining(self) -> dict[str, Any]:
        """Return the payload of ``server_draining``."""
        left = self._drained_by - time.monotonic()
        return server_draining(max(1, math.ceil(left)))

    def drain(self, seconds: float) -> None:
        """Take no more streams, tell every client, and give what runs up to `seconds` to end."""
        self._drained_by = time.monotonic() + seconds
        self.watch.admin("drain", NOBODY)
        self.hub.refuse_starts()
        logger.info(
            "going down: no more streams are taken",
            extra={"running": self.hub.running_streams, "drain": seconds},
        )
        self._tell(SERVER_DRAINING, self.draining())
        self._wait_for(self.hub, self._drained_by)

    def close(
        self, timeout: float = CLOSE_SECONDS, *, told: Callable[[], Any] = lambda: None
    ) -> None:
        """End all streams with ``shutdown``, tell their readers, close the sockets with 1001.

        Args:
            timeout: seconds that it may take: one third of it for sources that do not stop, one
                ninth for what is ours, however slow clients are.
            told: called when the clients have fetched all that there was for them.

        """
        begun = time.monotonic()
        deadline, theirs = begun + timeout, begun + timeout * 8 / 9
        with going_on("ending the streams"):
            self.hub.close(timeout / 3)
        with going_on("writing what is left"):
            self._flush(begun + timeout * 2 / 3)
        with going_on("saying that the clients are told"):
            told()
        if self.front:
            self.front.stop()  # or new ones would come while these are closed
        with going_on("closing the connections"):
            self._close_sockets(theirs)
        if self.front:
            with going_on("writing the last answers"):
                self._wait_for(self.front, theirs)
            with going_on("closing the front"):
                self.front.close(deadline)
        if self.beside:
            with going_on("closing the address of the figures"):
                self.beside.close(deadline)
        with going_on("ending the tasks"):
            self.dispatcher.close()
            if self.lab:
                self.lab.close(max(0.0, deadline - time.monotonic()))
            if self._task:
                self._task.join(max(0.0, deadline - time.monotonic()))
            self.on_closed(deadline)
            if self.node is not None:
                self.node.close(deadline)
        with going_on("closing the sources"):
            self.registry.close()
        with going_on("closing the transport"):
            self.socketio.server.eio.shutdown()
            if self.transport:
                self.transport.close(max(0.0, deadline - time.monotonic()))

    def _tell(self, event: str, payload: dict[str, Any]) -> None:
        """Emit to each client by itself: stock, one that leaves meanwhile ends the broadcast."""
        for client, _ in self.socketio.server.manager.get_participants("/", None):
            with going_on("telling a client"), suppress(SocketIsClosedError):  # it has just left
                self.socketio.emit(event, payload, to=client)

    def _close_sockets(self, deadline: float) -> None:
        """Close every connection, and wait for the clients' own close frames."""
        sockets = self.socketio.server.eio.sockets
        connections = []
        for session in list(sockets.values()):
            with going_on("closing a connection"), suppress(SocketIsClosedError):
                connection = getattr(session.queue, "connection", None)
                if connection:
                    connections.append(connection)
                    connection.close(GOING_AWAY, "The server is going down")
                else:
                    session.close(wait=False)  # ends the poll that waits
        while time.monotonic() < deadline:
            # A WebSocket's session ends with our close frame, and does not wait for theirs.
            sessions = list(sockets.values())
            if all(one.closed for one in sessions) and all(one.over for one in connections):
                return
            self.socketio.sleep(0.02)

    def _wait_for(self, what: Hub | Front, deadline: float) -> None:
        """Wait until streams have ended, or all who have asked are answered."""
        while not what.settled and time.monotonic() < deadline:
            self.socketio.sleep(0.02)

    def _flush(self, deadline: float) -> None:
        """Wait until what was emitted has left the queues.

        Where clients poll, for as long as they do: one that is gone never fetches it.
        """
        left, patience = math.inf, 0.0
        while (now := time.monotonic()) < deadline:
            # A copy first, in one go: clients come and go meanwhile.
            sessions = list(self.socketio.server.eio.sockets.values())
            waiting = [one for one in sessions if not (one.closed or one.queue.settled)]
            queued = sum(one.queue.qsize() for one in waiting)
            if queued < left:
                patience = now + POLL_SECONDS
            left = queued
            polling = now <= patience
            if self.hub.settled and not any(one.upgraded or polling for one in waiting):
                return
            self.socketio.sleep(0.02)
