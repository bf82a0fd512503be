"""Socket.IO's part of a message: whose packet it is, and whether it may come now."""

from __future__ import annotations

from typing import Any

from socketio.packet import BINARY_EVENT, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT

from textstream.transport.large import Large
from textstream.transport.packets import MalformedPacketError
from textstream.transport.quick import Direct

INVALID_NAMESPACE = {"message": "Invalid namespace"}
"""What the reference server answers to a CONNECT to a namespace that nobody serves."""


class Messages:
    """Engine.IO's handler of messages, in place of python-socketio's own.

    The same dispatch, but that what the reference server ends a connection for raises
    `MalformedPacketError`: an event before CONNECT, a second CONNECT, a packet of the wrong kind.
    Stock, some of it is answered with silence, some with a traceback.
    """

    def __init__(
        self, server: Any, max_attached: int | None = None, direct: Direct | None = None
    ) -> None:
        """Serve `server`, python-socketio's.

        Args:
            server: it.
            max_attached: bytes of the attachments of an event, which are kept until the last has
                come; None: any.
            direct: the short way of some events; None: there is none.

        """
        self._server = server
        self._max_attached = max_attached
        self._direct = direct

    @property
    def takes_large(self) -> bool:
        """Whether packets are texts, and a large one may come as a `Large`."""
        return bool(self._server.packet_class.uses_binary_events)

    def __call__(self, eio_sid: str, data: Any) -> None:
        """Handle a message. Called for one after the other of the same client.

        Args:
            eio_sid: the client's Engine.IO session id.
            data: what followed the type of Engine.IO's packet; or a `Large`, whole.

        Raises:
            MalformedPacketError: the connection is to be closed.

        """
        direct = self._direct
        if direct and type(data) is str and (call := direct.find(eio_sid, data)):
            direct.run(call)
            return
        incomplete = self._server._binary_packet
        packet = incomplete.get(eio_sid)
        if packet is None:
            packet = self._decode(data)
        elif not self._attach(packet, data):
            return
        else:
            del incomplete[eio_sid]
            packet.attachment_count = 0
        kind = packet.packet_type
        if kind == CONNECT:
            self._connect(eio_sid, packet)
            return
        namespace = packet.namespace or "/"
        if self._server.manager.sid_from_eio_sid(eio_sid, namespace) is None:
            raise MalformedPacketError(f"not connected to {_shown(namespace)}")
        if packet.attachment_count:
            incomplete[eio_sid] = packet
        elif kind in (EVENT, BINARY_EVENT):
            self._server._handle_event(eio_sid, packet.namespace, packet.id, packet.data)
        else:
            self._handle_other(eio_sid, packet)

    def take_at_once(self, eio_sid: str, text: str) -> bool:
        """Handle a message in the reactor's thread, if that is quick; return whether it was.

        Raises:
            MalformedPacketError: the connection is to be closed.

        """
        direct = self._direct
        if direct is None:
            return False
        kind = text[:1]
        if kind == "2" and (call := direct.find(eio_sid, text)):
            quick = call.is_quick
            if quick:
                direct.run(call, at_once=True)
            return quick
        if kind == "0" and direct.may_connect(text):
            if not direct.connect(eio_sid, text):
                self(eio_sid, text)
            return True
        if text == "1" and direct.may_leave(eio_sid):
            self(eio_sid, text)
            return True
        return False

    def may_leave(self, eio_sid: str) -> bool:
        """Return whether those who hear of the end of a session are quick."""
        return self._direct is not None and self._direct.may_leave(eio_sid)

    def _attach(self, packet: Any, data: Any) -> bool:
        """Add an attachment to an event; return whether it is complete."""
        most = self._max_attached
        if most is not None and sum(map(len, (*packet.attachments, data))) > most:
            raise MalformedPacketError(f"attachments of more than {most} bytes")
        complete: bool = packet.add_attachment(data)
        return complete

    def _decode(self, data: Any) -> Any:
        make = self._server.packet_class
        # Engine.IO hands out JSON that it could decode, which no Socket.IO packet is.
        if not data or not isinstance(data, str | bytes | Large):
            raise MalformedPacketError("no Socket.IO packet")
        if make.uses_binary_events and isinstance(data, bytes):
            raise MalformedPacketError("binary data, where no attachment is due")
        return make(encoded_packet=data)

    def _handle_other(self, eio_sid: str, packet: Any) -> None:
        server = self._server
        if packet.packet_type == DISCONNECT:
            server._handle_disconnect(eio_sid, packet.namespace, server.reason.CLIENT_DISCONNECT)
        elif packet.packet_type == CONNECT_ERROR:
            raise MalformedPacketError("CONNECT_ERROR from a client")
        else:
            server._handle_ack(eio_sid, packet.namespace, packet.id, packet.data)

    def _connect(self, eio_sid: str, packet: Any) -> None:
        server, namespace = self._server, packet.namespace or "/"
        if server.manager.sid_from_eio_sid(eio_sid, namespace) is not None:
            raise MalformedPacketError(f"a second CONNECT to {_shown(namespace)}")
        session = server.eio.sockets.get(eio_sid)
        if session is None:
            return  # closed meanwhile
        if not self._is_served(namespace):
            refusal = server.packet_class(
                CONNECT_ERROR, data=INVALID_NAMESPACE, namespace=packet.namespace
            )
            server._send_packet(eio_sid, refusal)
            return
        direct = self._direct
        with session.holding_back(namespace):
            if direct and direct.may_let_in(namespace) and direct.let_in(eio_sid, packet.data):
                return
            server._handle_connect(eio_sid, packet.namespace, packet.data)

    def _is_served(self, namespace: str) -> bool:
        server = self._server
        return (
            server.namespaces == "*"
            or namespace in server.namespaces
            or namespace in server.handlers
            or namespace in server.namespace_handlers
        )


def takes_large(eio: Any) -> bool:
    """Return whether what handles the messages of an Engine.IO server takes a `Large` text."""
    handler = eio.handlers.get("message")
    return isinstance(handler, Messages) and handler.takes_large


def _shown(namespace: str) -> str:
    """Return a client's word as the log and a close frame may have it: short, and on one line."""
    return ascii(namespace)[1:-1][:64]
