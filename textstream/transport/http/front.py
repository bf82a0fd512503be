"""Accepting connections in the reactor, and who answers their requests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol

from textstream.access.caller import Caller
from textstream.threads import ThreadPool
from textstream.transport.handoff import tune
from textstream.transport.handshake import is_handshake
from textstream.transport.http.bodies import Bodies, RequestBody
from textstream.transport.http.connection import HttpConnection, Request
from textstream.transport.http.deadlines import Deadlines
from textstream.transport.http.head import Head
from textstream.transport.http.listener import INHERITED, name_of, peer_of
from textstream.transport.http.places import Places
from textstream.transport.http.wsgi import Exchange, WsgiApp, environ_of
from textstream.transport.parking import Parking
from textstream.transport.reactor import Reactor

ACCEPTED = 32
"""Connections that are accepted in a turn, before others have theirs."""

SWEEP = 0.5
"""Seconds between two looks at who is late."""

THREADS = 16
"""Threads that answer requests, at most. None of them waits for a client."""

MAX_QUEUE = 1024
"""Requests that wait for one of them; one more is answered 503 at once."""

Environ = dict[str, Any]
Accept = Callable[[socket.socket], tuple[socket.socket, Any]]


class Routes(Protocol):
    """Which requests are what."""

    def is_socket_io(self, environ: Environ) -> bool:
        """Whether it is for Engine.IO."""
        ...

    def is_health(self, environ: Environ) -> bool:
        """Whether it is answered also where nobody has a thread left."""
        ...


class _Waiting:
    """A request that waits without a thread. The reactor's thread, but for `wake`."""

    def __init__(
        self,
        front: Front,
        parking: Parking,
        request: Request,
        exchange: Exchange,
        environ: Environ,
    ) -> None:
        self._front = front
        self._parking = parking
        self._request = request
        self._exchange = exchange
        self._environ = environ
        self._woken = False

    def wake(self) -> None:
        """Go on, soon. Any thread, any lock held."""
        self._front.reactor.call_soon(self._go_on)

    def begin(self) -> None:
        """Look for the client's end meanwhile."""
        if self._woken:
            return
        connection = self._request.connection
        if connection.sock is None:
            self._leave()
        else:
            connection.expect_end(self._leave)

    def _leave(self) -> None:
        self._parking.leave(self._environ)

    def _go_on(self) -> None:
        self._woken = True
        connection = self._request.connection
        if connection.sock is None:
            return
        connection.expect_end(None)
        if self._parking.waits_small(self._environ):
            self._exchange.run(self._parking.serve_parked, self._environ, _call)
        elif not self._front.submit(self._request, self._exchange, self._environ):
            self._parking.give_back(self._environ)


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
        accept: Accept = socket.socket.accept,
        turn_away: Callable[[socket.socket, str], None],
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
            accept: accepts a connection; `BlockingIOError` is raised where there is none.
            turn_away: closes the connection of a peer for whom there is no place, and says so.

        """
        self.reactor = reactor
        self.places = places
        self.deadlines: Deadlines[HttpConnection] = Deadlines(reactor.clock)
        self._listener = listener
        self._name = name_of(listener)
        self._app = app
        self._handshakes = handshakes or app
        self._bodies = bodies
        self._routes = routes
        self._parking = parking
        self._accept = accept
        self._turn_away = turn_away
        self._connections: set[HttpConnection] = set()
        self._pool = ThreadPool(
            THREADS, "request", cure="Slow views of the application hold them.", shares=_shares
        )
        self._health = ThreadPool(1, "health", cure="A health check is slow.")
        self._listening = False

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
        """Accept nobody any more. Any thread."""
        self.reactor.call_soon(self._stop)

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            self._listening = True
            self.reactor.watch(self._listener, self, read=True, write=False)

    def _stop(self) -> None:
        self._listening = False
        self.reactor.forget(self._listener)
        self._listener.close()

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
        connection = HttpConnection(sock, peer, port, self)
        if not self.places.enter(connection, peer):
            self._turn_away(sock, peer)
            return
        self._connections.add(connection)
        sock.setblocking(False)
        if not INHERITED and peer:
            tune(sock)
        connection.start()

    # What connections ask for.

    def body_of(self, head: Head) -> RequestBody:
        """Return what takes a request's body; raise `BadHead` where it is too large."""
        return self._bodies.of(head)

    def serve(self, request: Request) -> None:
        """Have a request answered."""
        environ = environ_of(request, self._name)
        exchange = Exchange(request)
        if self._routes.is_socket_io(environ):
            if is_handshake(environ):
                exchange.run(self._handshakes, environ, _call)
                return
            if self._park(request, exchange, environ):
                return
        self.submit(request, exchange, environ)

    def gone(self, connection: HttpConnection) -> None:
        """Note that a connection has ended, or is somebody else's."""
        self._connections.discard(connection)

    def _park(self, request: Request, exchange: Exchange, environ: Environ) -> bool:
        """Let a request wait without a thread, if it has to and can."""
        parking = self._parking
        if parking is None:
            return False
        waiting = _Waiting(self, parking, request, exchange, environ)
        if not parking.park(environ, waiting.wake):
            return False
        waiting.begin()
        return True

    def submit(self, request: Request, exchange: Exchange, environ: Environ) -> bool:
        """Have a request answered by a thread; return False where it is refused."""
        pool = self._health if self._routes.is_health(environ) else self._pool
        connection = request.connection
        caller = Caller(connection.address) if pool is self._pool else None
        if pool.counts()["queue"] < MAX_QUEUE:
            try:
                pool.submit(lambda: self._work(request, exchange, environ), caller)
            except RuntimeError:  # "can't start new thread", and there is none
                pass
            else:
                return True
        connection.refuse(
            HTTPStatus.SERVICE_UNAVAILABLE, "All that answer requests are busy. Try again."
        )
        return False

    def _work(self, request: Request, exchange: Exchange, environ: Environ) -> None:
        """Have the application answer a request. In a thread of the pool."""
        parking = self._parking
        if parking is None or not self._routes.is_socket_io(environ):
            exchange.run(self._app, environ, self._call_soon)
            return
        waiting = _Waiting(self, parking, request, exchange, environ)

        def app(environ: Environ, start_response: Any) -> Iterable[bytes] | None:
            body = parking.serve(self._app, environ, start_response, waiting.wake)
            if body is None:
                self.reactor.call_soon(waiting.begin)
            return body

        exchange.run(app, environ, self._call_soon)

    def _call_soon(self, target: Callable[..., None], *args: Any, **more: Any) -> None:
        self.reactor.call_soon(lambda: target(*args, **more))

    # Time.

    def _sweep(self) -> None:
        for connection in self.deadlines.due():
            connection.late()
        self.reactor.call_later(SWEEP, self._sweep)

    def counts(self) -> dict[str, Any]:
        """Return what it has, by name. Any thread."""
        return {
            **self.places.counts(),
            "phases": self.deadlines.counts(),
            "requests": self._pool.counts(),
        }

    @property
    def settled(self) -> bool:
        """Whether no answer is on its way."""
        phases = self.deadlines.counts()
        return not (phases["working"] or phases["writing"])

    def close(self, deadline: float) -> None:
        """End all connections, and the threads until `deadline` (``time.monotonic``)."""
        self.reactor.call_soon(self._end)
        self._pool.close(deadline)
        self._health.close(deadline)

    def _end(self) -> None:
        if self._listener.fileno() >= 0:
            self._stop()
        for connection in list(self._connections):
            connection.end()


def _shares(_address: str) -> tuple[int, int]:
    return THREADS * 3 // 4, THREADS * 3 // 4


def _call(target: Callable[..., None], *args: Any, **more: Any) -> None:
    target(*args, **more)
