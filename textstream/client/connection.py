"""One Socket.IO connection of the client, from its handshake to its end; never used again.

python-socketio starts a thread for every message, which loses their order and costs a thread
per character. Here messages wait in one inbox, and `Connection.pump` runs them one by one in
the thread that calls it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import requests
import socketio
import websocket
from engineio import packet

from textstream.client.http_session import http_session
from textstream.client.wire_errors import reason_of, unreachable

# Its debug lines hold the text that is streamed, which must not be logged, whatever the level.
_SILENT = logging.Logger("textstream.client.wire", logging.CRITICAL + 1)

CLOSE_TIMEOUT = 1.0
"""Seconds that the server has to answer a close, before the socket is shut down."""

JOIN_TIMEOUT = 2.0
"""Seconds to wait for the threads of a connection that is over."""


class _Utf8Json:
    """JSON as python-socketio asks for it, without escapes of what is not ASCII.

    They double the size of most scripts, and the server bounds the size of a message.
    """

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: object, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, **options)


class _Packet(socketio.packet.Packet):  # type: ignore[misc]  # it has no types
    # Not the json option: that one changes every client and server of the process.
    json = _Utf8Json


class Connection:
    """An open connection. Opening blocks until the server has accepted or refused it."""

    def __init__(
        self,
        url: str,
        *,
        transports: Sequence[str] | None,
        timeout: float,
        handlers: Mapping[str, Callable[[Any], None]],
        lock: AbstractContextManager[Any],
    ) -> None:
        """Connect.

        Args:
            url: the server's address, ``http://host:port``.
            transports: ``websocket``, ``polling`` or both in the order to use them; None is
                WebSocket, and polling where a proxy refuses WebSockets.
            timeout: seconds for each step of the handshake.
            handlers: what to call with the payload of each event.
            lock: held while a handler or an answer's callback runs.

        Raises:
            ServerUnreachable: nothing answers there, or not as it should.

        """
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._sockets: list[websocket.WebSocket] = []
        self._http = http_session()
        self._refused: str | None = None
        self._over = False
        self._lock = lock
        self._sio = self._new_client(timeout, handlers)
        try:
            self._open(url, transports, timeout)
        except BaseException:
            self.close()
            raise

    def emit(
        self,
        event: str,
        payload: dict[str, Any],
        on_ack: Callable[[Any], None] | None = None,
    ) -> None:
        """Send an event without blocking. `on_ack` gets the answer, from `pump`; None: none is due.

        On a connection that is over nothing is sent and no answer comes; `pump` says so.
        """
        callback = on_ack and (lambda *answer: on_ack(answer[0] if answer else None))
        try:
            self._sio.emit(event, payload, callback=callback)
        except socketio.exceptions.BadNamespaceError:
            self._inbox.put(None)

    def pump(self, timeout: float | None = None) -> bool:
        """Run what the next message calls for; wait for it up to `timeout` seconds.

        Returns:
            False when the connection is over.

        """
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return not self._over
        if message is None:
            self._over = True
        elif not self._over:
            with self._lock:
                message()
        return not self._over

    def wake(self) -> None:
        """Make a `pump` that waits return."""
        self._inbox.put(_nothing)

    def close(self) -> None:
        """Close, and wait for the connection's threads. Doing it again does nothing.

        Not from one of those threads: handlers run in `pump`, so they may not call this.
        """
        self._over = True
        deadline = time.monotonic() + CLOSE_TIMEOUT
        eio = self._sio.eio
        # Not disconnect(). Over polling it may drop the close packet, and then waits for the
        # server to answer the poll; over a WebSocket it waits for a lock that the reading
        # thread holds for as long as a server that has gone without a word stays silent.
        if eio.current_transport == "polling" and eio.state == "connected":
            self._end_polling()
        for socket in self._sockets:
            try:
                socket.send_close()
            except (OSError, websocket.WebSocketException):
                continue
        self._join(deadline)
        for socket in self._sockets:
            if socket.sock:
                socket.connected = True  # send_close() cleared it, and abort() asks for it
                socket.abort()  # type: ignore[no-untyped-call]
        if eio.current_transport == "polling":
            eio.disconnect(abort=True)
        eio.queue.put(None)
        self._join(time.monotonic() + JOIN_TIMEOUT)
        for socket in self._sockets:
            socket.shutdown()  # type: ignore[no-untyped-call]
        self._http.close()

    def _new_client(
        self, timeout: float, handlers: Mapping[str, Callable[[Any], None]]
    ) -> socketio.Client:
        client = socketio.Client(
            reconnection=False,
            handle_sigint=False,
            serializer=_Packet,
            logger=_SILENT,
            engineio_logger=_SILENT,
            request_timeout=timeout,
            http_session=self._http,
            websocket_extra_options={"class_": self._new_socket},
        )
        client.eio.start_background_task = self._start_task
        client.on("connect_error", self._on_refused)
        for event, handler in handlers.items():
            client.on(event, _one_argument(handler))
        return client

    def _new_socket(self, **options: Any) -> websocket.WebSocket:
        # Engine.IO forgets the sockets of handshakes that fail, without closing them.
        socket = websocket.WebSocket(**options)
        self._sockets.append(socket)
        return socket

    def _start_task(self, target: Callable[..., None], *args: Any) -> threading.Thread:
        if target == self._sio.eio.handlers["message"]:
            self._inbox.put(lambda: target(*args))
            return threading.current_thread()
        thread = threading.Thread(
            target=self._run_task, args=(target, args), name="textstream-client-io", daemon=True
        )
        self._threads.append(thread)
        thread.start()
        return thread

    def _run_task(self, target: Callable[..., None], args: tuple[Any, ...]) -> None:
        try:
            target(*args)
        finally:
            # The reading or the writing loop has ended, and with it the connection. (The
            # disconnect event is no sign: it does not come when the handshake is not complete.)
            self._inbox.put(None)

    def _open(self, url: str, transports: Sequence[str] | None, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        try:
            self._handshake(url, transports)
        except (socketio.exceptions.ConnectionError, ValueError) as error:
            raise unreachable(url, reason_of(error)) from None
        while self._refused is None and "/" not in self._sio.namespaces:
            left = deadline - time.monotonic()
            if left <= 0 or not self.pump(left):
                raise unreachable(url, "it does not answer as a Socket.IO server does")
        if self._refused is not None:
            raise unreachable(url, self._refused)

    def _handshake(self, url: str, transports: Sequence[str] | None) -> None:
        wanted = list(transports) if transports else ["websocket"]
        try:
            self._sio.connect(url, transports=wanted, wait=False)
        except socketio.exceptions.ConnectionError as error:
            if transports or not _proxy_refused(error):
                raise
            self._sio.connect(url, transports=["polling"], wait=False)

    def _on_refused(self, *reasons: object) -> None:
        reason = reasons[0] if reasons else "it refused the connection"
        if isinstance(reason, dict):
            reason = reason.get("message", "it refused the connection")
        self._refused = str(reason)

    def _end_polling(self) -> None:
        """Send the close packet, past a writing loop that may be gone or busy.

        It makes the server answer the poll that waits; nothing else wakes the reading thread.
        """
        body = packet.Packet(packet.CLOSE).encode()
        with contextlib.suppress(requests.RequestException):
            self._http.post(
                self._sio.eio.base_url,
                data=body,
                headers={"Content-Type": "text/plain"},
                timeout=CLOSE_TIMEOUT,
            )

    def _join(self, deadline: float) -> None:
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _nothing() -> None:
    pass


def _one_argument(handler: Callable[[Any], None]) -> Callable[..., None]:
    return lambda *arguments: handler(arguments[0] if arguments else None)


def _proxy_refused(error: BaseException | None) -> bool:
    """Tell whether the other side speaks HTTP, but no WebSocket."""
    while error is not None:
        if isinstance(error, websocket.WebSocketBadStatusException):
            return True
        error = error.__cause__ or error.__context__
    return False
