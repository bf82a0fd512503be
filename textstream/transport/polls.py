"""Polling requests that Engine.IO would refuse without need, or without a word.

WSGI middlewares around Engine.IO alone: they see its requests only, wherever it is mounted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from engineio.packet import NOOP

from textstream.transport.answers import Answer, refusal
from textstream.transport.bounds import Limit, OnOversized

CHUNK = 65_536
"""Bytes of a body that are read at a time."""

_NOOP = str(NOOP).encode()
"""A body that means nothing. An empty one is malformed."""

REFUSAL = "textstream.refusal"
"""Where a session leaves in a POST's environment why it is refused: a sentence."""

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
        size = content_length(environ)
        if self._limit < size <= self._dropped and environ["REQUEST_METHOD"] == "POST":
            head = environ["wsgi.input"].read(1024)
            _discard(environ["wsgi.input"], size - len(head))
            self._on_oversized(_sid(environ), head.decode("utf-8", "replace"), size, Limit.MESSAGE)
            environ = {**environ, "CONTENT_LENGTH": "1", "wsgi.input": io.BytesIO(_NOOP)}
        return self._app(environ, start_response)


class ToldRefusals:
    """WSGI middleware: tells a client whose POST is refused why, where its session has said so.

    Engine.IO alone would answer ``"Bad Request"``. The session ends with it.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        if environ["REQUEST_METHOD"] != "POST":
            return self._app(environ, start_response)
        begun: list[Any] = []
        body = self._app(environ, lambda *answer: begun.append(answer))
        [(status, headers, *more)] = begun
        if why := environ.get(REFUSAL):
            told = refusal(Answer.BAD_REQUEST, why)
            body, said = [told["response"]], dict(told["headers"])
            headers = [*said.items(), *(one for one in headers if one[0] not in said)]
        start_response(status, headers, *more)
        return body


def _sid(environ: dict[str, Any]) -> str:
    sid: str = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [""])[0]
    return sid


def content_length(environ: dict[str, Any]) -> int:
    """Return the length that a request says its body has; of none that is one, 0."""
    value = environ.get("CONTENT_LENGTH") or "0"
    return int(value) if value.isdecimal() else 0


def _discard(body: Any, count: int) -> None:
    while count > 0:
        read = len(body.read(min(count, CHUNK)))
        if not read:
            return
        count -= read
