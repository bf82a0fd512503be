"""Requests to a threaded gunicorn worker: read in its loop, whole, before a thread has them.

Stock, a thread reads each from its first byte on, and waits for the last one without end: as many
half requests as there are threads, and nobody is answered any more.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader

from textstream.transport.http.bodies import Bodies, RequestBody
from textstream.transport.http.connection import HttpConnection
from textstream.transport.http.deadlines import Deadlines
from textstream.transport.http.head import Head
from textstream.transport.http.listener import peer_of
from textstream.transport.http.places import Places
from textstream.transport.http.request import Carrier, Request
from textstream.transport.poller import Handler
from textstream.transport.reactor import Reactor
from textstream.web.accepting import turn_away
from textstream.web.request_kinds import Routes

UNBOUNDED = 1 << 20
"""Connections: how many there may be is gunicorn's ``--worker-connections``."""

CHUNK = 65_536
"""Bytes of nothing that stand for a body that was thrown away, at a time."""

_NOT_ANY_MORE = frozenset({"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "CONTENT_LENGTH"})
"""Fields of a request that do not hold when it has come whole."""


class _Loop:
    """A worker's loop, as `HttpConnection` has the reactor."""

    is_current = True
    clock = staticmethod(time.monotonic)

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def watch(self, sock: socket.socket, handler: Handler, *, read: bool, write: bool) -> None:
        """Call `handler` when `sock` is ready."""
        self.forget(sock)
        events = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        if events:
            self._worker.poller.register(sock, events, lambda _: handler.on_ready(True, True))

    def forget(self, sock: socket.socket) -> None:
        """Do not watch `sock` any more."""
        if sock.fileno() in self._worker.poller.get_map():
            self._worker.poller.unregister(sock)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call it in this turn of the loop, or the next."""
        self.call_later(0.0, callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """Call it in the first turn of the loop that ends in `delay` seconds, or later."""
        heapq.heappush(self._timers, (self.clock() + delay, next(self._order), callback))

    def turn(self) -> None:
        """Call what is due."""
        now = self.clock()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()


class _Reread(SocketUnreader):
    """What gunicorn's parser reads from: a request that was read, and then the socket."""

    def __init__(self, sock: socket.socket, request: Request, ahead: bytes) -> None:
        super().__init__(sock)
        self._dropped = request.size - len(request.body)
        self._ahead = b""
        self.unread(_raw(request))
        if self._dropped:
            self._ahead = ahead
        else:
            self.buf.seek(0, 2)
            self.buf.write(ahead)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes: nulls for those that were thrown away."""
        if not self._dropped:
            return cast("bytes", super().chunk(size_hint))
        size = min(self._dropped, CHUNK)
        self._dropped -= size
        return bytes(size) if self._dropped else bytes(size) + self._ahead


class Requests:
    """Those that come to one worker, until a thread has answered them. The worker's loop only."""

    def __init__(
        self,
        worker: Any,
        enqueue: Callable[[Any], object],
        *,
        bodies: Bodies,
        routes: Routes,
        park: Callable[[Request], bool],
        on_refused: Callable[[HTTPStatus], object],
    ) -> None:
        """Read none yet.

        Args:
            worker: gunicorn's.
            enqueue: has a connection's request answered in a thread.
            bodies: how large they may be.
            routes: which requests are what.
            park: takes a request that waits without a thread, or returns False.
            on_refused: told the status of what is answered here, and not by the application.

        """
        self._worker = worker
        self._enqueue = enqueue
        self._bodies = bodies
        self._routes = routes
        self._park = park
        self.refused = on_refused
        self._loop = _Loop(worker)
        self.reactor = cast("Reactor", self._loop)
        self.places = Places(most=UNBOUNDED, far=UNBOUNDED)
        self.deadlines: Deadlines[HttpConnection] = Deadlines(self._loop.clock)
        self._reading: dict[Carrier, Any] = {}
        self._served: dict[Any, Request] = {}
        self._finish = worker.finish_request
        worker.finish_request = self.finish

    def read(self, connection: Any) -> None:
        """Read the next request of a connection, gunicorn's, and have it answered then."""
        ahead = connection.parser.unreader.take_buffered() if connection.parser else b""
        connection.sock.setblocking(False)
        peer, port = peer_of(connection.client)
        wire = HttpConnection(connection.sock, peer, port, self)
        if not self.places.enter(wire, peer):  # not with so many places
            turn_away(connection.sock)
            self._worker.nr_conns -= 1
            return
        self._reading[wire] = connection
        wire.start(ahead)

    def turn(self) -> None:
        """End what is late, go on with what had to wait."""
        self._loop.turn()
        for wire in self.deadlines.due():
            wire.late()

    def finish(self, connection: Any, future: Any) -> None:
        """Go on with a connection that a thread has answered on."""
        request = self._served.pop(connection, None)
        if request is not None:
            wire = request.connection
            self._reading.pop(wire, None)
            wire.take()
        self._finish(connection, future)

    def is_health(self, connection: Any) -> bool:
        """Return whether the request of a connection is for the server's health."""
        request = self._served.get(connection)
        return request is not None and self._routes.is_health({"PATH_INFO": request.head.path})

    # What connections ask for.

    def body_of(self, head: Head) -> RequestBody:
        """Return what takes a request's body; raise `BadHead` where it is too large."""
        return self._bodies.of(head)

    def serve(self, request: Request) -> None:
        """Give a request to a thread, or let it wait without one."""
        if self._park(request):
            self._worker.nr += 1  # as those that a thread has; ``--max-requests`` is of all
            return
        wire = request.connection
        connection = self._reading[wire]
        self._served[connection] = request
        connection.sock.setblocking(True)
        if not connection.initialized:
            connection.initialized = True
            connection.parser = get_parser(connection.cfg, connection.sock, connection.client)
        connection.parser.unreader = _Reread(connection.sock, request, wire.ahead)
        self._enqueue(connection)

    def gone(self, wire: HttpConnection) -> None:
        """Count out a connection that has ended before a thread had it."""
        if self._reading.pop(wire, None) is not None:
            self._worker.nr_conns -= 1


def _raw(request: Request) -> bytes:
    """Return a request as it could have been sent: by the names in its environ, in one piece."""
    head = request.head
    lines = [f"{head.method} {head.target} {head.version}"]
    for key, value in head.fields.items():
        if key not in _NOT_ANY_MORE:
            lines.append(f"{key.removeprefix('HTTP_').replace('_', '-').title()}: {value}")
    if request.size or "CONTENT_LENGTH" in head.fields or head.chunked:
        lines.append(f"Content-Length: {request.size}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
