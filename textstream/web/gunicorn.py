"""A gunicorn worker that goes down well, for whatever reason it goes."""

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

from textstream.transport.foreign import RUN_ONE_WORKER
from textstream.web.gthread import Accepting
from textstream.web.request_kinds import Routes
from textstream.web.server import CLOSE_SECONDS, Server
from textstream.web.signals import GoingDown, Handler, count_on_signal, where_one_may_wait
from textstream.web.workers import warn_of_several

logger = logging.getLogger("textstream.server")

KEEPALIVE_LINGER = 0.5
"""Seconds that a gunicorn worker that goes down waits for connections that are kept alive."""

ORDINARY_END = KEEPALIVE_LINGER + 0.1
"""Seconds that a gunicorn worker has to end by itself, once no answer is being written."""

QUIT_END = 1.0
"""Seconds that a gunicorn worker that is to end at once has for its hooks; the master allows 2."""


Begin = Callable[[int], None]
"""Called in each worker, when it has taken the app, with the number of those that begin together.
"""


def drain_under_gunicorn(
    server: Server, drain: float, routes: Routes, begin: Begin = lambda _: None
) -> bool:
    """Put the draining before what ends a gunicorn worker, if this is in one, or in its master.

    Stock, a worker counts requests only: sockets that were handed off are cut without a word, on
    SIGTERM, after ``--max-requests``, or when its master is gone. It loads the app in its main
    thread, after it has set its signal handlers. With ``--preload`` its master has loaded it.

    A second SIGTERM says nothing: whoever signals the process group, as systemd does, reaches the
    worker, and the master, which then sends its own. SIGINT and SIGQUIT end the worker at once.

    Returns:
        Whether it is.

    """
    if (
        threading.current_thread() is not threading.main_thread()
        or "gunicorn.arbiter" not in sys.modules
    ):
        return False
    owner = _worker_of_this_process()
    if owner is None:
        _drain_when_forked(server, drain, routes, begin)
        return True
    _warn(owner, drain, shared=server.node is not None)
    if _is_a(owner, "geventwebsocket."):
        logger.warning(
            "gevent-websocket answers WebSocket handshakes itself: no WebSocket gets through. Use "
            "-k gevent, or -w 1 --threads 16."
        )
        server.socketio.server.eio.allow_upgrades = False
    _Worker(owner).drain_first(server, drain, routes)
    begin(owner.cfg.workers)
    return True


def _worker_of_this_process() -> Any:
    """Return gunicorn's worker, None in its master."""
    owner: Any = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return owner if _is_a(owner, "gunicorn.workers.") else None


def _is_a(worker: Any, module: str) -> bool:
    """Return whether a worker's class, or one of its bases, is from a module that begins so."""
    return any(base.__module__.startswith(module) for base in type(worker).__mro__)


def _drain_when_forked(server: Server, drain: float, routes: Routes, begin: Begin) -> None:
    """Do it when a worker, forked from this process, takes the app that is loaded here."""
    from gunicorn.workers.base import Worker  # noqa: PLC0415 (only where it is there)

    load = Worker.load_wsgi

    def load_and_drain(worker: Any) -> None:
        load(worker)
        drain_under_gunicorn(server, drain, routes, begin)

    Worker.load_wsgi = load_and_drain


def _warn(worker: Any, drain: float, *, shared: bool) -> None:
    """Say what is wrong with how gunicorn was started: one worker of those that start together."""
    config = worker.cfg
    if (worker.age - 1) % max(1, config.workers):
        return
    what = "gunicorn (-w, WEB_CONCURRENCY or its configuration)"
    warn_of_several(what, config.workers, shared=shared)
    if config.threads == 1 and not _is_a(worker, "gunicorn.workers.ggevent"):
        logger.warning(
            "one thread: a slow request keeps it, and all others wait meanwhile. %s",
            RUN_ONE_WORKER,
        )
    if config.graceful_timeout < drain + CLOSE_SECONDS:
        logger.warning(
            "--graceful-timeout is %g s: gunicorn will end the worker before it has drained. Set "
            "it to %g or more, or TEXTSTREAM_DRAIN to %g or less.",
            config.graceful_timeout,
            drain + 2,
            max(0, config.graceful_timeout - 2),
        )


