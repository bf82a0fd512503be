"""Socket.IO packets, taken as strictly as the reference server takes them.

Source: the Socket.IO protocol, revision 5, and what ``socket.io-parser`` 4.2 refuses. Whatever is
refused here ends the connection: who sends it speaks another protocol, or means harm.

But for one: ``NaN`` and ``Infinity``, which JSON has not (RFC 8259, 6), are taken. Python's clients
send them, and two Pythons understand each other.
"""

from __future__ import annotations

import re
from typing import Any

from socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    Packet,
)

from textstream.transport.large import Large
from textstream.transport.measure import HEAD

RESERVED_EVENTS = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names of events that no client may send: handlers believe them to come from the server."""

_HEAD = re.compile(r"(?:[0-4](?![0-9]+-)|[56][1-9][0-9]{0,8}-)(?:/[^,]*(?:,|$))?[0-9]*(?!\d)")
"""Type, attachments where they belong, namespace, id. In ASCII: ``int("٤")`` is 4 as well."""

_WRONG = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What decoders raise for bytes that are no packet; the last for JSON that is nested too deep."""


class MalformedPacketError(ValueError):
    """A packet that no client of this protocol sends, or not at this moment."""


def strict(packet_class: type[Packet], max_attachments: int) -> type[Packet]:
    """Return a packet class like `packet_class` that takes nothing malformed.

    Nor many attachments: stock, a client may announce ten thousand million and send them one by
    one, and python-socketio keeps all until the last has come. Of a class with an encoding of its
    own, MessagePack's for one, only errors are made `MalformedPacketError`.
    """

    class StrictPacket(packet_class):
        def decode(self, encoded_packet: Any) -> int:
            """Decode a packet; return how many attachments follow it.

            Of a `Large` its head and its data are decoded one after the other: without a copy for
            each part that is cut off its front.

            Raises:
                MalformedPacketError: it is malformed, or announces too many.

            """
            large = encoded_packet if isinstance(encoded_packet, Large) else None
            text = _head_of(large) if large else encoded_packet
            try:
                # None: of a class whose packets have none.
                count: int = super().decode(text) or 0
                if large:
                    self.data = self.json.loads(large.take(1 + len(text.encode())))
            except _WRONG as error:
                raise MalformedPacketError("no Socket.IO packet") from error
            if self.uses_binary_events:
                _check_text(self, text, more=large is not None)
            else:
                _check_fields(self)
            if count > max_attachments:
                raise MalformedPacketError(f"{count} attachments, at most {max_attachments}")
            return count

        def add_attachment(self, attachment: Any) -> bool:
            """Add an attachment; return whether it was the last.

            Raises:
                MalformedPacketError: a text came instead, or a placeholder asks for another.

            """
            if not isinstance(attachment, bytes):
                raise MalformedPacketError("text, where an attachment is due")
            try:
                return bool(super().add_attachment(attachment))
            except _WRONG as error:
                raise MalformedPacketError("illegal attachments") from error

        data_is_binary = staticmethod(has_bytes)

        @classmethod
        def reconstruct_binary(cls, data: Any, attachments: list[bytes]) -> Any:
            """Return `data` with attachments for placeholders."""
            _check_placeholders(data, len(attachments))
            return super().reconstruct_binary(data, attachments)

    return StrictPacket


def has_bytes(data: Any) -> bool:
    """Return whether there are bytes in JSON-like `data`.

    In one call, where python-socketio has one for each value: a tenth of what an answer costs.
    """
    todo = [[data]]
    while todo:
        one: Any = todo.pop()
        for value in one.values() if isinstance(one, dict) else one:
            if isinstance(value, (bytes, bytearray)):
                return True
            if isinstance(value, (dict, list, tuple)):
                todo.append(value)  # type: ignore[arg-type]
    return False


def _check_fields(packet: Packet) -> None:
    """Check a packet of another encoding, which may have anything for a field."""
    kind, namespace, number = packet.packet_type, packet.namespace, getattr(packet, "id", None)
    if type(kind) is not int or not isinstance(namespace, str | None):
        raise MalformedPacketError("no Socket.IO packet")
    if not isinstance(number, int | None) or not _is_payload_valid(
        kind, packet.data, given=packet.data is not None
    ):
        raise MalformedPacketError("invalid payload")


def _head_of(large: Large) -> str:
    """Return what comes before the data of a packet, Engine.IO's type aside."""
    head = _HEAD.match(large.head, 1)
    if head is None or head.end() >= HEAD:
        raise MalformedPacketError("unknown packet type, or illegal attachments")
    return head[0]


def _check_text(packet: Packet, text: str, *, more: bool) -> None:
    head = _HEAD.match(text)
    if head is None:
        raise MalformedPacketError("unknown packet type, or illegal attachments")
    given = more or head.end() < len(text)
    if not _is_payload_valid(packet.packet_type, packet.data, given=given):
        raise MalformedPacketError("invalid payload")


def _is_payload_valid(kind: int, data: Any, *, given: bool) -> bool:
    if kind in (EVENT, BINARY_EVENT):
        if not isinstance(data, list) or not data:
            return False
        name = data[0]
        known = isinstance(name, str) and name not in RESERVED_EVENTS
        return known or type(name) in (int, float)
    if kind == CONNECT:
        return isinstance(data, dict) if given else True
    if kind == DISCONNECT:
        return not given
    # CONNECT_ERROR a client must not send at all, see `Messages`.
    return kind == CONNECT_ERROR or (kind in (ACK, BINARY_ACK) and isinstance(data, list))


def _check_placeholders(data: Any, count: int) -> None:
    if isinstance(data, list):
        for item in data:
            _check_placeholders(item, count)
    elif isinstance(data, dict):
        number = data.get("num")
        if not data.get("_placeholder") or "num" not in data:
            for item in data.values():
                _check_placeholders(item, count)
        elif type(number) is not int or not 0 <= number < count:
            raise MalformedPacketError("illegal attachments")
