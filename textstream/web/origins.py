"""Which pages may use the server: one policy, for Socket.IO and for plain HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from flask import Flask, Response, request
from flask_cors import cross_origin

from textstream.access.nearby import ANY, is_loopback_host
from textstream.origins import AUTO, Origin

logger = logging.getLogger("textstream.server")

MAX_NAMED = 100
"""Refused origins that the log names, each once. Whoever makes them up shall not fill it."""

TOLD = "textstream.origin_refused"
"""Where in a request's environ is noted that it was refused for its origin."""

LONGEST = 512
"""Characters of an origin. A host has 253 at most (RFC 1035, section 3.1)."""

MAX_SHOWN = 256
"""Characters of a header that the log repeats."""

CURE = (
    "a page's origin is refused. Name it in --cors-origins (TEXTSTREAM_CORS_ORIGINS); if the page "
    "is this server's own, let the proxy pass the browser's Host on"
)
NO_ORIGIN = (
    "a page without an origin is refused. It is from a file or in a sandboxed frame: serve it over "
    "HTTP and name that origin in --cors-origins (TEXTSTREAM_CORS_ORIGINS)"
)


class OriginPolicy:
    """Whether pages of an origin may use the server. Its own may always.

    What is decided by: the request's headers ``Origin`` and ``Host``, and ``Sec-Fetch-Site``, which
    no page can write (Fetch Metadata, W3C). Not ``X-Forwarded-…``, which any client can, and no
    proxy need remove.
    """

    def __init__(
        self,
        allowed: Iterable[str],
        on_refused: Callable[[dict[str, Any], str], object] = lambda *_: None,
        *,
        is_visitor: Callable[[dict[str, Any]], bool] = lambda _: False,
    ) -> None:
        """Allow these origins; ``*`` is any.

        Args:
            allowed: they. With ``auto`` any is, but for visitors, those of this machine are.
            on_refused: called once for each request that is refused, with its WSGI environment
                and the origin as it may be shown.
            is_visitor: tells, of a request's environ, whether any page that is open in a browser
                of this machine may have made it, and is asked for no token.

        """
        names = set(allowed)
        self.any = ANY in names
        self._auto = AUTO in names
        self._is_visitor = is_visitor
        self._allowed = {Origin.parse(name) for name in names - {ANY, AUTO}}
        self._on_refused = on_refused
        self._named: set[str] = set()

    def allows(self, origin: str | None, environ: dict[str, Any]) -> bool:
        """Return whether a request may be answered.

        Args:
            origin: its header ``Origin``; None where no page has made it.
            environ: its WSGI environment.

        """
        if not origin or self.any or (self._auto and not self._is_visitor(environ)):
            return True
        if environ.get("HTTP_SEC_FETCH_SITE") == "same-origin":
            return True  # also where a proxy has put a Host of its own
        page = _page(origin) if len(origin) <= LONGEST else None
        if page is None:
            return False
        if page in self._allowed or page.is_at(environ.get("HTTP_HOST", "")):
            return True
        return self._auto and is_loopback_host(page.host)

    def admits(self, origin: str | None, environ: dict[str, Any]) -> bool:
        """Return the same, and say in the log what was refused, and the cure: Engine.IO asks."""
        if self.allows(origin, environ):
            return True
        shown = _shown(origin)
        if not environ.get(TOLD):  # it is asked for once more, for the headers of the answer
            environ[TOLD] = True
            self._on_refused(environ, shown)
        if shown not in self._named and len(self._named) < MAX_NAMED:
            self._named.add(shown)
            host = _shown(environ.get("HTTP_HOST"))
            text = NO_ORIGIN if origin == "null" else CURE
            logger.warning(text, extra={"origin": shown, "host": host})
        return False

    def send_headers(self, app: Flask) -> None:
        """Let the answers of `app` say what the policy says, to pages (CORS)."""
        allow: Any = cross_origin(
            origins="*",
            supports_credentials=False,
            always_send=self.any or self._auto,
            automatic_options=False,
        )

        @allow
        def allowed(response: Response) -> Response:
            return response

        @app.after_request
        def say(response: Response) -> Response:
            if not self.any:
                response.vary.add("Origin")
            if self.allows(request.headers.get("Origin"), request.environ):
                response = allowed(response)
            return response


@lru_cache(1_024)  # browsers of a page all send the same
def _page(origin: str) -> Origin | None:
    try:
        return Origin.parse(origin)
    except ValueError:
        return None


def _shown(header: str | None) -> str:
    return ascii(header or "")[1:-1][:MAX_SHOWN]
