"""What the messages of a connection mean to its Engine.IO session."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from typing import Any

from engineio import packet
from engineio.exceptions import SocketIsClosedError

from textstream.transport.assembler import Message
from textstream.transport.connection import Connection
from textstream.transport.frames import NORMAL, POLICY_VIOLATION, message_frame
from textstream.transport.large import Large, Oversized
from textstream.transport.messages import Messages
from textstream.transport.packets import MalformedPacketError
from textstream.transport.reactor import Reactor

logger = logging.getLogger("textstream.transport")


class Peer:
    """One client. Its methods run in order: in the pool, but for `at_once` and `watch_upgrade`."""

    __slots__ = (
        "__weakref__",
        "_eio",
        "_failed",
        "_refuse",
        "_session",
        "connection",
    )

    connection: Connection

    def __init__(
        self,
        session: Any,
        *,
        eio: Any,
        refuse: Callable[[Any, Oversized], None],
    ) -> None:
        """Serve an Engine.IO session.

        Args:
            session: Engine.IO's ``Socket``.
            eio: its server.
            refuse: answers a message that was dropped.

        """
        self._session = session
        self._eio = eio
        self._refuse = refuse
        self._failed = False  # whether the connection is closed for what it sent

    def watch_upgrade(self, reactor: Reactor, seconds: float) -> None:
        """Close the connection if no upgrade is completed in time."""
        known = weakref.ref(self)  # the timer must not keep what has gone

        def check() -> None:
            peer = known()
            if peer and not peer._session.upgraded:
                # Nobody else would ever close it: the session lives, and goes on polling.
                peer._session.abandon_upgrade()
                peer.connection.close(POLICY_VIOLATION, "No upgrade")

        reactor.call_later(seconds, check)

    def on_message(self, message: Message) -> None:
        """Handle a message."""
        if self._failed:
            return  # came with what was wrong; a burst of it is one mistake
        if isinstance(message, Oversized):
            self._refuse(self._session, message)
        elif not self._session.upgraded:
            self._upgrade(message)
        else:
            self._receive(message)

    def at_once(self, message: Message | None) -> bool:
        """Handle a message, or None, the end, in the reactor's thread; return whether it did."""
        session, messages = self._session, self._eio.handlers.get("message")
        if self._failed or not session.upgraded or not isinstance(messages, Messages):
            return False
        if message is None:
            quick = messages.may_leave(session.sid)
            if quick:
                self.on_close()
            return quick
        if message == "3":
            session.pong()
            return True
        if not isinstance(message, str) or message[:1] != "4":
            return False
        try:
            return messages.take_at_once(session.sid, message[1:])
        except MalformedPacketError as error:
            self._fail(f"malformed packet: {error}")
        except Exception:  # as Engine.IO does
            self._eio.logger.exception("message handler error")
        return True

    def on_close(self) -> None:
        """Tell Engine.IO that the connection is gone."""
        if self._session.upgraded:
            self._session.close(wait=False, abort=True, reason=self._eio.reason.TRANSPORT_CLOSE)
            self._eio.sockets.pop(self._session.sid, None)
        else:
            self._session.abandon_upgrade()

    def _receive(self, message: str | bytes | Large) -> None:
        try:
            self._session.take(message)
        except SocketIsClosedError:
            self.connection.close(NORMAL)
        except MalformedPacketError as error:
            self._fail(f"malformed packet: {error}")

    def _upgrade(self, message: str | bytes | Large) -> None:
        """Take the two steps of an upgrade from polling: probe, and upgrade."""
        if message == "2probe":
            self.connection.write(message_frame("3probe"))
            self._session.queue.put(packet.Packet(packet.NOOP))  # ends the poll that waits
        elif message == "5":
            self._session.complete_upgrade(self.connection)
        else:
            self._fail("failed upgrade")

    def _fail(self, reason: str) -> None:
        self._failed = True
        logger.warning("closed a connection: %s", reason)
        self.connection.close(POLICY_VIOLATION, reason)
