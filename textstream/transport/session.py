"""One client's Engine.IO session, as strict about its requests as the reference server.

Source: the Engine.IO protocol, revision 4, and what ``engine.io`` 6 does where it says nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engineio.exceptions import ContentTooLongError, EngineIOError
from engineio.packet import CLOSE, MESSAGE, NOOP, PING, PONG, Packet

from textstream.access.account import Account
from textstream.access.caller import NOBODY, Caller
from textstream.transport import posts
from textstream.transport.admission import Visit
from textstream.transport.answers import Answer, refusal
from textstream.transport.connection import Connection
from textstream.transport.engine_packets import decode, size_of
from textstream.transport.frames import POLICY_VIOLATION
from textstream.transport.handshake import is_handshake
from textstream.transport.heartbeat import HeartbeatSocket
from textstream.transport.held_back import HeldBack
from textstream.transport.large import Large
from textstream.transport.messages import takes_large
from textstream.transport.packets import MalformedPacketError
from textstream.transport.polls import REFUSAL
from textstream.transport.rate import Rate
from textstream.transport.shared import Shared

logger = logging.getLogger("textstream.transport")

UPGRADE_SECONDS = 0.05
"""How long a poll waits for an upgrade that is on its way, before it is told to come again.

The packet that completes the upgrade may have been sent before the poll, and is handled by another
thread. A client waits for its poll before it completes the upgrade, so it must not be long.
"""


class Session(HeartbeatSocket):
    """An Engine.IO session. Made of Engine.IO's own by `Sessions`."""

    shared: Shared
    """What all sessions of a server share. Set by `Sessions`, with the class."""

    visit: Visit | None = None
    """What it is counted for."""

    caller: Caller = NOBODY
    """Who has made it. Set by whoever knows."""

    cut_off = False
    """Whether it is about to be closed, for too much waits for its polls."""

    rate: Rate | None = None
    """Of its messages. Made with the first POST."""

    _polling = _posting = False  # guarded, as `cut_off`, by the flags' lock
    _upgrade_over: threading.Event | None = None

    @property
    def account(self) -> Account | None:
        """Whom the packets that wait for its polls count against, as `Kind.QUEUED`."""
        account: Account | None = self.queue.account
        return account

    @account.setter
    def account(self, account: Account | None) -> None:
        self.queue.charge(account)

    # What is sent: by `send`, but for the moments that follow it.

    def send(self, pkt: Packet) -> None:
        """Send a packet, or keep it for the next poll.

        A client for whose polls too much waits is closed, as one that reads its WebSocket too
        slowly. Not here: whoever sends may hold locks, and its disconnect handlers run.
        """
        queue = self.queue
        if queue.connection is not None and not (self.closed or self.last_ping or self._is_told):
            queue.put(pkt)  # nearly always: else it is asked whether the client still lives
            return
        super().send(pkt)
        waiting, most = self.queue.nbytes, self.shared.bounds.max_buffered
        if waiting > most and waiting - size_of(pkt) > most:  # one may be larger than all may be
            with self.shared.flags:
                first, self.cut_off = not self.cut_off, True
            if first:
                logger.warning(
                    "closed a reader that is too slow: %d bytes wait for its polls", waiting
                )
                self.queue.cut_off(Packet(CLOSE))
                self.close_soon(self.server.reason.TRANSPORT_ERROR)

    @property
    def _is_told(self) -> bool:
        """Whether Engine.IO is to log what is sent."""
        return bool(self.server.logger.isEnabledFor(logging.INFO))

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

        self.send = send  # type: ignore[assignment]

    @contextmanager
    def holding_back(self, namespace: str) -> Iterator[None]:
        """Let the answer to a CONNECT to `namespace` come before what its handler emits."""
        held_back = HeldBack(namespace, self.send)
        self.send = held_back.offer  # type: ignore[assignment]
        try:
            yield
        finally:
            held_back.release()
            del self.send

    # What is received.

    def take(self, encoded: str | bytes | Large) -> None:
        """Handle a packet as it came, over whichever transport.

        Raises:
            MalformedPacketError: it is none, or no client sends it; the session is to be closed.

        """
        if isinstance(encoded, str) and encoded[:1] == "4" and encoded[1:2].isdigit():
            # Nearly all there are. Engine.IO's Packet comes to the same by way of an exception.
            self._handle(encoded[1:])
        elif isinstance(encoded, Large):
            self._take_large(encoded)
        else:
            self.receive(decode(encoded))

    def _take_large(self, packet: Large) -> None:
        if packet.is_text and packet.head.startswith("4") and takes_large(self.server):
            self._handle(packet)
        else:
            self.take(packet.take())

    def receive(self, pkt: Packet) -> None:
        """Handle a packet.

        Raises:
            MalformedPacketError: no client sends it; the session is to be closed.

        """
        kind = pkt.packet_type
        if kind == MESSAGE:
            self._handle(pkt.data)
        elif kind == PONG:
            self.pong()
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
        if not self._posting and self.is_overdue():
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
                if self.is_overdue():
                    self.close(wait=False, reason=self.server.reason.PING_TIMEOUT)
                    raise MalformedPacketError("a heartbeat was not answered in time")
                self.hold(True)
                posts.receive(self, environ)
            except (ValueError, ContentTooLongError) as error:
                environ[REFUSAL] = self._fail(error)
                raise EngineIOError from error
            finally:
                if alone:
                    self.hold(False)

    def _fail(self, error: Exception) -> str:
        said = str(error) if isinstance(error, MalformedPacketError) else type(error).__name__
        if not self.closed and not self.cut_off:
            logger.warning("closed a session: malformed packet: %s", said)
        self.close(wait=False, reason=self.server.reason.TRANSPORT_ERROR)
        return said

    @contextmanager
    def _alone(self, flag: str) -> Iterator[bool]:
        """Tell whether no other request of this kind is being handled."""
        with self.shared.flags:
            alone = not getattr(self, flag)
            if alone:
                setattr(self, flag, True)
        try:
            yield alone
        finally:
            if alone:
                with self.shared.flags:
                    setattr(self, flag, False)

    def _bid_farewell(self) -> None:
        """Let the poll that waits end in peace, or the one that is on its way."""
        with self.shared.flags:
            waiting = self._polling
        if waiting:
            self.queue.put(Packet(NOOP))
        else:
            self.shared.farewells.expect(self.sid)

    # The end.

    def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """End the session. What nobody will fetch is let go of, and so is its id."""
        super().close(wait, abort, reason)
        if self.closed:  # a handler that is told of the end may close it again
            self.queue.let_go()
            self.server.sockets.pop(self.sid, None)

    def close_soon(self, reason: Any) -> None:
        """End the session in a worker. Any thread, any lock held."""
        self.shared.submit(lambda: self.close(wait=False, reason=reason))

    def turn_out(self) -> None:
        """End a session that has not connected in time, as a WebSocket is. Does not block."""
        if connection := self.queue.connection:
            connection.close(POLICY_VIOLATION, "No Socket.IO CONNECT")
        else:
            self.close_soon(self.server.reason.TRANSPORT_CLOSE)

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
