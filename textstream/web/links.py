"""The links to the app of a server that asks for its own token: what a browser can open."""

from __future__ import annotations

import socket
from contextlib import suppress
from urllib.parse import quote

from textstream.web.listening import WILDCARDS

LOOPBACK = "127.0.0.1"

_ROUTES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses elsewhere, which are nobody's (RFC 5737, RFC 3849): nothing is sent to them."""


def links(host: str, port: int, token: str) -> list[str]:
    """Return the links, the one that opens on other machines first.

    Args:
        host: that is listened on. Of each address of the machine: the one it has on the network,
            and loopback.
        port: the same.
        token: for whoever opens one. It is in the fragment, which browsers send to nobody.

    """
    hosts = [host]
    if host in WILDCARDS:
        own = _address_on_network(ipv6=host == "::")
        hosts = [own, LOOPBACK] if own else [LOOPBACK]
    at = (f"[{one}]" if ":" in one else one for one in hosts)
    return [f"http://{one}:{port}/app/#token={quote(token, safe='')}" for one in at]


def _address_on_network(*, ipv6: bool) -> str | None:
    """Return the address that the machine has for others; None: it has no network.

    By the routes that the system has. A name would be what people remember, and is often known to
    nobody else.
    """
    for family, elsewhere in _ROUTES[: 1 + ipv6]:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((elsewhere, 9))
            return str(asking.getsockname()[0])
    return None
