"""The threads of a threaded gunicorn worker: as many as there is work for, and one for health."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from textstream.threads import ThreadPool
from textstream.web.accepting import Trouble

Handle = Callable[[Any], Any]
"""Answers the request of a connection, gunicorn's; returns what the worker is to do with it."""


class Threads:
    """What a worker has its requests answered by, in the place of its own ``tpool``.

    Stock, a burst of requests makes all the threads there may be, and they stay. Sixteen that take
    a moment of the interpreter each keep everybody else from it: 2 answer as many requests. More
    come where those there are wait.
    """

    def __init__(self, limit: int, *, is_health: Callable[[Any], bool]) -> None:
        """Begin with none.

        Args:
            limit: threads, at most, without the one for health.
            is_health: whether a connection's request is for it: it has a thread of its own, so that
                it is answered also where all others are busy.

        """
        self._is_health = is_health
        cure = "Slow views of the application hold them, or --threads is too few."
        self._pool = ThreadPool(limit, "request", cure=cure)
        self._health = ThreadPool(1, "health", cure="A health check is slow.")
        self._no_thread = Trouble("requests wait for a thread: %d, the system gives none more")

    def submit(self, handle: Handle, connection: Any) -> Future[Any]:
        """Have `handle` called with a connection, soon; its future is what it returns, or raises.

        Where the system gives no thread, it waits for the next that there is.
        """
        future: Future[Any] = Future()
        pool = self._health if self._is_health(connection) else self._pool
        try:
            pool.submit(lambda: _run(future, handle, connection))
        except RuntimeError:  # "can't start new thread": it stands in the queue all the same
            self._no_thread()
        return future

    def shutdown(self, wait: bool = True) -> None:  # noqa: ARG002 (as Executor's)
        """Take no more, and wait for none."""
        for pool in (self._pool, self._health):
            pool.close(time.monotonic())


def _run(future: Future[Any], handle: Handle, connection: Any) -> None:
    try:
        future.set_result(handle(connection))
    except BaseException as error:  # noqa: BLE001 (whoever asks for the result hears of it)
        future.set_exception(error)
