"""Going down well: the first signal drains the server, the second ends the process.

Under gunicorn it is SIGINT or SIGQUIT that ends it at once, see `drain_under_gunicorn`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from textstream.web.server import Server, going_on

KEEPALIVE_LINGER = 0.5
"""Seconds that a gunicorn worker that goes down waits for connections that are kept alive."""

ORDINARY_END = KEEPALIVE_LINGER + 0.1
"""Seconds that a gunicorn worker has to end by itself, once no answer is being written."""

QUIT_END = 1.0
"""Seconds that a gunicorn worker that is to end at once has for its hooks; the master allows 2."""


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
        self._begun = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Begin; the second time, end the process at once, or do nothing."""
        if self._begun and self._patient:
            return
        if self._begun:
            os._exit(128 + number)
        self._begun = True
        # No daemon: should the main thread be done first, the process waits for this one.
        threading.Thread(target=self._go_down, name="going down").start()

    def _go_down(self) -> None:
        with going_on("draining"):
            self._server.drain(self._drain)
        with going_on("closing"):
            self._server.close(told=self._told)
        self._finish()


class _Worker:
    """A gunicorn worker that ends in time, whatever connections it has."""

    def __init__(self, worker: Any, quit_: Callable[[int, FrameType | None], Any]) -> None:
        """Watch a worker's answers; `quit_` is what it does on SIGINT and SIGQUIT."""
        self._quit = quit_
        self._quitting = False
        self._lock = threading.Lock()  # guards _answers
        self._answers = 0
        self._watch(worker.cfg)

    def _watch(self, config: Any) -> None:
        """Count the answers that are being written, with gunicorn's hooks; others' still run."""
        before, after = config.pre_request, config.post_request

        def begin(worker: Any, request: Any) -> None:
            with self._lock:
                self._answers += 1
            before(worker, request)

        def end(worker: Any, request: Any, environ: Any, response: Any) -> None:
            with self._lock:
                self._answers -= 1
            after(worker, request, environ, response)

        config.set("pre_request", begin)
        config.set("post_request", end)

    def end(self, latest: float, *, moment: float = ORDINARY_END) -> None:
        """See to it that the process ends: a `moment` after the last answer, or at `latest`.

        Stock, a worker waits for half a request, up to ``--graceful-timeout``, and so does the
        interpreter's exit: the thread that reads it is joined.
        """
        # A daemon: it goes on while the interpreter joins others, and ends with an ordinary end.
        threading.Thread(
            target=self._see_the_end, args=(latest, moment), name="end", daemon=True
        ).start()

    def _see_the_end(self, latest: float, moment: float) -> None:
        quiet_by = time.monotonic() + moment
        while (now := time.monotonic()) < min(quiet_by, latest):
            if self._answers > 0:
                quiet_by = now + moment
            time.sleep(0.02)
        logging.shutdown()
        os._exit(0)

    def quit(self, number: int, frame: FrameType | None) -> None:
        """Quit as the worker does, but wait for no thread: stock, exiting joins them all."""
        if self._quitting:  # Ctrl-C: SIGINT from the terminal, and SIGQUIT from the master
            return
        self._quitting = True
        self.end(time.monotonic() + QUIT_END, moment=QUIT_END)
        self._quit(number, frame)


def drain_under_gunicorn(server: Server, drain: float) -> None:
    """Put the draining before what a gunicorn worker does on SIGTERM, if this is in one.

    Stock, a worker counts requests only: sockets that were handed off are cut without a word.
    It loads the app in its main thread, after it has set its signal handlers. With ``--preload``
    it is the master that loads it: nothing is changed then.

    A second SIGTERM says nothing: whoever signals the process group, as systemd does, reaches the
    worker, and the master, which then sends its own. SIGINT and SIGQUIT end the worker at once.
    """
    if threading.current_thread() is not threading.main_thread() or "gunicorn" not in sys.modules:
        return
    from gunicorn.workers import gthread  # noqa: PLC0415 (only where it is there)

    stock = signal.getsignal(signal.SIGTERM)
    owner: Any = getattr(stock, "__self__", None)
    if not callable(stock) or not any(
        base.__module__.startswith("gunicorn.workers.") for base in type(owner).__mro__
    ):
        return
    # The worker begins to go when the clients are told: until then it takes their polls, since not
    # each of them keeps its connection. It waits for those that are kept alive; not for 2 s.
    gthread.STOP_KEEPALIVE_LINGER = KEEPALIVE_LINGER
    # Its base's: a threaded worker's own takes the lock of its thread pool, and would wait for
    # itself if it were signalled while it hands a request to that.
    threaded = isinstance(owner, gthread.ThreadWorker)
    quit_ = super(gthread.ThreadWorker, owner).handle_quit if threaded else owner.handle_quit
    worker = _Worker(owner, quit_)
    handler = GoingDown(
        server,
        drain,
        patient=True,
        told=lambda: stock(signal.SIGTERM, None),
        finish=lambda: worker.end(server.down_by),
    )
    signal.signal(signal.SIGTERM, handler)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, worker.quit)
