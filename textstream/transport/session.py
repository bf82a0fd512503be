"""One client's Engine.IO session, as strict about its requests as the reference server.

Source: the Engine.IO protocol, revision 4, and what ``engine.io`` 6 does where it says nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from engineio.exceptions import ContentTooLongError, EngineIOError
from engineio.packet import CLOSE, MESSAGE, NOOP, PING, PONG, Packet
from engineio.socket import Socket

from textstream.transport.admission import Visit
from textstream.transport.answers import Answer, refusal
from textstream.transport.connection import Connection
from textstream.transport.farewells import Farewells
from textstream.transport.handshake import is_handshake
from textstream.transport.held_back import HeldBack
from textstream.transport.packets import MalformedPacketError

logger = logging.getLogger("textstream.transport")

UPGRADE_SECONDS = 0.05
"""How long a poll waits for an upgrade that is on its way, before it is told to come again.

The packet that completes the upgrade may have been sent before the poll, and is handled by another
thread. A client waits for its poll before it completes the upgrade, so it must not be long.
"""

_TYPES = frozenset("0123456b")
"""What a packet begins with: its type, or a ``b`` for base64. Not just any digit of Unicode."""


def decode(encoded: str | bytes) -> Packet:
    """Return the Engine.IO packet that a client has sent.

    Raises:
        MalformedPacketError: it is none.

    """
    if isinstance(encoded, str) and encoded[:1] not in _TYPES:
        raise MalformedPacketError("unknown packet type" if encoded else "empty packet")
    try:
        return Packet(encoded_packet=encoded)
    except (ValueError, RecursionError) as error:  # the latter: JSON that is nested too deep
        raise MalformedPacketError(type(error).__name__) from error


class Session(Socket):
    """An Engine.IO session. Made of Engine.IO's own by `Sessions`."""

    ping_due: float = float("inf")
    """When the next heartbeat is or was due, by the monotonic clock."""

    visit: Visit | None = None
    """Whose it is, and what is kept for it."""

    _farewells: Farewells
    _flags: threading.Lock  # guards the next two; all sessions of a server have the same
    _polling = _posting = False
    _max_packets: int
    send: Callable[[Packet], None]
    _upgrade_over: threading.Event | None = None

    def share(self, farewells: Farewells, flags: threading.Lock, max_packets: int) -> None:
        """Take what all sessions of a server share."""
        self._farewells, self._flags, self._max_packets = farewells, flags, max_packets

    # What is sent. `send` is Engine.IO's, but for these moments.

    def correct_first(self, *, upgrades: bool) -> None:
        """Correct the first packet, OPEN, on its way.

        Engine.IO rounds the heartbeat's interval down to whole seconds, and knows of no WSGI server
        on which there are no `upgrades`.
        """

        def send(packet: Packet) -> None:
            del self.send
            eio = self.server
            interval = eio.ping_interval + eio.ping_interval_grace_period
            packet.data["pingInterval"] = round(interval * 1000)
            if not upgrades:
                packet.data["upgrades"] = []
            self.send(packet)

        self.send = send

    @contextmanager
    def holding_back(self, namespace: str) -> Iterator[None]:
        """Let the answer to a CONNECT to `namespace` come before what its handler emits."""
        held_back = HeldBack(namespace, self.send)
        self.send = held_back.offer
        try:
            yield
        finally:
            held_back.release()
            del self.send

    def close(self, *args: Any, **kwargs: Any) -> None:
        """Close it, as Engine.IO does."""
        super().close(*args, **kwargs)
        if self.closed and self.visit:
            self.visit.leave()

    # What is received.

    def take(self, encoded: str | bytes) -> None:
        """Handle a packet as it came.

        Raises:
            MalformedPacketError: it is none, or no client sends it; the session is to be closed.

        """
        if isinstance(encoded, str) and encoded[:1] == "4" and encoded[1:2].isdigit():
            # Nearly all there are. Engine.IO's Packet comes to the same by way of an exception.
            self._handle(encoded[1:])
        else:
            self.receive(decode(encoded))

    def receive(self, pkt: Packet) -> None:
        """Handle a packet.

        Raises:
            MalformedPacketError: no client sends it; the session is to be closed.

        """
        kind = pkt.packet_type
        if kind == MESSAGE:
            self._handle(pkt.data)
        elif kind == PONG:
            self.schedule_ping()
        elif kind == CLOSE:
            if not self.upgraded:
                self._bid_farewell()
            super().receive(pkt)
        elif kind == PING:
            raise MalformedPacketError("invalid heartbeat direction")
        # OPEN, UPGRADE and NOOP mean nothing here.

    def _handle(self, data: Any) -> None:
        if self.server.async_handlers:
            # Engine.IO's own: python-socketio's setting of this name is another.
            self.server._trigger_event("message", self.sid, data, run_async=True)
            return
        try:
            if handler := self.server.handlers.get("message"):
                handler(self.sid, data)
        except MalformedPacketError:
            raise
        except Exception:
            self.server.logger.exception("message handler error")

    # Polls. What these methods return and raise is Engine.IO's agreement with its server.

    def handle_get_request(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a poll, or begin a WebSocket."""
        if is_handshake(environ):
            return super().handle_get_request(environ, start_response)
        if self._is_overdue():
            self.close(wait=False, reason=self.server.reason.PING_TIMEOUT)
            return refusal(Answer.UNKNOWN_SESSION)
        with self._alone("_polling") as alone:
            if not alone:
                # Its client has let go of the first, whose answer nobody may ever read.
                self.close(wait=False, reason=self.server.reason.TRANSPORT_ERROR)
                return refusal(Answer.BAD_REQUEST, "Two polls at the same time")
            if (over := self._upgrade_over) is not None:
                over.wait(UPGRADE_SECONDS)
            if self.upgraded:
                return refusal(Answer.BAD_REQUEST, "The session has a WebSocket")
            return super().handle_get_request(environ, start_response)

    def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Handle the packets of a request, one after the other.

        Raises:
            EngineIOError: the session is closed; the answer is 400.

        """
        with self._alone("_posting") as alone:
            try:
                if not alone:
                    raise MalformedPacketError("two requests at the same time")
                self._receive_all(environ)
            except (ValueError, ContentTooLongError) as error:
                self._fail(error)
                raise EngineIOError from error

    def _receive_all(self, environ: dict[str, Any]) -> None:
        size = int(environ.get("CONTENT_LENGTH") or "0")
        if size > self.server.max_http_buffer_size:
            raise ContentTooLongError
        body = environ["wsgi.input"].read(size).decode("utf-8")
        if body.startswith("d="):  # of a client that polls by scripts, as old browsers did
            body = parse_qs(body).get("d", [""])[0]
        encoded = body.split("\x1e")
        if len(encoded) > self._max_packets:
            raise MalformedPacketError(f"more than {self._max_packets} packets")
        for one in encoded:
            if self.closed:
                return
            self.take(one)

    def _fail(self, error: Exception) -> None:
        said = error if isinstance(error, MalformedPacketError) else type(error).__name__
        logger.warning("closed a session: malformed packet: %s", said)
        self.close(wait=False, reason=self.server.reason.TRANSPORT_ERROR)

    def _is_overdue(self) -> bool:
        # last_ping: of the heartbeat that is out. By the time that it was due: a client counts
        # from there too, and on a timer that is late nobody could rely.
        last_due = self.ping_due if self.last_ping else float("inf")
        return bool(time.monotonic() >= last_due + self.server.ping_timeout)

    @contextmanager
    def _alone(self, flag: str) -> Iterator[bool]:
        """Tell whether no other request of this kind is being handled."""
        with self._flags:
            alone = not getattr(self, flag)
            if alone:
                setattr(self, flag, True)
        try:
            yield alone
        finally:
            if alone:
                with self._flags:
                    setattr(self, flag, False)

    def _bid_farewell(self) -> None:
        """Let the poll that waits end in peace, or the one that is on its way."""
        with self._flags:
            waiting = self._polling
        if waiting:
            self.queue.put(Packet(NOOP))
        else:
            self._farewells.expect(self.sid)

    # The upgrade from polling.

    def begin_upgrade(self) -> None:
        """Keep what is sent until the upgrade is through; polls are answered with NOOP."""
        self._upgrade_over = threading.Event()
        self.upgrading = True

    def complete_upgrade(self, connection: Connection) -> None:
        """Go on over `connection`."""
        self.upgraded = True
        self.upgrading = False
        self._end_upgrade()
        self.queue.attach(connection)

    def abandon_upgrade(self) -> None:
        """Go on polling."""
        self.upgrading = False
        self._end_upgrade()

    def _end_upgrade(self) -> None:
        if self._upgrade_over is not None:
            self._upgrade_over.set()
            self._upgrade_over = None