class _Worker:
    """A gunicorn worker that tells its clients before it goes, and ends in time then."""

    def __init__(self, worker: Any) -> None:
        """Watch a worker's answers."""
        self._worker = worker
        self._quitting = False
        self._lock = threading.Lock()  # guards _answers
        self._answers = 0
        self._watch(worker.cfg)

    def drain_first(self, server: Server, drain: float, routes: Routes) -> None:
        """Let it end when `server` has drained; at once on SIGINT, SIGQUIT and SIGABRT."""
        from gunicorn.workers import gthread  # noqa: PLC0415 (only where it is there)

        # It begins to go when the clients are told: until then it takes their polls, since not
        # each of them keeps its connection. It waits for those that are kept alive; not for 2 s.
        gthread.STOP_KEEPALIVE_LINGER = KEEPALIVE_LINGER
        base: Any = self._worker
        if isinstance(base, gthread.ThreadWorker):
            # A threaded worker's own takes the lock of its thread pool, and would wait for itself
            # if it were signalled while it hands a request to that.
            base = super(gthread.ThreadWorker, base)
            Accepting(self._worker, server, routes)
        stop, quit_, abort = self._worker.handle_exit, base.handle_quit, base.handle_abort

        def told() -> None:
            let_go()
            stop(signal.SIGTERM, None)

        handler = GoingDown(
            server,
            drain,
            patient=True,
            told=told,
            finish=lambda: self._end(server.down_by),
        )
        let_go = _hold(self._worker, handler.begin)

        def at_once(number: int, frame: FrameType | None) -> None:
            let_go()
            self._quit(quit_, number, frame)

        def aborted(number: int, frame: FrameType | None) -> None:
            let_go()
            abort(number, frame)

        signal.signal(signal.SIGTERM, where_one_may_wait(handler))
        for number in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, where_one_may_wait(at_once))
        signal.signal(signal.SIGABRT, aborted)
        count_on_signal(server, also=self._worker.handle_usr1)  # which opens its logs anew

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

    def _end(self, latest: float, *, moment: float = ORDINARY_END) -> None:
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

    def _quit(self, stock: Handler, number: int, frame: FrameType | None) -> None:
        """Quit as the worker does, but wait for no thread: stock, exiting joins them all."""
        if self._quitting:  # Ctrl-C: SIGINT from the terminal, and SIGQUIT from the master
            return
        self._quitting = True
        self._end(time.monotonic() + QUIT_END, moment=QUIT_END)
        stock(number, frame)


def _hold(worker: Any, falls: Callable[[], Any]) -> Callable[[], None]:
    """Keep a worker's loop going when it is to end; return what lets go of it.

    gunicorn says so by one attribute, ``alive``: after ``--max-requests``, when ``--reload`` sees
    another file, on a signal. Its loop ends with it, and takes no more connections: too early for
    clients that poll on new ones. To watch the attribute from a thread would be too late.

    Args:
        worker: gunicorn's.
        falls: called when the worker is to end: as often as it is told to, in any thread.

    """
    held, orphaned = True, False
    stock: Any = type(worker)

    class Held(stock):
        @property
        def alive(self) -> bool:
            """Whether its loop goes on."""
            return bool(self.__dict__["alive"])

        @alive.setter
        def alive(self, value: bool) -> None:
            if held and not value:
                self.max_requests = sys.maxsize  # once is enough, it says so at each request
                falls()
            else:
                self.__dict__["alive"] = value

        def notify(self) -> None:
            """Tell the master that it is alive; go, if there is none any more."""
            nonlocal orphaned
            if self.ppid == os.getppid():
                super().notify()
            elif not orphaned:
                orphaned = True
                self.log.info("Parent changed, shutting down: %s", self)
                self.alive = False

        def is_parent_alive(self) -> bool:
            """Say so always: stock, the loop ends without another word. See `notify`."""
            return True

    def let_go() -> None:
        nonlocal held
        held = False

    worker.__class__ = Held
    return let_go
