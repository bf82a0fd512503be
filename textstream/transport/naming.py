"""Session ids that tell which of several servers has the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def name_sessions(server: Any, name: str) -> None:
    """Let ids of sessions, and of the clients in them, begin with a name and a dot.

    A proxy can send each request of a session to the server that has it then, without cookies:
    not every client has those.

    Args:
        server: python-socketio's, before anybody has connected.
        name: of this server; no other behind the same proxy may have it.

    """
    eio = server.eio
    new: Callable[[], str] = eio.generate_id
    eio.generate_id = lambda: f"{name}.{new()}"
