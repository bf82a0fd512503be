"""Which requests this machine's own programs and browsers make, straight to the server.

Where nobody is asked for a token, that is what counts. A page in a browser on this machine may be
anybody's: by DNS rebinding it has a name of its own that leads here, and asks as if it were ours.
It cannot say another name than its own in ``Host``, nor another port than the one it has come to.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from enum import Enum, auto
from typing import Any

from textstream.access.address import FORWARDED_FOR, Proxies, counted, is_loopback, parse_address
from textstream.origins import DEFAULT_PORTS, host_and_port

FORWARDED = (FORWARDED_FOR, "HTTP_FORWARDED", "HTTP_X_REAL_IP")
"""What proxies say of whom they ask for. Its presence means that the peer is not who asks."""

ANY = "*"

REMEMBERED = 64
"""Spellings of ``Host`` that are remembered as right. There are few; more are looked at anew."""

MAX_SHOWN = 100
"""Characters of a ``Host`` that are repeated."""

_HERE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1", ""})
"""Peers as WSGI servers write them, of nearly all requests that come from here; "": over a Unix
socket. The others of loopback are found by `is_loopback`."""

_HTTP_PORTS = frozenset(DEFAULT_PORTS.values())

_LOCAL_NAME = re.compile(r"(.*\.)?localhost")  # RFC 6761, 6.3


class Place(Enum):
    """Where a request comes from."""

    HERE = auto()
    """This machine, or a proxy here that is trusted."""
    ELSEWHERE = auto()
    """Another machine, or nobody knows: a proxy that is not named has brought it."""
    FOREIGN_PAGE = auto()
    """A browser that has come to this server by a name which is not the server's."""


def is_loopback_host(host: str) -> bool:
    """Return whether a name or an address to listen on, or in ``Host``, is this machine's own."""
    if _LOCAL_NAME.fullmatch(host.lower().rstrip(".")):
        return True
    address = parse_address(host.strip("[]"))
    return address is not None and address.is_loopback


class Nearby:
    """Tells where requests come from. Any thread."""

    def __init__(self, proxies: Proxies, names: Iterable[str] = (), *, lax: bool = False) -> None:
        """Know the server's names.

        Args:
            proxies: that are trusted. One on this machine answers for whom it lets through.
            names: hosts that the server is asked for by, beside those of loopback and the
                machine's own name; ``*``: any.
            lax: whether any name will do, for everybody has a token to show: a page that has come
                by a wrong one has none, which is kept for the right one's pages alone.

        """
        named = set(names)
        self._proxies = proxies
        self._any = lax or ANY in named
        self._names = frozenset({*named, socket.gethostname().lower()})
        self.right: set[str] = set()
        """``Host`` as it came, where it was right: who has it needs no closer look."""

    def is_elsewhere(self, environ: dict[str, Any]) -> bool:
        """Return whether a request needs a token, where those from here need none.

        Args:
            environ: its WSGI environment.

        """
        if (  # without a call: it is asked for each connection
            "HTTP_HOST" in environ
            and environ["HTTP_HOST"] in self.right
            and "REMOTE_ADDR" in environ
            and environ["REMOTE_ADDR"] in _HERE
            and FORWARDED[0] not in environ
            and FORWARDED[1] not in environ
            and FORWARDED[2] not in environ
        ):
            return False
        return self.place_of(environ) is not Place.HERE

    def is_visitor(self, environ: dict[str, Any]) -> bool:
        """Return whether a browser on this machine may have made a request, and no proxy has.

        What it may do any page may do that is open in it. A page cannot have it say that it came
        through a proxy: for a header of its own the browser asks beforehand, without that header.
        """
        peer = str(environ.get("REMOTE_ADDR") or "")
        if parse_address(peer) is None or _is_forwarded(environ):
            return False  # over a Unix socket no browser comes
        return self.place_of(environ) is not Place.ELSEWHERE

    def find_fault(self, environ: dict[str, Any]) -> str:
        """Return why a request is not for this server, with the cure; "": it is."""
        if self.place_of(environ) is not Place.FOREIGN_PAGE:
            return ""
        shown = ascii(environ["HTTP_HOST"])[1:-1][:MAX_SHOWN]
        return (
            f'"{shown}" is no name of this server that it knows: a page of somebody else\'s may '
            "stand behind it. Ask for localhost or 127.0.0.1, or have the name added to "
            "TEXTSTREAM_HOSTS (--hosts)."
        )

    def place_of(self, environ: dict[str, Any]) -> Place:
        """Return where a request comes from."""
        peer = str(environ.get("REMOTE_ADDR") or "")
        known = self._is_known(environ.get("HTTP_HOST"))
        if not is_loopback(counted(peer)):
            return Place.ELSEWHERE
        trusted = self._proxies.trusts(peer)
        forwarded = _is_forwarded(environ)
        if not known and _is_direct(environ, peer, proxied=trusted or forwarded):
            return Place.FOREIGN_PAGE
        return Place.HERE if trusted or (known and not forwarded) else Place.ELSEWHERE

    def _is_known(self, host: str | None) -> bool:
        """Return whether ``Host`` names this server; without one it does: no browser asks so."""
        if not host or host in self.right:
            return True
        try:
            name, _ = host_and_port(host)
        except ValueError:
            return False
        if not (self._any or name in self._names or is_loopback_host(name)):
            return False
        if len(self.right) < REMEMBERED:
            self.right.add(host)
        return True


def _is_forwarded(environ: dict[str, Any]) -> bool:
    """Return whether a proxy says that it has brought a request."""
    return any(environ.get(name) for name in FORWARDED)


def _is_direct(environ: dict[str, Any], peer: str, *, proxied: bool) -> bool:
    """Return whether a browser may have sent a ``Host``, and no proxy.

    A browser says the port that it has come to: ours. What a proxy passes on has the proxy's, most
    often none at all. Over a Unix socket no browser comes.
    """
    if parse_address(peer) is None:
        return False
    try:
        _, port = host_and_port(environ["HTTP_HOST"])
    except ValueError:
        return True
    port = port or DEFAULT_PORTS["http"]
    return str(port) == environ.get("SERVER_PORT") or not (proxied or port in _HTTP_PORTS)
