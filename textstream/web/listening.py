"""Whom the server asks who they are, by where it listens; and what is not for it at all."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from textstream.access.address import Proxies
from textstream.access.nearby import Nearby, is_loopback_host
from textstream.errors import Forbidden
from textstream.settings import Settings
from textstream.transport.answers import HARDENED
from textstream.transport.http.listener import UNIX
from textstream.web.prefix import WSGIApp

logger = logging.getLogger("textstream.server")

WILDCARDS = {"0.0.0.0", "::", ""}  # noqa: S104 (they are told apart, not listened on)
"""Every address of the machine; no name of it."""


class Whom(Enum):
    """Whom the server asks who they are."""

    EVERYBODY = auto()
    ELSEWHERE = auto()
    """Who does not come from this machine."""
    NOBODY = auto()


def whom_to_ask(settings: Settings, host: str | None) -> Whom:
    """Return whom to ask.

    Args:
        settings: they may say it.
        host: what is listened on; None: nobody knows, as under gunicorn. Then each request says by
            its peer where it comes from.

    """
    if settings.open:
        return Whom.NOBODY
    if settings.knows_somebody:
        return Whom.EVERYBODY
    if host is None or host.startswith(UNIX) or is_loopback_host(host):
        return Whom.ELSEWHERE
    return Whom.EVERYBODY


def needs_own_token(settings: Settings, host: str) -> bool:
    """Return whether a token has to be made, or nobody could come in."""
    return whom_to_ask(settings, host) is Whom.EVERYBODY and not settings.knows_somebody


def tell_whom(settings: Settings, whom: Whom) -> None:
    """Say in the log, at each start, who may use the server without a token, where that is much."""
    if whom is Whom.NOBODY:
        logger.warning(
            "open: whoever reaches this server may use it, and nobody is asked for a token "
            "(TEXTSTREAM_OPEN)"
        )
    elif settings.token is not None:
        logger.info("everybody is asked for the token of this server")
    elif whom is Whom.ELSEWHERE and settings.trusted_proxies:
        logger.warning(
            "whoever comes through a proxy in TEXTSTREAM_TRUSTED_PROXIES may use this server: set "
            "TEXTSTREAM_TOKEN or TEXTSTREAM_AUTH_KEYS to have them asked for a token, or "
            "TEXTSTREAM_OPEN to say that it is meant"
        )


def nearby_of(settings: Settings, host: str | None, proxies: Proxies) -> Nearby:
    """Return what tells where requests come from; `host` as in `whom_to_ask`."""
    names = list(settings.hosts)
    if host is not None and host not in WILDCARDS and not host.startswith(UNIX):
        names.append(host.lower().rstrip("."))
    everybody = whom_to_ask(settings, host) is Whom.EVERYBODY
    # An operator's callable may go by an address, and this machine's is any page's.
    return Nearby(proxies, names, lax=everybody and settings.authorize is None)


class KnownHosts:
    """Has nothing served under a name that is not the server's."""

    def __init__(self, nearby: Nearby, tell: Callable[[dict[str, Any], Forbidden], None]) -> None:
        """Refuse by what `nearby` knows; `tell` the log of it."""
        self._nearby = nearby
        self._tell = tell
        self.right = nearby.right
        """``Host`` as it came, where it was right; there may be more."""

    def around(self, app: WSGIApp) -> WSGIApp:
        """Return `app` for those whose requests are for this server."""

        def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if "HTTP_HOST" in environ and environ["HTTP_HOST"] not in self.right:
                refused = self.refuse(environ, start_response)
                if refused is not None:
                    return refused
            return app(environ, start_response)

        return checked

    def refuse(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> list[bytes] | None:
        """Answer a request that is not for this server; None: it is."""
        why = self._nearby.find_fault(environ)
        if not why:
            return None
        error = Forbidden(why)
        self._tell(environ, error)
        kind, body = "application/json", json.dumps(error.to_wire())
        if "text/html" in environ.get("HTTP_ACCEPT", ""):
            kind, body = "text/plain; charset=utf-8", f"{why}\n"
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            # It says nothing but why: also to a page of the server's that is hosted elsewhere.
            ("Access-Control-Allow-Origin", "*"),
            *HARDENED,
        ]
        status = HTTPStatus.MISDIRECTED_REQUEST  # RFC 9110, 15.5.20
        start_response(f"{status.value} {status.phrase}", headers)
        return [body.encode()]
