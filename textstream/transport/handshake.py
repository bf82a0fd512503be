"""What a WebSocket's opening handshake must have, and how one that lacks it is refused.

RFC 6455, 4.2.1, and RFC 9112, 3.2. Engine.IO looks at ``Upgrade`` alone and wsproto at whether the
other fields are there. Before both: no session is made for a handshake that is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

from textstream.transport.answers import HARDENED
from textstream.transport.polls import StartResponse, WsgiApp
from textstream.transport.sockets import DOOR, SOCKET_KEYS

VERSION = "13"

_KEY_FIELD = "HTTP_SEC_WEBSOCKET_KEY"
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
"""16 bytes in base64 (RFC 4648, 4)."""

_WHITE_SPACE = " \t\r\n"
"""Around a field's value it is no part of it (RFC 9110, 5.5); Werkzeug leaves what is behind."""


class Refusal(NamedTuple):
    """The answer to a handshake that is none."""

    status: HTTPStatus
    cure: str


class Handshakes:
    """WSGI middleware: refuses what asks for a WebSocket in a wrong way, and says what is wrong.

    What it lets through has ``websocket`` as its one ``Upgrade``, and no white space around fields.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        if not is_handshake(environ):
            return self._app(environ, start_response)
        fields = {k: v.strip(_WHITE_SPACE) for k, v in environ.items() if k.startswith("HTTP_")}
        environ = {**environ, **fields, "HTTP_UPGRADE": "websocket"}
        refusal = find_fault(environ)
        if refusal is None:
            return self._app(environ, start_response)
        return _refuse(refusal, environ, start_response)


def find_fault(environ: dict[str, Any]) -> Refusal | None:
    """Return how a request that asks for a WebSocket is to be refused; None: it is in order."""
    cure = _http_fault(environ)
    version = environ.get("HTTP_SEC_WEBSOCKET_VERSION")
    if not cure and version == VERSION and _KEY.fullmatch(environ.get(_KEY_FIELD, "")):
        return None  # nearly always
    if not cure and version != VERSION:
        what = f"is {version[:20]!r}" if version else "is missing"
        cure = f"Sec-WebSocket-Version {what}. Send it once, as {VERSION} (RFC 6455)."
        return Refusal(HTTPStatus.UPGRADE_REQUIRED, cure)
    cure = cure or _key_fault(environ.get(_KEY_FIELD, ""))
    return Refusal(HTTPStatus.BAD_REQUEST, cure) if cure else None


def _http_fault(environ: dict[str, Any]) -> str:
    if environ.get("SERVER_PROTOCOL") in {"HTTP/0.9", "HTTP/1.0"}:
        return (
            "A WebSocket begins with a request of HTTP/1.1, this one is of HTTP/1.0. A proxy in "
            "between must be told to speak HTTP/1.1 to this server (nginx: proxy_http_version 1.1)."
        )
    if "HTTP_HOST" not in environ:
        return "Host is missing. Send it once."
    if "," in environ["HTTP_HOST"]:
        return "There is more than one Host. Send it once."
    return ""


def _key_fault(key: str) -> str:
    if not key:
        return "Sec-WebSocket-Key is missing. Send 16 random bytes in base64."
    if "," in key:
        return "There is more than one Sec-WebSocket-Key. Send it once."
    return "Sec-WebSocket-Key is no 16 bytes in base64. Send 24 characters that end in ==."


def is_handshake(environ: dict[str, Any]) -> bool:
    """Return whether a request asks for a WebSocket: with both fields (RFC 9110, 7.8)."""
    if "HTTP_UPGRADE" not in environ or environ["REQUEST_METHOD"] != "GET":
        return False
    if environ["HTTP_UPGRADE"] == "websocket" and environ.get("HTTP_CONNECTION") == "Upgrade":
        return True  # as nearly all say it
    return "websocket" in _tokens(environ, "HTTP_UPGRADE") and "upgrade" in _tokens(
        environ, "HTTP_CONNECTION"
    )


def is_half_upgrade(environ: dict[str, Any]) -> bool:
    """Return whether it has ``Upgrade: websocket`` without ``Connection: Upgrade``.

    Engine.IO takes it for a WebSocket, then for a poll, and hands the packets to the WSGI server
    as they are: a traceback, 500, and a session of nobody's.
    """
    return environ.get("HTTP_UPGRADE", "").lower() == "websocket" and "upgrade" not in _tokens(
        environ, "HTTP_CONNECTION"
    )


def _tokens(environ: dict[str, Any], field: str) -> list[str]:
    return [token.strip(_WHITE_SPACE) for token in environ.get(field, "").lower().split(",")]


def _refuse(
    refusal: Refusal, environ: dict[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    body = f"No WebSocket: {refusal.cure}\n".encode()
    # With its length, so that a connection that is kept alive goes on with the next request.
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        *HARDENED,
    ]
    status = refusal.status
    if status == HTTPStatus.UPGRADE_REQUIRED:
        headers.append(("Sec-WebSocket-Version", VERSION))  # RFC 6455, 4.4
        # Others may raise: to a WSGI application these fields are forbidden (PEP 3333).
        if any(key in environ for key in (DOOR, *SOCKET_KEYS)):
            headers += [("Upgrade", "websocket"), ("Connection", "Upgrade")]  # RFC 9110, 15.5.22
        else:
            status = HTTPStatus.BAD_REQUEST  # which needs no Upgrade
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
