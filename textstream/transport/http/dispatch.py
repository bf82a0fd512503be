"""Who answers a request: the reactor's thread, a pool's, or nobody yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol

from textstream.access.caller import Caller
from textstream.threads import ThreadPool
from textstream.transport.handshake import is_handshake
from textstream.transport.http.environ import Environ, environ_of
from textstream.transport.http.request import Request
from textstream.transport.http.waiting import Waiting
from textstream.transport.http.wsgi import Exchange, MayWait, WsgiApp
from textstream.transport.parking import Parking
from textstream.transport.reactor import Reactor

THREADS = 16
"""Threads that answer requests, at most. None of them waits for a client's request."""

MAX_QUEUE = 1024
"""Requests that wait for one of them; one more is answered 503 at once."""

BUSY = "All that answer requests are busy. Try again."


class Routes(Protocol):
    """Which requests are what."""

    def is_socket_io(self, environ: Environ) -> bool:
        """Whether it is for Engine.IO."""
        ...

    def is_health(self, environ: Environ) -> bool:
        """Whether it is answered also where nobody has a thread left."""
        ...

    def address_of(self, environ: Environ) -> str:
        """Return the address by which the threads are shared."""
        ...


class Dispatch:
    """Has requests answered by a WSGI application. The reactor's thread, but for `counts`."""

    def __init__(
        self,
        app: WsgiApp,
        *,
        reactor: Reactor,
        routes: Routes,
        name: tuple[str, str],
        parking: Parking | None = None,
        handshakes: WsgiApp | None = None,
    ) -> None:
        """Make it.

        Args:
            app: answers the requests.
            reactor: brings the answers to their connections.
            routes: which requests are what.
            name: the server's, for the environ: address and port.
            parking: where polls wait.
            handshakes: answers those of WebSockets to Engine.IO, in the reactor's thread: must
                not block. None: `app`.

        """
        self._app = app
        self._reactor = reactor
        self._routes = routes
        self._name = name
        self._parking = parking
        self._handshakes = handshakes or app
        self._pool = ThreadPool(
            THREADS, "request", cure="Slow views of the application hold them.", shares=_shares
        )
        self._health = ThreadPool(1, "health", cure="A health check is slow.")

    def serve(self, request: Request, *, keep: bool) -> None:
        """Have a request answered; `keep`: whether another may follow on its connection."""
        environ = environ_of(request, self._name)
        keep = keep and request.head.keep_alive
        if self._routes.is_socket_io(environ):
            if is_handshake(environ):
                Exchange(request, _call, keep=keep, whole=True).run(self._handshakes, environ)
                return
            if self._park(request, environ, keep=keep):
                return
        self._submit(request, environ, keep=keep)

    def counts(self) -> dict[str, Any]:
        """Return what the threads are at. Any thread."""
        return self._pool.counts()

    def close(self, deadline: float) -> None:
        """End the threads until `deadline` (``time.monotonic``). Any thread."""
        self._pool.close(deadline)
        self._health.close(deadline)

    def _park(self, request: Request, environ: Environ, *, keep: bool) -> bool:
        """Let a request wait without a thread, if it has to and can."""
        parking = self._parking
        if parking is None:
            return False
        waiting = self._wait(parking, request, environ, keep=keep)
        if not parking.park(environ, waiting.wake):
            return False
        waiting.begin()
        return True

    def _wait(self, parking: Parking, request: Request, environ: Environ, *, keep: bool) -> Waiting:
        def go_on() -> None:
            if parking.waits_small(environ):
                Exchange(request, _call, keep=keep, whole=True).run(parking.serve_parked, environ)
            elif not self._submit(request, environ, keep=keep):
                parking.give_back(environ)

        return Waiting(request, environ, parking, self._reactor, go_on)

    def _submit(self, request: Request, environ: Environ, *, keep: bool) -> bool:
        """Have a request answered by a thread; return False where it is refused."""
        exchange = Exchange(request, self._call_soon, keep=keep)
        is_health = self._routes.is_health(environ)
        pool = self._health if is_health else self._pool
        caller = None if is_health else Caller(self._routes.address_of(environ))
        app: MayWait = self._app
        # Not the first of a session, whose environ is kept: it never waits.
        has_session = self._routes.is_socket_io(environ) and "sid=" in environ["QUERY_STRING"]
        if self._parking is not None and has_session:
            app = self._may_wait(self._parking, request, environ, keep=keep)
        if pool.counts()["queue"] < MAX_QUEUE:
            try:
                pool.submit(lambda: exchange.run(app, environ), caller)
            except RuntimeError:  # "can't start new thread", and there is none
                exchange.refuse()  # it stands in the queue
            else:
                return True
        request.connection.refuse(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
        return False

    def _may_wait(
        self, parking: Parking, request: Request, environ: Environ, *, keep: bool
    ) -> MayWait:
        """Return the application, which leaves the thread to others where a request has to wait."""

        def app(environ: Environ, start_response: Any) -> Iterable[bytes] | None:
            body = parking.serve(self._app, environ, start_response, waiting.wake)
            if body is None:
                self._reactor.call_soon(waiting.begin)
            return body

        waiting = self._wait(parking, request, environ, keep=keep)
        return app

    def _call_soon(self, target: Callable[..., None], *args: Any, **more: Any) -> None:
        self._reactor.call_soon(lambda: target(*args, **more))


def _shares(_caller: Caller) -> tuple[int, int]:
    """Return how many threads an address may have: three quarters, so that nobody has all."""
    return THREADS * 3 // 4, THREADS * 3 // 4


def _call(target: Callable[..., None], *args: Any, **more: Any) -> None:
    target(*args, **more)
