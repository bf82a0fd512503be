"""One client's Engine.IO session, as strict about its requests as the reference server.

Source: the Engine.IO protocol, revision 4, and what ``engine.io`` 6 does where it says nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engineio.exceptions import ContentTooLongError, EngineIOError
from engineio.packet import CLOSE, MESSAGE, NOOP, PING, PONG, Packet

from textstream.access.account import Account
from textstream.access.caller import NOBODY, Caller
from textstream.transport import posts
from textstream.transport.admission import Visit
from textstream.transport.engine_packets import decode, size_of
from textstream.transport.frames import POLICY_VIOLATION
from textstream.transport.held_back import HeldBack
from textstream.transport.large import Large
from textstream.transport.messages import takes_large
from textstream.transport.packets import MalformedPacketError
from textstream.transport.parked_post import ParkedPost
from textstream.transport.polling import PollingSocket
from textstream.transport.polls import REFUSAL
from textstream.transport.rate import Rate
from textstream.transport.sockets import socket_of
from textstream.transport.waits import PARKED, WAKE, TurnWait, Wait

logger = logging.getLogger("textstream.transport")


class Session(PollingSocket):
    """An Engine.IO session. Made of Engine.IO's own by `Sessions`."""

    visit: Visit | None = None
    """What it is counted for."""

    caller: Caller = NOBODY
    """Who has made it. Set by whoever knows."""

    cut_off = False
    """Whether it is about to be closed, for too much waits for its polls. As flags are guarded."""

    rate: Rate | None = None
    """Of its messages. Made with the first POST."""

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
        if self.queue.connection is not None and self.is_well:
            self.queue.put(pkt)  # nearly always
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
    def is_well(self) -> bool:
        """Whether it may be sent something without being asked whether its client still lives.

        Not either where Engine.IO is to log what is sent.
        """
        told = self.server.logger.isEnabledFor(logging.INFO)
        return not (self.closed or self.last_ping or told)

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

    # Requests. Polls are PollingSocket's.

    def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Handle the packets of a request, one after the other.

        Raises:
            EngineIOError: the session is closed; the answer is 400.

        """
        self.admitted(environ)
        steps = self.packets_of(environ)
        for wait in steps:
            if WAKE in environ and not (isinstance(wait, TurnWait) and socket_of(environ)):
                # What is returned then is answered to nobody: Engine.IO lets no exception through.
                # Not before its body is read, which nobody could then.
                environ[PARKED] = ParkedPost.going_on(self, environ, steps, wait)
                return
            wait.block()

    def packets_of(self, environ: dict[str, Any]) -> Iterator[Wait]:
        """Handle the packets of a request, one after the other; yield what it waits for.

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
                yield from posts.receive(self, environ)
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

    def turn_out(self, why: str = "No Socket.IO CONNECT") -> None:
        """End a session, by default one that has not connected in time. Does not block."""
        if connection := self.queue.connection:
            connection.close(POLICY_VIOLATION, why)
        else:
            self.close_soon(self.server.reason.TRANSPORT_CLOSE)
