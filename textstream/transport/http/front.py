"""Accepting connections in the reactor, and their time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from itertools import islice
from typing import Any

from textstream.transport.handoff import tune
from textstream.transport.http.bodies import Bodies, RequestBody
from textstream.transport.http.connection import RECEIVE, HttpConnection
from textstream.transport.http.deadlines import Deadlines
from textstream.transport.http.dispatch import Dispatch, Routes
from textstream.transport.http.express import Express
from textstream.transport.http.head import Head
from textstream.transport.http.listener import BACKLOG, INHERITED, close, name_of, peer_of
from textstream.transport.http.places import Places
from textstream.transport.http.request import Request
from textstream.transport.http.wsgi import WsgiApp
from textstream.transport.parking import Parking
from textstream.transport.reactor import Reactor

ACCEPTED = 32
"""Connections that are accepted in a turn, before others have theirs."""

SWEEP = 0.5
"""Seconds between two looks at who is late."""

TOLD = 32
"""Who is late and is told so in a turn, before others have theirs. 1,300 at once took a turn of
0.1 s."""

Accept = Callable[[socket.socket], tuple[socket.socket, Any]]


class Front:
    """Serves a WSGI application from the reactor: a thread is needed only while it answers."""

    def __init__(
        self,
        listener: socket.socket,
        app: WsgiApp,
        *,
        reactor: Reactor,
        places: Places,
        bodies: Bodies,
        routes: Routes,
        parking: Parking | None = None,
        handshakes: WsgiApp | None = None,
        express: Callable[[tuple[str, str]], Express] | None = None,
        accept: Accept = socket.socket.accept,
        turn_away: Callable[[socket.socket, str], None],
        on_refused: Callable[[HTTPStatus], object] = lambda _: None,
    ) -> None:
        """Make it; it accepts nobody yet.

        Args:
            listener: a socket that listens, and does not block; owned from now on.
            app: answers the requests.
            reactor: waits for them.
            places: of connections.
            bodies: how large they may be.
            routes: which requests are what.
            parking: where polls wait.
            handshakes: answers those of WebSockets to Engine.IO, in the reactor's thread: must
                not block. None: `app`.
            express: makes, of the server's name, the short way of handshakes that have come whole.
            accept: accepts a connection; `BlockingIOError` is raised where there is none.
            turn_away: closes the connection of a peer for whom there is no place, and says so.
            on_refused: told the status of what is answered here, and not by `app`.

        """
        self.reactor = reactor
        self.places = places
        self.deadlines: Deadlines[HttpConnection] = Deadlines(reactor.clock)
        name = name_of(listener)
        self._express = express(name) if express else None
        self.dispatch = Dispatch(
            app,
            reactor=reactor,
            routes=routes,
            name=name,
            parking=parking,
            handshakes=handshakes,
        )
        self._listener = listener
        self._bodies = bodies
        self._accept = accept
        self._turn_away = turn_away
        self.refused = on_refused
        self._connections: set[HttpConnection] = set()
        self._listening = self._stopped = self._ended = False

    # Accepting.

    def start(self) -> None:
        """Begin to accept. Any thread."""
        self.reactor.call_soon(self._listen)
        self.reactor.call_later(SWEEP, self._sweep)

    def pause(self, seconds: float) -> None:
        """Accept nobody for so long. The reactor's thread."""
        if self._listening:
            self.reactor.watch(self._listener, self, read=False, write=False)
            self._listening = False
            self.reactor.call_later(seconds, self._listen)

    def stop(self) -> None:
        """Accept nobody any more, and keep no connection alive. Any thread."""
        self.reactor.call_soon(self._stop)

    def _listen(self) -> None:
        if not self._stopped:
            self._listening = True
            self.reactor.watch(self._listener, self, read=True, write=False)

    def _stop(self) -> None:
        if self._stopped:
            return
        # Those that wait to be accepted have connected, as they see it; closing would reset them.
        for _ in range(BACKLOG // ACCEPTED):
            self.on_ready(True, False)
        self._stopped, self._listening = True, False
        self.reactor.forget(self._listener)
        close(self._listener)

    def on_ready(self, readable: bool, writable: bool) -> None:  # noqa: ARG002 (a handler's)
        """Accept."""
        for _ in range(ACCEPTED):
            if not self._listening:
                return
            try:
                sock, address = self._accept(self._listener)
            except OSError:  # nobody there, or gone already
                return
            self._welcome(sock, *peer_of(address))

    def _welcome(self, sock: socket.socket, peer: str, port: int) -> None:
        sock.setblocking(False)
        if not INHERITED:
            with suppress(OSError):  # it has gone already
                tune(sock)
        data = _received(sock)
        if data and self._express and self._express.take(sock, peer, port, data):
            return
        connection = HttpConnection(sock, peer, port, self)
        if not self.places.enter(connection, peer):
            self._turn_away(sock, peer)
            return
        self._connections.add(connection)
        connection.start_with(data)

    # What connections ask for.

    def body_of(self, head: Head) -> RequestBody:
        """Return what takes a request's body; raise `BadHead` where it is too large."""
        return self._bodies.of(head)

    def serve(self, request: Request) -> None:
        """Have a request answered."""
        self.dispatch.serve(request, keep=not self._stopped)

    def gone(self, wire: HttpConnection) -> None:
        """Note that a connection has ended, or is somebody else's."""
        self._connections.discard(wire)

    # Time.

    def _sweep(self) -> None:
        told = 0
        for connection in islice(self.deadlines.due(), TOLD):
            connection.late()
            told += 1
        if not self._ended:
            self.reactor.call_later(0.0 if told == TOLD else SWEEP, self._sweep)

    def counts(self) -> dict[str, Any]:
        """Return what it has, by name. Any thread."""
        return {
            **self.places.counts(),
            "phases": self.deadlines.counts(),
            "requests": self.dispatch.counts(),
        }

    @property
    def settled(self) -> bool:
        """Whether no answer is on its way."""
        phases = self.deadlines.counts()
        return not (phases["working"] or phases["writing"])

    def close(self, deadline: float) -> None:
        """End all connections, and the threads until `deadline` (``time.monotonic``)."""
        ended = threading.Event()
        self.reactor.call_soon(lambda: self._end(ended))
        self.dispatch.close(deadline)
        # A reactor that is closed first would leave those open that it does not watch.
        ended.wait(max(0.0, deadline - time.monotonic()))

    def _end(self, ended: threading.Event) -> None:
        self._stop()
        self._ended = True
        for connection in list(self._connections):
            connection.end()
        ended.set()


def _received(sock: socket.socket) -> bytes | None:
    """Return what has come of a new connection; None: nothing yet, b"": its end."""
    try:
        return sock.recv(RECEIVE)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:
        return b""
