"""Socket.IO packets that cannot make the server keep what it should not."""

from __future__ import annotations

from typing import Any

from socketio.packet import Packet

MAX_ATTACHMENTS = 4
"""Binary attachments that a client's event may have. Nothing in our protocol has any."""


class BoundedPacket(Packet):
    """A packet that waits for few attachments.

    Stock, a client may announce ten thousand million and send them one by one: python-socketio
    keeps all until the last has come. Each may be as large as a message.
    """

    def decode(self, encoded_packet: Any) -> int:
        """Decode a packet; return how many attachments follow it.

        Raises:
            ValueError: it is malformed, or announces more than `MAX_ATTACHMENTS`.

        """
        count: int = super().decode(encoded_packet)
        if count > MAX_ATTACHMENTS:
            raise ValueError(f"{count} attachments, at most {MAX_ATTACHMENTS} are allowed")
        return count
