"""What the server sees of a request: for people who bring up a proxy or a page elsewhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

MAX_HEADER = 256
"""Characters of a header that are repeated."""


def describe_request(environ: dict[str, Any]) -> dict[str, Any]:
    """Return how a request arrived.

    Returns:
        ``origin`` (of the page, None without one), ``host`` and ``scheme`` (as the server sees
        them), ``http`` (the version), and ``forwarded``: what proxies in front added, ``for``,
        ``proto`` and ``host``, each None if it is missing. Clients can write into these headers
        what they like; nothing is decided by them.

    """
    return {
        "origin": _header(environ, "HTTP_ORIGIN"),
        "host": _header(environ, "HTTP_HOST"),
        "scheme": environ.get("wsgi.url_scheme"),
        "http": environ.get("SERVER_PROTOCOL"),
        "forwarded": {
            "for": _header(environ, "HTTP_X_FORWARDED_FOR"),
            "proto": _header(environ, "HTTP_X_FORWARDED_PROTO"),
            "host": _header(environ, "HTTP_X_FORWARDED_HOST"),
        },
    }


def describe_connection(environ: dict[str, Any], transport: str) -> dict[str, Any]:
    """Return how a Socket.IO connection came to be.

    Args:
        environ: of its first request.
        transport: what it uses now, ``websocket`` or ``polling``.

    Returns:
        `describe_request`, and ``transport``, ``upgraded`` (whether it began with polling and
        went over to a WebSocket), ``engineio`` and ``socketio`` (versions of the protocols).

    """
    query = parse_qs(environ.get("QUERY_STRING", ""))
    began = query.get("transport", ["polling"])[0]
    version = query.get("EIO", [""])[0]
    return {
        "transport": transport,
        "upgraded": transport == "websocket" and began == "polling",
        "engineio": int(version) if version.isdecimal() else None,
        "socketio": 5,
        **describe_request(environ),
    }


def _header(environ: dict[str, Any], name: str) -> str | None:
    value = environ.get(name)
    return str(value)[:MAX_HEADER] if value else None
