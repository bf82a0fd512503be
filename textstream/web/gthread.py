"""A threaded gunicorn worker that lives on without descriptors, and beside half requests."""

from __future__ import annotations

import socket
from concurrent.futures import Future
from typing import Any

from textstream.transport.driver import Transport
from textstream.transport.http.bodies import Bodies
from textstream.web.accepting import Accepted, Acceptor
from textstream.web.gthread_parking import Parker
from textstream.web.gthread_threads import Threads
from textstream.web.request_kinds import Routes
from textstream.web.server import Server


class _Listener:
    """A worker's listening socket, of which it accepts what it can serve."""

    def __init__(self, listener: socket.socket, acceptor: Acceptor) -> None:
        self._listener = listener
        self._acceptor = acceptor

    def accept(self) -> Accepted:
        """Accept a connection.

        Raises:
            BlockingIOError: there is none to serve. The worker takes it for nobody there.

        """
        return self._acceptor.accept(self._listener)

    def getsockname(self) -> Any:
        """Return its address."""
        return self._listener.getsockname()


def _bodies_of(transport: Transport) -> Bodies:
    """Return how large bodies of requests may be: as where our own front reads them."""
    bounds = transport.bounds
    path = "/socket.io/"  # perhaps under a prefix
    return Bodies(bounds.max_message, bounds.max_dropped, lambda asked: asked.endswith(path))


class Accepting:
    """How a threaded worker takes connections and requests, in place of its own way.

    Stock, one connection more than there are descriptors ends the worker with a traceback, and
    all its streams with it. And one that says nothing, or half of a request, keeps a thread. Here
    requests are read by `Requests`; those of whoever asks for nothing give way to new ones.
    """

    def __init__(self, worker: Any, server: Server, routes: Routes) -> None:
        """Change a worker, gunicorn's ``ThreadWorker``, in its own process, before it accepts.

        Args:
            worker: it.
            server: what it serves, before anybody has wrapped its app.
            routes: which requests are what.

        """
        from gunicorn.workers import gthread  # noqa: PLC0415 (only where it is there)

        from textstream.web.gthread_requests import Requests  # noqa: PLC0415 (the same)

        self._worker = worker
        self._patience: float = gthread.DEFAULT_WORKER_DATA_TIMEOUT
        self._silent: Future[object] = Future()
        self._silent.set_result(gthread._DEFER)
        self._acceptor = Acceptor(
            make_room=self._give_way, on_refused=lambda: server.watch.turn_away("descriptors")
        )
        transport = server.transport
        assert transport is not None  # noqa: S101 (the threading mode has one)
        self._accept, self._enqueue = worker.accept, worker.enqueue_req
        worker.tpool.shutdown(wait=False)  # it has none yet
        worker.tpool = Threads(worker.cfg.threads, is_health=self._is_health)
        self._end_late = worker.murder_pending
        self._requests = Requests(
            worker,
            self._enqueue,
            bodies=_bodies_of(transport),
            routes=routes,
            park=Parker(worker, server, transport, routes),
            on_refused=server.watch.refuse_request,
        )
        worker.accept, worker.enqueue_req = self.accept, self.enqueue
        worker.murder_pending = self.turn

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, if one can be served."""
        self._accept(_Listener(listener, self._acceptor))
        if self._worker.nr_conns >= self._worker.worker_connections:
            self._give_way(1)

    def enqueue(self, connection: Any) -> None:
        """Have the next request of a connection answered."""
        if self._is_plain(connection):
            self._requests.read(connection)
        elif connection.initialized or connection.data_ready:
            self._enqueue(connection)
        else:  # it waits, without a thread, for the first byte at least
            self._worker.finish_request(connection, self._silent)
            connection.timeout += self._patience

    def turn(self) -> None:
        """Take part in a turn of the worker's loop: end what is late."""
        self._end_late()
        self._requests.turn()

    def _is_plain(self, connection: Any) -> bool:
        """Return whether a connection begins with a request of HTTP/1, and nothing else."""
        config = self._worker.cfg
        return not (
            connection.is_http2
            or config.is_ssl
            or config.proxy_protocol not in {"off", False}
            or getattr(config, "http2_cleartext", "off") in {"prior-knowledge", "both"}
        )

    def _is_health(self, connection: Any) -> bool:
        return self._requests.is_health(connection)

    def _give_way(self, count: int) -> int:
        """Close the oldest connections that have asked for nothing, so many; return how many."""
        return self._requests.places.make_room(count)
