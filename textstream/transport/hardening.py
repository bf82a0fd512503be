"""What clients could do to one python-socketio server in threading mode, and no longer can.

Nothing here is the process's: another server beside it stays as it is.
"""

from __future__ import annotations

from typing import Any

from textstream.transport.bounds import Bounds, OnOversized
from textstream.transport.manager import make_thread_safe
from textstream.transport.packets import bounded
from textstream.transport.polls import (
    ClosedSessions,
    HalfUpgrades,
    OversizedPolls,
    accept_packets,
)


def harden(server: Any, bounds: Bounds, on_oversized: OnOversized) -> None:
    """Harden `server`, python-socketio's, before anybody has connected."""
    make_thread_safe(server.manager)
    server.packet_class = bounded(server.packet_class, bounds.max_attachments)
    eio = server.eio
    accept_packets(eio, bounds.max_packets)
    # Around Engine.IO, and not around the application: whatever path and WSGI server lead here.
    eio.handle_request = OversizedPolls(
        HalfUpgrades(ClosedSessions(eio.handle_request, eio)),
        limit=bounds.max_message,
        dropped=bounds.max_dropped,
        on_oversized=on_oversized,
    )
