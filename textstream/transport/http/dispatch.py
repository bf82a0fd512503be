"""Who answers a request: the reactor's thread, a pool's, or nobody yet."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from textstream.access.caller import Caller
from textstream.threads import ThreadPool
from textstream.transport.handshake import is_handshake
from textstream.transport.http.environ import Environ, environ_of
from textstream.transport.http.request import Request
from textstream.transport.http.wsgi import Exchange, WsgiApp
from textstream.transport.reactor import Reactor

THREADS = 16
"""Threads that answer requests, at most. None of them waits for a client's request."""

MAX_QUEUE = 1024
"""Requests that wait for one of them; one more is answered 503 at once."""

BUSY = "All that answer requests are busy. Try again."


class Parking(Protocol):
    """Where polls wait for something to answer them with."""

    def park(self, environ: Environ, wake: Callable[[], None]) -> bool:
        """Let a request wait, if it is a poll that has to; return whether it does.

        Args:
            environ: of the request.
            wake: to be called once, when it is to be served. Any thread, any lock held.

        """
        ...

    def leave(self, environ: Environ) -> None:
        """Let go of one whose client has gone. It may have been woken meanwhile."""
        ...


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
        parking, connection = self._parking, request.connection
        if parking is None:
            return False

        def go_on() -> None:
            if connection.sock is not None:
                connection.expect_end(None)
                self._submit(request, environ, keep=keep)

        if not parking.park(environ, lambda: self._reactor.call_soon(go_on)):
            return False
        connection.expect_end(lambda: parking.leave(environ))
        return True

    def _submit(self, request: Request, environ: Environ, *, keep: bool) -> None:
        exchange = Exchange(request, self._call_soon, keep=keep)
        is_health = self._routes.is_health(environ)
        pool = self._health if is_health else self._pool
        caller = None if is_health else Caller(self._routes.address_of(environ))
        if pool.counts()["queue"] < MAX_QUEUE:
            try:
                pool.submit(lambda: exchange.run(self._app, environ), caller)
            except RuntimeError:  # "can't start new thread", and there is none
                exchange.refuse()  # it stands in the queue
            else:
                return
        request.connection.refuse(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)

    def _call_soon(self, target: Callable[..., None], *args: Any, **more: Any) -> None:
        self._reactor.call_soon(lambda: target(*args, **more))


def _shares(_address: str) -> tuple[int, int]:
    """Return how many threads an address may have: three quarters, so that nobody has all."""
    return THREADS * 3 // 4, THREADS * 3 // 4


def _call(target: Callable[..., None], *args: Any, **more: Any) -> None:
    target(*args, **more)
