"""What clients could do to one python-socketio server in threading mode, and no longer can.

Nothing here is the process's: another server beside it stays as it is.
"""

from __future__ import annotations

from typing import Any

from textstream.transport.admission import Admit
from textstream.transport.bounds import Bounds, OnOversized
from textstream.transport.handshake import Handshakes
from textstream.transport.manager import make_thread_safe
from textstream.transport.messages import Messages
from textstream.transport.packets import strict
from textstream.transport.polls import OversizedPolls, WsgiApp
from textstream.transport.requests import StrictRequests
from textstream.transport.sockets import WithoutSockets


def harden(
    server: Any, bounds: Bounds, on_oversized: OnOversized, *, turn_away: WsgiApp, admit: Admit
) -> None:
    """Harden `server`, python-socketio's, before anybody has connected.

    One that has nothing but Engine.IO's server has no packets of Socket.IO to look at.

    Args:
        server: it.
        bounds: what one client may cost.
        on_oversized: told of a body that was dropped.
        turn_away: answers the request for a second WebSocket of a session.
        admit: lets a session in, or not.

    """
    make_thread_safe(server.manager)
    eio = server.eio
    if hasattr(server, "packet_class"):
        server.packet_class = strict(server.packet_class, bounds.max_attachments)
        eio.on("message", Messages(server))
    # Around Engine.IO, and not around the application: whatever path and WSGI server lead here.
    served = OversizedPolls(
        WithoutSockets(Handshakes(eio.handle_request), eio),
        limit=bounds.max_message,
        dropped=bounds.max_dropped,
        on_oversized=on_oversized,
    )
    eio.handle_request = StrictRequests(
        served, eio=eio, max_packets=bounds.max_packets, turn_away=turn_away, admit=admit
    )
