"""WebSockets in threading mode without a thread each, on a server that stands rough clients.

::

    socketio = SocketIO(app, async_mode="threading")
    textstream.transport.install(socketio)

After the handshake a WebSocket is handed from the WSGI server's thread to one reactor thread.
All of Flask-SocketIO's API goes on working. See ``docs/transport.md``.
"""

from __future__ import annotations

from typing import Any

from textstream.transport.admission import Admit, admit_all
from textstream.transport.bounds import Bounds, Limit, OnOversized, Parts
from textstream.transport.driver import MAX_WORKERS, Transport

__all__ = ["Bounds", "Limit", "Parts", "Transport", "install"]


def install(
    socketio: Any,
    *,
    bounds: Bounds | None = None,
    on_oversized: OnOversized | None = None,
    admit: Admit = admit_all,
    workers: int = MAX_WORKERS,
    name: str = "",
) -> Transport | None:
    """Give `socketio`, a Flask-SocketIO or python-socketio server, our transport, and harden it.

    The rule: once for each server, before anybody connects. ``SocketIO(app)`` and ``init_app`` make
    a server each. Where a ``SocketIO()`` has none yet, what it is to get waits for its next
    ``init_app``. Handlers may be registered before or after. Nothing of the process is changed,
    only this server: python-socketio's own client manager, the packet class, and how Engine.IO
    serves requests, on whatever path. Other client managers (Redis, say) stay as they are.

    Args:
        socketio: a server; in another async mode than ``threading`` nothing is changed.
        bounds: what one connection may cost; by default messages of the server's
            ``max_http_buffer_size``.
        on_oversized: called for a text message that is over a limit, and was dropped; by default
            that is logged.
        admit: lets in who opens a session, or raises `admission.Refused`; by default everybody.
        workers: threads that run event handlers, at most.
        name: of this server, where several are behind one address: session ids begin with it, so
            that a proxy can send each poll to the server that has its session.

    Returns:
        The transport, to be closed with the server; None where it cannot be used. Its ``quick``
        takes handlers that may run in the reactor's thread (`quick.QuickHandlers`).

    """
    transport = Transport(
        bounds=bounds, on_oversized=on_oversized, admit=admit, workers=workers, name=name
    )
    server = getattr(socketio, "server", socketio)
    if server is None:
        _serve_later(socketio, transport)
        return transport
    return transport if transport.serve(server) else None


def _serve_later(socketio: Any, transport: Transport) -> None:
    """Let `transport` serve what the next ``init_app`` makes."""
    init_app = socketio.init_app

    def init_and_serve(*args: Any, **options: Any) -> None:
        socketio.init_app = init_app
        init_app(*args, **options)
        transport.serve(socketio.server)

    socketio.init_app = init_and_serve
