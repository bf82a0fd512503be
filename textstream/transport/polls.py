"""Polling requests that Engine.IO would refuse without need: those that are too large.

A WSGI middleware around Engine.IO alone: it sees its requests only, wherever it is mounted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from engineio.packet import NOOP

from textstream.transport.bounds import Limit, OnOversized

_CHUNK = 65_536

_NOOP = str(NOOP).encode()
"""A body that means nothing. An empty one is malformed."""

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class OversizedPolls:
    """WSGI middleware: takes a polling body over the limit away before Engine.IO sees it.

    Engine.IO alone would end the session. A body of more than `dropped` bytes is left to it.
    """

    def __init__(
        self, app: WsgiApp, *, limit: int, dropped: int, on_oversized: OnOversized
    ) -> None:
        self._app = app
        self._limit = limit
        self._dropped = dropped
        self._on_oversized = on_oversized

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        size = _content_length(environ)
        if self._limit < size <= self._dropped and environ["REQUEST_METHOD"] == "POST":
            head = environ["wsgi.input"].read(1024)
            _discard(environ["wsgi.input"], size - len(head))
            self._on_oversized(_sid(environ), head.decode("utf-8", "replace"), size, Limit.MESSAGE)
            environ = {**environ, "CONTENT_LENGTH": "1", "wsgi.input": io.BytesIO(_NOOP)}
        return self._app(environ, start_response)


def _sid(environ: dict[str, Any]) -> str:
    sid: str = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [""])[0]
    return sid


def _content_length(environ: dict[str, Any]) -> int:
    value = environ.get("CONTENT_LENGTH") or "0"
    return int(value) if value.isdigit() else 0


def _discard(body: Any, count: int) -> None:
    while count > 0:
        read = len(body.read(min(count, _CHUNK)))
        if not read:
            return
        count -= read
