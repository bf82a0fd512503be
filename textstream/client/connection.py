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

from textstream.client.address import ServerAddress
from textstream.client.failures import (
    SILENT,
    CannotConnect,
    Cause,
    cause_of,
    cause_of_response,
    refusal,
)
from textstream.client.http_session import HttpSession
from textstream.errors import TextStreamError

# Its debug lines hold the text that is streamed, which must not be logged, whatever the level.
_SILENT = logging.Logger("textstream.client.wire", logging.CRITICAL + 1)

WEBSOCKET = "websocket"
POLLING = "polling"

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
        address: ServerAddress,
        *,
        transports: Sequence[str],
        timeout: float,
        handlers: Mapping[str, Callable[[Any], None]],
        lock: AbstractContextManager[Any],
        auth: Mapping[str, Any] | None = None,
    ) -> None:
        """Connect: one attempt, of which nothing is left when it fails.

        Args:
            address: the server's.
            transports: ``websocket``, ``polling``, or both: polling first, which is then upgraded
                where that works.
            timeout: seconds for each step of the handshake.
            handlers: what to call with the payload of each event.
            lock: held while a handler or an answer's callback runs.
            auth: what is said at CONNECT.

        Raises:
            CannotConnect: nothing answers there, or not as it should.
            TextStreamError: the server refused the connection, with a code of ours.

        """
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._sockets: list[websocket.WebSocket] = []
        self._address = address
        self._auth = dict(auth or {})
        self._http = HttpSession(address)
        self._refusal: TextStreamError | None = None
        self._over = False
        self._lock = lock
        self._sio = self._new_client(timeout, handlers)
        try:
            self._open(transports, timeout)
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
        if eio.current_transport == POLLING and eio.state == "connected":
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
        if eio.current_transport == POLLING:
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
            # No Origin: it is for browsers (RFC 6454). The library would make one up, and a server
            # whose proxy tells it another host would refuse it.
            websocket_extra_options={
                "class_": self._new_socket,
                "suppress_origin": True,
                "sslopt": {"context": self._http.trust},
            },
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
        thread = _Task(self._run_task, (target, args), self._end_writing)
        self._threads.append(thread)
        thread.start()
        return thread

    def _end_writing(self) -> None:
        """End the connection: the reading loop has, and waits for the writing one.

        That one would wait for 30 s for something to write, over polling, before it looks around.
        """
        self._sio.eio.queue.put(None)
        self._inbox.put(None)

    def _run_task(self, target: Callable[..., None], args: tuple[Any, ...]) -> None:
        try:
            target(*args)
        finally:
            # The reading or the writing loop has ended, and with it the connection. (The
            # disconnect event is no sign: it does not come when the handshake is not complete.)
            self._inbox.put(None)

    def _open(self, transports: Sequence[str], timeout: float) -> None:
        address = self._address
        headers = {"Authorization": address.authorization} if address.authorization else {}
        try:
            self._sio.connect(
                address.socketio_url,
                headers=headers,
                auth=self._auth or None,
                transports=list(transports),
                socketio_path=address.socketio_path,
                wait=False,
            )
        except Exception as error:  # noqa: BLE001  # it raises anything for an odd answer
            raise CannotConnect(address.url, self._cause(error, timeout)) from None
        if self._sio.eio.current_transport == POLLING:
            # A probe that got no answer is left open, and for as long as it is the server takes
            # the session to be moving to it, and sends nothing over polling.
            for socket in self._sockets:
                socket.shutdown()  # type: ignore[no-untyped-call]
        deadline = time.monotonic() + timeout
        while self._refusal is None and "/" not in self._sio.namespaces:
            left = deadline - time.monotonic()
            if left <= 0 or not self.pump(left):
                raise CannotConnect(address.url, SILENT)
        if self._refusal is not None:
            raise self._refusal

    def _cause(self, error: Exception, timeout: float) -> Cause:
        last = self._http.last
        if isinstance(last, requests.Response):
            return cause_of_response(last)
        return cause_of(last or error, timeout)

    def _on_refused(self, *reasons: object) -> None:
        self._refusal = refusal(self._address.url, reasons[0] if reasons else None)

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


class _Task(threading.Thread):
    """A loop of Engine.IO's, of which one waits for the other."""

    def __init__(
        self, target: Callable[..., None], args: tuple[Any, ...], joined: Callable[[], None]
    ) -> None:
        super().__init__(target=target, args=args, name="textstream-client-io", daemon=True)
        self._joined = joined

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, and have it end."""
        self._joined()
        super().join(timeout)


def _nothing() -> None:
    pass


def _one_argument(handler: Callable[[Any], None]) -> Callable[..., None]:
    return lambda *arguments: handler(arguments[0] if arguments else None)
