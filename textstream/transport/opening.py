"""The opening of a WebSocket, in the WSGI server's thread: handshake, or refusal, and leaving."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Any

import simple_websocket
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import ProtocolError

from textstream.transport.answers import HARDENED
from textstream.transport.sockets import socket_of

# UnicodeError: wsproto decodes Host as a name in IDNA.
HANDSHAKE_ERRORS = (ProtocolError, simple_websocket.ConnectionError, UnicodeError)
"""What `shake_hands` raises."""


def plain_socket_of(environ: dict[str, Any]) -> socket.socket | None:
    """Return the socket of a request; None where it cannot be handed off, as one over TLS."""
    raw = socket_of(environ)
    return None if isinstance(raw, ssl.SSLSocket) else raw


def shake_hands(environ: dict[str, Any]) -> simple_websocket.Server:
    """Complete the opening handshake; one of `HANDSHAKE_ERRORS` is raised if it is none."""
    # Without the client's offer of permessage-deflate: a bomb of 400 kB would make 800 MB, and a
    # frame could not be encoded once for all readers.
    offered = {k: v for k, v in environ.items() if k != "HTTP_SEC_WEBSOCKET_EXTENSIONS"}
    return simple_websocket.Server(offered, thread_class=_NoThread)


def close_again(shaken: simple_websocket.Server) -> None:
    """Say on a WebSocket that was not handed off that there is no room for it now."""
    with suppress(OSError):
        shaken.close(CloseReason.TRY_AGAIN_LATER)


def leave(shaken: simple_websocket.Server) -> Any:
    """Leave the WSGI server's thread as that server expects it, without an answer."""
    _leave(is_gunicorn=shaken.mode == "gunicorn")


def leave_thread(environ: dict[str, Any]) -> Any:
    """Leave the WSGI server's thread so, by its request."""
    _leave(is_gunicorn="gunicorn.socket" in environ)


def _leave(*, is_gunicorn: bool) -> Any:
    raise StopIteration if is_gunicorn else ConnectionError


def refuse(start_response: Any, why: str) -> list[bytes]:
    """Answer a handshake that is none."""
    start_response("400 BAD REQUEST", [("Content-Type", "text/plain"), *HARDENED])
    return [why.encode()]


class _NoThread:
    """Keeps simple-websocket from reading: after the handshake the reactor does."""

    def __init__(self, target: Any) -> None:  # noqa: ARG002 (as a thread's)
        self.name = ""

    def start(self) -> None:
        """Do nothing."""
