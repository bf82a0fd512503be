"""Going down well: the first signal drains the server, the second ends the process."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from textstream.web.server import Server

KEEPALIVE_LINGER = 0.5
"""Seconds that a gunicorn worker that goes down waits for connections that are kept alive."""

logger = logging.getLogger("textstream.server")


class GoingDown:
    """A signal handler. Works in a thread: what it waits for may need the main thread."""

    def __init__(
        self,
        server: Server,
        drain: float,
        *,
        told: Callable[[], Any] = lambda: None,
        finish: Callable[[], Any] = lambda: None,
    ) -> None:
        """Make a handler.

        Args:
            server: to be drained and closed.
            drain: seconds that running streams may go on.
            told: called when all clients are told, before their connections are closed.
            finish: called last.

        """
        self._server = server
        self._drain = drain
        self._told = told
        self._finish = finish
        self._begun = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Begin; the second time, end the process at once."""
        if self._begun:
            os._exit(128 + number)
        self._begun = True
        # No daemon: should the main thread be done first, the process waits for this one.
        threading.Thread(target=self._go_down, name="going down").start()

    def _go_down(self) -> None:
        try:
            self._server.drain(self._drain)
            self._server.close(told=self._told)
        except Exception:
            logger.exception("going down failed")
        finally:
            self._finish()


def drain_under_gunicorn(server: Server, drain: float) -> None:
    """Put the draining before what a gunicorn worker does on SIGTERM, if this is in one.

    Stock, a worker counts requests only: sockets that were handed off are cut without a word.
    It loads the app in its main thread, after it has set its signal handlers. With ``--preload``
    it is the master that loads it: nothing is changed then.
    """
    if threading.current_thread() is not threading.main_thread() or "gunicorn" not in sys.modules:
        return
    from gunicorn.workers import gthread  # noqa: PLC0415 (only where it is there)

    stock = signal.getsignal(signal.SIGTERM)
    owner = type(getattr(stock, "__self__", None))
    if not callable(stock) or not any(
        base.__module__.startswith("gunicorn.workers.") for base in owner.__mro__
    ):
        return
    # The worker begins to go when the clients are told: until then it takes their polls, since not
    # each of them keeps its connection. It waits for those that are kept alive; not for 2 s.
    gthread.STOP_KEEPALIVE_LINGER = KEEPALIVE_LINGER
    handler = GoingDown(server, drain, told=lambda: stock(signal.SIGTERM, None))
    signal.signal(signal.SIGTERM, handler)
