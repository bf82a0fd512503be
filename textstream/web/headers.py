"""The headers that every answer has: one place for all of them.

Sources: Content Security Policy 3 (W3C), the Fetch standard for ``nosniff``, RFC 9111 for caching,
the HTML standard for ``Cross-Origin-Opener-Policy``.
"""

from __future__ import annotations

from flask import Flask, Response, request

from textstream.transport.answers import NO_STORE, NOSNIFF

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    # The server may be any: the build, the address or the reader names it.
    "connect-src 'self' http: https: ws: wss:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    # Else a page of somebody's else could lay ours under its own, and have it clicked.
    "frame-ancestors 'none'",
)
CONTENT_POLICY = "; ".join(_POLICY)
"""What a page may load, run and ask, and who may frame it: nobody. The app has the same within its
page, but for the last, which a page cannot say of itself."""

EVERY = (
    NOSNIFF,
    # An address may hold what is nobody else's business: the stream that is watched, a grant.
    ("Referrer-Policy", "no-referrer"),
)
"""For every answer of Flask's."""

PAGE = (
    ("Content-Security-Policy", CONTENT_POLICY),
    # A page that has opened ours has no hold on its window.
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""For documents."""

API = "/api/"
ADMIN = "/admin/"
UNKEPT = (API, ADMIN)
"""Below them nothing is kept by anybody: they say what is so now, and to whom."""


def send_headers(app: Flask) -> None:
    """Have each answer of `app` carry them; what a view has set itself stays."""

    @app.after_request
    def say(response: Response) -> Response:
        headers = [*EVERY, *(PAGE if response.mimetype == "text/html" else ())]
        if request.path.startswith(UNKEPT):
            headers.append(NO_STORE)
        for name, value in headers:
            response.headers.setdefault(name, value)
        return response
