"""Socket.IO packets that cannot make the server keep what it should not."""

from __future__ import annotations

from typing import Any

from socketio.packet import Packet


def bounded(packet_class: type[Packet], max_attachments: int) -> type[Packet]:
    """Return a packet class like `packet_class` that waits for few attachments.

    Stock, a client may announce ten thousand million and send them one by one: python-socketio
    keeps all until the last has come. Each may be as large as a message.
    """

    class BoundedPacket(packet_class):
        def decode(self, encoded_packet: Any) -> int:
            """Decode a packet; return how many attachments follow it.

            Raises:
                ValueError: it is malformed, or announces too many.

            """
            # None: of a class whose packets have none, as MessagePack's.
            count: int = super().decode(encoded_packet) or 0
            if count > max_attachments:
                raise ValueError(f"{count} attachments, at most {max_attachments} are allowed")
            return count

    return BoundedPacket
