"""What the operator's own programs ask for: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as WerkzeugResponse

from textstream.access.address import counted, is_loopback, parse_address
from textstream.access.nearby import FORWARDED
from textstream.errors import Forbidden
from textstream.transport.foreign import has_siblings
from textstream.web.metrics import metrics_app
from textstream.web.readiness import lack_of
from textstream.web.request_kinds import HEALTH, METRICS, READY
from textstream.web.server import Server

RETRY_AFTER = 5
"""Seconds after which one that was told "not ready" may ask again."""

HERE_ONLY = (
    "Figures are for this machine only here, and not through a proxy. Ask 127.0.0.1 from the "
    "machine itself, or give them an address of their own: --metrics :9100 (TEXTSTREAM_METRICS)."
)
ELSEWHERE = "Figures have an address of their own here: the one that --metrics names."
NOWHERE = "Figures are off here: --metrics off (TEXTSTREAM_METRICS)."
SEVERAL = (
    "Several workers serve this address, each with figures of its own: here are now one's, "
    "now another's. Give them addresses: TEXTSTREAM_METRICS=:9100 is 9100 for the first, 9101 for "
    "the next."
)

AnyResponse = TypeVar("AnyResponse", bound=WerkzeugResponse)

Closed = Callable[[dict[str, Any]], str | None]
"""Told the WSGI environment of a request: why it is refused; None: it is not."""


def open_to_all(_environ: dict[str, Any]) -> None:
    """Refuse nobody: whoever comes to an address that is for figures only may have them."""


def closed_on(where: str, is_admin: Callable[[dict[str, Any]], bool] = lambda _: False) -> Closed:
    """Return who is refused figures at the address that is everybody's.

    Args:
        where: the setting ``metrics``.
        is_admin: whether who makes a request has shown a token with the scope ``admin``: such may
            have them from anywhere.

    """
    if where:
        why = NOWHERE if where == "off" else ELSEWHERE
        return lambda _environ: why

    def closed(environ: dict[str, Any]) -> str | None:
        why = _not_from_here(environ)
        return why if why == SEVERAL or (why and not is_admin(environ)) else None

    return closed


def _not_from_here(environ: dict[str, Any]) -> str | None:
    """Refuse all but this machine's own programs.

    Whoever comes through a proxy is refused, also where the proxy is trusted: what it says of its
    client may be the client's own word. So is a page, by its ``Origin`` and by the ``Host`` that a
    rebinding name has: a browser on this machine reads for the whole web. A proxy on this machine
    that says nothing of its client looks like this machine itself: docs/operations.md.
    """
    if has_siblings(environ):
        return SEVERAL
    foreign = (
        not is_loopback(counted(str(environ.get("REMOTE_ADDR") or "")))
        or any(environ.get(name) for name in FORWARDED)
        or environ.get("HTTP_ORIGIN")
        or not _is_this_machine(environ.get("HTTP_HOST", ""))
    )
    return HERE_ONLY if foreign else None


def _is_this_machine(host: str) -> bool:
    """Return whether a ``Host`` is a name of this machine for itself; none is (HTTP/1.0)."""
    if not host:
        return True
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    address = parse_address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def operator_pages(server: Server, closed: Closed) -> Blueprint:
    """Return the routes of `server`; figures are for whom `closed` does not refuse."""
    blueprint = Blueprint("operators", __name__)
    figures = metrics_app(server)

    @blueprint.get(HEALTH)
    def health() -> Response:
        if server.node is None:
            return _fresh(jsonify(status="ok"))
        # 200 all the same: what is here is served, and a balancer would send everybody away.
        return _fresh(jsonify(status="ok", store="up" if server.node.link.up else "down"))

    @blueprint.get(READY)
    def ready() -> Response:
        lack = lack_of(server)
        if lack is None:
            return _fresh(jsonify(status="ready"))
        response = _fresh(jsonify(status="not_ready", reason=lack))
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response

    @blueprint.get(METRICS)
    def metrics() -> WerkzeugResponse:
        why = closed(request.environ)
        if why:
            response = jsonify(Forbidden(why).to_wire())
            response.status_code = 403
            return _fresh(response)
        # Whatever lies before it; and of a HEAD Flask leaves out what there is to read.
        asked = {**request.environ, "PATH_INFO": METRICS, "REQUEST_METHOD": "GET"}
        return _fresh(Response.from_app(figures, asked, buffered=True))

    return blueprint


def _fresh(response: AnyResponse) -> AnyResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
