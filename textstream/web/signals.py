"""Signals: going down well, and a line of all counters.

The first SIGTERM or SIGINT drains the server, the second ends the process.
Under gunicorn it is SIGINT or SIGQUIT that ends it at once, see `textstream.web.gunicorn`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

from textstream.main_thread import wake_main_thread_for_signals
from textstream.web.counters import log_counters
from textstream.web.server import Server, going_on

Handler = Callable[[int, FrameType | None], Any]


class GoingDown:
    """A signal handler. Works in a thread: what it waits for may need the main thread."""

    def __init__(
        self,
        server: Server,
        drain: float,
        *,
        patient: bool = False,
        told: Callable[[], Any] = lambda: None,
        finish: Callable[[], Any] = lambda: None,
    ) -> None:
        """Make a handler.

        Args:
            server: to be drained and closed.
            drain: seconds that running streams may go on.
            patient: whether to ignore a second signal, instead of ending the process at once.
            told: called when all clients are told, before their connections are closed.
            finish: called last.

        """
        self._server = server
        self._drain = drain
        self._patient = patient
        self._told = told
        self._finish = finish
        # Taken once. No lock: a signal's handler might wait for its own thread to let it go.
        self._first = deque(["begin"])

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Begin; the second time, end the process at once, or do nothing."""
        if not self.begin() and not self._patient:
            os._exit(128 + number)

    def begin(self) -> bool:
        """Begin, in whatever thread; return False where it has begun before."""
        try:
            self._first.pop()
        except IndexError:
            return False
        # No daemon: should the main thread be done first, the process waits for this one.
        threading.Thread(target=self._go_down, name="going down").start()
        return True

    def _go_down(self) -> None:
        with going_on("draining"):
            self._server.drain(self._drain)
        with going_on("closing"):
            self._server.close(told=self._told)
        self._finish()


def drain_on_signals(server: Server, drain: float, *, finish: Callable[[], Any]) -> None:
    """Drain `server` on SIGTERM and SIGINT; a second one ends the process at once.

    On SIGUSR1 its counters are logged.

    To be called in the main thread. For programs that run a server themselves: ours with its
    front, or one on gevent.

    Args:
        server: to be drained and closed.
        drain: seconds that running streams may go on.
        finish: called when all is closed: ends the server.

    """
    handler = where_one_may_wait(GoingDown(server, drain, finish=finish))
    if not _has_greenlets():  # whose loop runs in the main thread, and looks for signals
        wake_main_thread_for_signals()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
    count_on_signal(server)


def count_on_signal(server: Server, *, also: Handler = lambda *_: None) -> None:
    """Log the counters of `server` on SIGUSR1, where the system has it. In the main thread.

    Args:
        server: whose.
        also: is called first, with what a handler is called with.

    """

    def count(number: int, frame: FrameType | None) -> None:
        also(number, frame)
        # In a thread: the one that is interrupted may hold the locks that this takes.
        threading.Thread(target=log_counters, args=(server,), name="counters", daemon=True).start()

    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, where_one_may_wait(count))


def where_one_may_wait(handler: Handler) -> Handler:
    """Return a signal handler that may wait, for a thread to start say: also under gevent.

    gevent runs it in whatever greenlet has the processor. Mostly that is its hub, where waiting
    raises ``BlockingSwitchOutError``.
    """
    if not _has_greenlets():
        return handler
    spawn = sys.modules["gevent"].spawn
    return lambda number, frame: spawn(handler, number, frame)


def _has_greenlets() -> bool:
    """Return whether threads are gevent's greenlets."""
    monkey: Any = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
