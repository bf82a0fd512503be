"""Our own Engine.IO driver for the threading mode: what a server does with queues and sockets.

Engine.IO keeps its driver in a dictionary, ``server.eio._async``. `Transport.serve` gives one
server instance a copy with three entries replaced. That attribute is private; it is the only one
that we touch, and ``tests/transport/test_assumptions.py`` pins what we assume about it.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI

from textstream.loggable import fingerprint
from textstream.threads import ThreadPool
from textstream.transport.admission import Admit, admit_all
from textstream.transport.answer_pace import AnswerPace
from textstream.transport.bounds import REFUSED_WHOLE, Bounds, Limit, OnOversized
from textstream.transport.connection import Connection
from textstream.transport.direct import Way
from textstream.transport.frames import POLICY_VIOLATION
from textstream.transport.handed_poll import MAX_ANSWERERS, HandedPolls
from textstream.transport.handoff import steal
from textstream.transport.hardening import harden
from textstream.transport.http.door import TAKEN, Door, door_of
from textstream.transport.http.express import Opening
from textstream.transport.large import Oversized
from textstream.transport.opening import (
    HANDSHAKE_ERRORS,
    close_again,
    leave,
    plain_socket_of,
    refuse,
    shake_hands,
)
from textstream.transport.parking import Parking
from textstream.transport.peer import Peer
from textstream.transport.quick import QuickHandlers
from textstream.transport.reactor import Reactor
from textstream.transport.session_queue import SessionQueue
from textstream.transport.turns import Turns

logger = logging.getLogger("textstream.transport")

MAX_WORKERS = 32

HAS_WEBSOCKET = "The session has a WebSocket"


class Transport:
    """The hand-off for one server: what its driver's entries share."""

    server: Any  # python-socketio's
    eio: Any
    bounds: Bounds
    turns: Turns
    quick: QuickHandlers
    """The handlers that run in the reactor's thread."""
    opening: Opening
    """Opens a session on the short way, see `Express`."""
    parking: Parking
    handed_polls: HandedPolls
    _parts: tuple[Reactor, ThreadPool, ThreadPool]

    def __init__(
        self,
        *,
        bounds: Bounds | None = None,
        on_oversized: OnOversized | None = None,
        admit: Admit = admit_all,
        workers: int = MAX_WORKERS,
        name: str = "",
    ) -> None:
        """Make it for no server yet; see `textstream.transport.install`."""
        self._asked_bounds = bounds
        self._on_oversized = on_oversized or _log_oversized
        self.admit = admit
        self.name = name
        self._workers = workers
        self.quick = QuickHandlers()
        self._lock = threading.Lock()  # guards the making of _parts
        self._made_in = -1  # which process `_parts` belong to, as `_forks` counts them

    def serve(self, server: Any) -> bool:
        """Take over `server`, python-socketio's; return whether that is possible."""
        eio = server.eio
        if eio.async_mode != "threading" or not hasattr(socket, "socketpair"):
            logger.warning("async mode %s: stock transport", eio.async_mode)
            return False
        limit = eio.max_http_buffer_size
        self.server, self.eio = server, eio
        self.bounds = self._asked_bounds or Bounds(limit, REFUSED_WHOLE * limit)
        self.turns = Turns(self.bounds)
        self.parking = Parking(eio, AnswerPace(lambda: self.reactor))
        self.handed_polls = HandedPolls(
            self.parking, lambda: self._of_this_process()[::2], self.bounds
        )
        eio._async = {
            **eio._async,
            "thread": self.task,
            "queue": SessionQueue,
            "websocket": self.websocket,
        }
        harden(server, self, self._on_oversized)
        return True

    @property
    def made(self) -> bool:
        """Whether this process has its reactor and workers already. To look at, without making."""
        return self._made_in == _forks

    @property
    def reactor(self) -> Reactor:
        """The reactor of this process."""
        return self._of_this_process()[0]

    @property
    def pool(self) -> ThreadPool:
        """The worker threads of this process."""
        return self._of_this_process()[1]

    # Entries of the driver.

    def websocket(self, handler: Any, server: Any) -> Callable[..., Any]:  # noqa: ARG002
        """Return what Engine.IO calls to serve a WebSocket: a WSGI application."""
        return lambda environ, start_response: self._serve(handler, environ, start_response)

    def task(self, target: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return what Engine.IO calls a thread, not yet started."""
        kwargs = kwargs or {}
        name = getattr(target, "__name__", "")
        if name == "_handle_event_internal":
            return _Job(lambda: self.pool.submit(lambda: target(*args, **kwargs)))
        return threading.Thread(target=target, args=args, kwargs=kwargs, daemon=True)

    # The hand-off.

    def _serve(self, handler: Any, environ: dict[str, Any], start_response: Any) -> Any:
        session = handler.__self__
        if door := door_of(environ):
            return self._serve_at(door, environ, session)
        raw = plain_socket_of(environ)
        if raw is None:
            return self._serve_stock(handler, environ, start_response)
        try:
            shaken = shake_hands(environ)
        except HANDSHAKE_ERRORS as error:
            self._drop(session)
            return _refuse_handshake(start_response, error)
        try:
            self._take_over(steal(raw), session)
        except OSError:  # no descriptor to hand it off with
            self._drop(session)
            close_again(shaken)
        return leave(shaken)

    def _serve_at(self, door: Door, environ: dict[str, Any], session: Any) -> Any:
        """Take over a WebSocket that the front has read. In the reactor's thread."""
        try:
            self.take_over_at(door, environ, session)
        except OSError:
            self._drop(session)
        return TAKEN

    def take_over_at(
        self, way: Way, environ: dict[str, Any], session: Any, first: bytes = b""
    ) -> None:
        """Take over the WebSocket that comes on a way, and send it `first` before all else.

        Raises:
            OSError: its client has gone.

        """
        sock, rest, unsent = way.take(environ, first)
        try:
            self._take_over(sock, session, rest, unsent)
        except BaseException:
            # Nobody else closes it, and nothing can be answered on it any more.
            if connection := session.queue.connection:
                connection.break_off()
            self.reactor.forget(sock)
            sock.close()
            session.close(wait=False, abort=True, reason=self.eio.reason.TRANSPORT_ERROR)
            self.eio.sockets.pop(session.sid, None)
            raise

    def turn_away(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Tell the second WebSocket of a session that it has one. A WSGI application.

        Over the WebSocket, as the reference server does: its client cannot read an HTTP answer.
        """
        if door := door_of(environ):
            with suppress(OSError):
                self._close_second(door.take(environ)[0])
            return TAKEN
        raw = plain_socket_of(environ)
        if raw is None:
            return refuse(start_response, HAS_WEBSOCKET)
        try:
            shaken = shake_hands(environ)
        except HANDSHAKE_ERRORS as error:
            return _refuse_handshake(start_response, error)
        try:
            sock = steal(raw)
        except OSError:
            close_again(shaken)
        else:
            self._close_second(sock)
        return leave(shaken)

    def _close_second(self, sock: socket.socket) -> None:
        reactor, pool, _ = self._of_this_process()
        connection = Connection(
            sock,
            reactor=reactor,
            pool=pool,
            bounds=self.bounds,
            turns=self.turns,
            on_message=lambda _: None,
            on_close=lambda: None,
        )
        connection.start()
        connection.close(POLICY_VIOLATION, HAS_WEBSOCKET)

    def _drop(self, session: Any) -> None:
        """End a session whose first connection came to nothing; one that polls goes on so."""
        if not session.connected:
            session.close(wait=False, abort=True, reason=self.eio.reason.TRANSPORT_ERROR)
            self.eio.sockets.pop(session.sid, None)

    def _serve_stock(self, handler: Any, environ: dict[str, Any], start_response: Any) -> Any:
        _warn_once("A WebSocket over in-process TLS, or on an unknown server: stock transport.")
        return SimpleWebSocketWSGI(handler, self.eio)(environ, start_response)

    def _take_over(
        self, sock: socket.socket, session: Any, rest: bytes = b"", unsent: bytes = b""
    ) -> None:
        peer = Peer(session, eio=self.eio, refuse=self._refuse)
        reactor, pool, _ = self._of_this_process()
        connection = Connection(
            sock,
            reactor=reactor,
            pool=pool,
            bounds=self.bounds,
            turns=self.turns,
            on_message=peer.on_message,
            on_close=peer.on_close,
            at_once=peer.at_once,
            caller=session.caller,
            account=session.account,
        )
        peer.connection = connection
        if unsent:
            connection.write_last(unsent)
        if session.connected:
            session.begin_upgrade()
            peer.watch_upgrade(self.reactor, self.bounds.connect)
        else:  # one that is new is watched among the newcomers
            session.connected = session.upgraded = True
            session.queue.attach(connection)
        connection.start(rest)

    def _refuse(self, session: Any, message: Oversized) -> None:
        """Answer a message that was dropped."""
        self._on_oversized(session.sid, message.head, message.size, message.limit)

    def is_connected(self, session: Any) -> bool:
        """Return whether the session has completed a Socket.IO CONNECT in any namespace."""
        manager = self.server.manager
        return any(
            manager.sid_from_eio_sid(session.sid, namespace)
            for namespace in list(manager.get_namespaces())
        )

    def close(self, timeout: float = 5.0) -> None:
        """End the threads."""
        deadline = time.monotonic() + timeout
        reactor, pool, answerers = self._of_this_process()
        pool.close(deadline)
        self.parking.close()
        reactor.settle(deadline)  # what woke polls asked for answers,
        answerers.close(deadline)
        reactor.settle(deadline)  # which are written
        reactor.close(max(0.0, deadline - time.monotonic()))

    def _of_this_process(self) -> tuple[Reactor, ThreadPool, ThreadPool]:
        """Return reactor and workers, made when they are first asked for.

        A server may load the app and then fork (gunicorn ``--preload``): neither threads nor the
        selector can be shared.
        """
        if self._made_in != _forks:
            with self._lock:
                if self._made_in != _forks:
                    cure = "Slow event handlers hold them."
                    self._parts = (
                        Reactor(),
                        ThreadPool(self._workers, "worker", cure=cure),
                        ThreadPool(MAX_ANSWERERS, "answer", cure="Many clients poll for much."),
                    )
                    self._made_in = _forks
        return self._parts


class _Job:
    """Looks like a thread to Engine.IO, and is none."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run

    def start(self) -> None:
        self._run()

    def join(self, timeout: float | None = None) -> None:
        """Do not wait: nobody does for these."""


def _refuse_handshake(start_response: Any, error: Exception) -> list[bytes]:
    return refuse(start_response, f"No WebSocket handshake: {error}")


_forks = 0
"""How often this process's ancestors were forked, about: another number is another process. Asked
for with each connection, which is too often for a system call."""


def _count_fork() -> None:
    global _forks  # noqa: PLW0603 (what is the process's)
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)

_warned: set[str] = set()


def _warn_once(message: str) -> None:
    if message not in _warned:
        _warned.add(message)
        logger.warning(message)


def _log_oversized(eio_sid: str, _head: str, size: int, limit: Limit) -> None:
    shown = {"session": fingerprint(eio_sid), "bytes": size, "limit": limit.value}
    logger.warning("dropped a message that is too large", extra=shown)
