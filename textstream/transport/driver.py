"""Our own Engine.IO driver for the threading mode: what a server does with queues and sockets.

Engine.IO keeps its driver in a dictionary, ``server.eio._async``. `install` gives one server
instance a copy with two entries replaced. That attribute is private; nothing else here is, and
``tests/transport/test_driver.py`` pins what we assume about it.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from typing import Any

import simple_websocket
from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI

MAX_POLL_PACKETS = 16
"""Packets in the answer to one poll: Engine.IO's own clients refuse more."""

REFUSED_WHOLE = 8
"""A text message of up to so many times the limit is read, refused and answered.

One that is longer still closes the connection with 1009 (RFC 6455, 7.4.1).
"""

MESSAGE_TOO_BIG = 1009

OnOversized = Callable[[str, str, int], None]
"""Called with the Engine.IO session id, the beginning of the message, and its size in bytes."""


class PollQueue(queue.Queue[Any]):
    """A queue that hands out at most `MAX_POLL_PACKETS` packets in a row without waiting.

    Engine.IO's ``Socket.poll`` waits for one packet and then takes, without waiting, all that
    there are. A stream fills the queue faster than that, and the answer grows past what
    clients accept.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._in_a_row = 0  # only the one thread that polls touches it

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take a packet; raise ``queue.Empty`` after `MAX_POLL_PACKETS` without a wait."""
        if block:
            self._in_a_row = 0
        elif self._in_a_row + 1 >= MAX_POLL_PACKETS:
            raise queue.Empty
        item = super().get(block, timeout)
        self._in_a_row += 1
        return item


def make_websocket(max_message_bytes: int, on_oversized: OnOversized) -> type[SimpleWebSocketWSGI]:
    """Return the class that Engine.IO calls to serve a WebSocket."""

    class BoundedWebSocket(SimpleWebSocketWSGI):
        """Refuses messages over the limit, and sends one at a time."""

        def __init__(self, handler: Any, server: Any) -> None:
            super().__init__(handler, server, max_message_size=REFUSED_WHOLE * max_message_bytes)
            self._session = handler.__self__
            self._sending = threading.Lock()  # Engine.IO's writer, and whoever closes

        def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
            _disable_nagle(environ)
            return super().__call__(environ, start_response)

        def send(self, message: str | bytes) -> None:
            with self._sending:
                super().send(message)

        def wait(self) -> str | bytes | None:
            message: str | bytes | None
            while (message := super().wait()) is not None:
                size = _size(message, max_message_bytes)
                if size <= max_message_bytes:
                    break
                if isinstance(message, bytes):
                    # It belongs to an event that cannot be completed without it.
                    self._close_too_big()
                    return None
                on_oversized(self._session.sid, message[:1024], size)
            return message

        def _close_too_big(self) -> None:
            try:
                self.ws.close(MESSAGE_TOO_BIG, "Message is too big")
            except (OSError, simple_websocket.ConnectionClosed):
                return

    return BoundedWebSocket


def install(socketio: Any, *, max_message_bytes: int, on_oversized: OnOversized) -> None:
    """Give `socketio`, a Flask-SocketIO or python-socketio server, our driver.

    Args:
        socketio: a server in threading mode.
        max_message_bytes: the largest WebSocket message.
        on_oversized: called for a text message that is larger, which is then dropped.

    """
    eio = getattr(socketio, "server", socketio).eio
    eio._async = {
        **eio._async,
        "queue": PollQueue,
        "websocket": make_websocket(max_message_bytes, on_oversized),
    }


def _disable_nagle(environ: dict[str, Any]) -> None:
    """Send each character when it is due: Nagle's algorithm would hold it back for some 40 ms."""
    sock = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _size(message: str | bytes, limit: int) -> int:
    """Return the size in bytes; exact only if it may be over `limit`, since counting costs."""
    if isinstance(message, str) and len(message) * 4 > limit:
        return len(message.encode("utf-8", "surrogatepass"))
    return len(message)
