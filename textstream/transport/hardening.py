"""What clients could do to one python-socketio server in threading mode, and no longer can.

Nothing here is the process's: another server beside it stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from socketio.packet import Packet

from textstream.ids import session_ids
from textstream.threads import ThreadPool
from textstream.transport.admission import Admit
from textstream.transport.answers import harden_answers
from textstream.transport.bounds import Bounds, OnOversized
from textstream.transport.delay import Delay
from textstream.transport.direct import DirectOpening, Way
from textstream.transport.handed_poll import HandedPolls
from textstream.transport.handed_post import HandedPosts
from textstream.transport.handshake import Handshakes
from textstream.transport.http.express import Opening
from textstream.transport.manager import make_thread_safe
from textstream.transport.messages import Messages
from textstream.transport.packets import strict
from textstream.transport.parking import Parking
from textstream.transport.polls import OversizedPolls, StartResponse, ToldRefusals
from textstream.transport.quick import Direct, QuickHandlers
from textstream.transport.reactor import Reactor, Timer
from textstream.transport.requests import StrictRequests
from textstream.transport.session import Session
from textstream.transport.sessions import Sessions
from textstream.transport.shared import Shared
from textstream.transport.sockets import WithoutSockets
from textstream.transport.turns import Turns


class Host(Protocol):
    """What serves the sessions: the transport."""

    admit: Admit
    name: str
    bounds: Bounds
    turns: Turns
    quick: QuickHandlers
    parking: Parking
    handed_polls: HandedPolls
    opening: Opening

    @property
    def reactor(self) -> Reactor:
        """Calls back at set times."""
        ...

    @property
    def pool(self) -> ThreadPool:
        """Runs what may block."""
        ...

    def is_connected(self, session: Any) -> bool:
        """Return whether the session has completed a Socket.IO CONNECT in any namespace."""
        ...

    def take_over_at(
        self, way: Way, environ: dict[str, Any], session: Any, first: bytes = b""
    ) -> None:
        """Take over the WebSocket that comes on a way, and send it `first` before all else."""
        ...

    def turn_away(self, environ: dict[str, Any], start_response: StartResponse) -> Any:
        """Answer the request for a second WebSocket of a session. A WSGI application."""
        ...


def harden(server: Any, host: Host, on_oversized: OnOversized) -> None:
    """Harden `server`, python-socketio's, before anybody has connected.

    One that has nothing but Engine.IO's server has no packets of Socket.IO to look at.

    Args:
        server: it.
        host: has threads and timers, the bounds of what one client may cost, and who may come.
        on_oversized: told of a message that was dropped.

    """
    bounds = host.bounds
    make_thread_safe(server.manager)
    eio = server.eio
    eio.generate_id = session_ids(host.name)
    speaks_socket_io = hasattr(server, "packet_class")
    if speaks_socket_io:
        # Of another class of packets nobody knows what an event looks like.
        direct = Direct(server, host.quick) if server.packet_class is Packet else None
        server.packet_class = strict(server.packet_class, bounds.max_attachments)
        eio.on("message", Messages(server, bounds.max_plain, direct))
    # Around Engine.IO, and not around the application: whatever path and WSGI server lead here.
    served = OversizedPolls(
        WithoutSockets(Handshakes(ToldRefusals(eio.handle_request)), eio),
        limit=bounds.max_message,
        dropped=bounds.max_dropped,
        on_oversized=on_oversized,
    )

    def call_later(seconds: float, job: Callable[[], None]) -> Timer:
        return host.reactor.call_later(seconds, job)

    def turn_out(session: Session) -> None:
        if not session.closed and not host.is_connected(session):
            session.turn_out()

    # By way of `host`: it has other threads after a fork.
    shared = Shared(
        bounds,
        turns=host.turns,
        on_oversized=on_oversized,
        submit=lambda job: host.pool.submit(job),  # noqa: PLW0108
        call_later=call_later,
        hand_off=host.handed_polls.hand_off,
        newcomers=Delay(turn_out, call_later=call_later) if speaks_socket_io else None,
        pings=Delay(Session.ping, call_later=call_later),
    )
    strict_requests = StrictRequests(
        served,
        eio=eio,
        make=lambda: Sessions(shared),
        turn_away=host.turn_away,
        admit=host.admit,
        name=host.name,
        direct=DirectOpening(eio, host.take_over_at),
        parking=host.parking,
    )
    host.opening = strict_requests.open_at
    eio.handle_request = HandedPosts(strict_requests, host.handed_polls)
    harden_answers(eio)
