"""A threaded gunicorn worker that lives on where there is no descriptor for a connection."""

from __future__ import annotations

import itertools
import socket
from concurrent.futures import Future
from typing import Any

from textstream.web.accepting import Accepted, Acceptor, Trouble


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


class Accepting:
    """How a threaded worker takes connections, in place of its own way.

    Stock, one connection more than there are descriptors ends the worker with a traceback, and
    all its streams with it. And one that says nothing keeps a thread, and a descriptor more, for
    5 s: 224 of them keep 16 threads for a minute. Here it waits where those wait that are kept
    alive, for as long as stock in all; before it has said anything it gives way to new ones.
    """

    def __init__(self, worker: Any) -> None:
        """Change a worker, gunicorn's ``ThreadWorker``, in its own process, before it accepts."""
        from gunicorn.workers import gthread  # noqa: PLC0415 (only where it is there)

        self._worker = worker
        self._patience: float = gthread.DEFAULT_WORKER_DATA_TIMEOUT
        self._silent: Future[object] = Future()
        self._silent.set_result(gthread._DEFER)
        self._acceptor = Acceptor(make_room=self._give_way)
        self._no_thread = Trouble("requests wait for a thread: %d, the system gives none more")
        self._accept, self._enqueue = worker.accept, worker.enqueue_req
        worker.accept, worker.enqueue_req = self.accept, self.enqueue

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, if one can be served."""
        self._accept(_Listener(listener, self._acceptor))
        if self._worker.nr_conns >= self._worker.worker_connections:
            self._give_way(1)

    def enqueue(self, connection: Any) -> None:
        """Have a request answered in a thread, once the first byte of it is there."""
        if not (connection.initialized or connection.data_ready):
            self._worker.finish_request(connection, self._silent)
            connection.timeout += self._patience
            return
        try:
            self._enqueue(connection)
        except RuntimeError:  # "can't start new thread": it waits for one of those there are,
            self._worker.nr_conns -= 1  # which does not count it out
            self._no_thread()

    def _give_way(self, count: int) -> int:
        """Let the oldest connections that have said nothing be closed in this turn of the loop."""
        oldest = list(itertools.islice(self._worker.pending_conns, count))
        for connection in oldest:
            connection.timeout = 0.0
        return len(oldest)
