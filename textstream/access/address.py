"""Whose request it is: the address that shares are counted by, also behind proxies."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

logger = logging.getLogger("textstream.access")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"

MAX_HOPS = 32
"""Entries of ``X-Forwarded-For`` that are looked at, from the right: each may name a proxy."""

MAX_ENTRY = 64
"""Characters of one entry, at most: an IPv6 address in brackets, with a zone and a port."""

SITE_BITS = 64
"""Bits of an IPv6 address that name a site: whoever has one address has all in its /64
(RFC 4291, 2.5.4; RFC 6177)."""

LOCAL = ipaddress.IPv4Address("127.0.0.1")
"""Stands for whoever comes over a Unix socket, which has no address."""

REMEMBERED = 4096
"""Addresses whose reading is remembered; it takes 3 to 5 µs, and a client polls often."""

_WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


class Proxies:
    """The proxies whose word on their clients' addresses is believed. Any thread."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Trust whoever is in one of `networks`, as `parse_network` reads them.

        Raises:
            ValueError: one is no network; says what is wrong with it.

        """
        self._networks = tuple(parse_network(text) for text in networks)
        self._told = False

    def address_of(self, environ: Mapping[str, Any]) -> str:
        """Return the address of whoever made a request, as `counted` has it.

        It is the connection's peer. Where that is a trusted proxy, it is the rightmost entry of
        ``X-Forwarded-For`` that is none: each proxy appends who came to it, so all to the left of
        that may be made up. An entry that is no address ("unknown") ends the search: then it is
        the proxy that wrote it.

        Args:
            environ: of WSGI; several header lines are one there, joined by commas.

        """
        peer = str(environ.get("REMOTE_ADDR") or "")
        forwarded = environ.get(FORWARDED_FOR)
        if not forwarded:
            return counted(peer)
        found = _read(peer)
        if not self._trusts(found):
            self._tell(found)
            return counted(peer)
        for entry in reversed(forwarded.rsplit(",", MAX_HOPS)):
            said = _read_entry(entry)
            if said is None:
                break
            found = said
            if not self._trusts(found):
                break
        return _counted(found)

    def trusts(self, peer: str) -> bool:
        """Return whether a connection's peer is a trusted proxy."""
        return self._trusts(_read(peer))

    def _trusts(self, address: IPAddress) -> bool:
        return any(address in network for network in self._networks)

    def _tell(self, peer: IPAddress) -> None:
        """Say once that a proxy seems to be here that is not named. It is none on the internet."""
        if not self._told and (peer.is_loopback or peer.is_private):
            self._told = True
            logger.warning(
                "X-Forwarded-For came from %s, which is no trusted proxy: all its clients share "
                "one address. Name it in TEXTSTREAM_TRUSTED_PROXIES",
                peer,
            )


def parse_network(text: str) -> IPNetwork:
    """Read a network, ``10.0.0.0/8`` or ``fd00::/8`` say, or one address.

    One of IPv4 addresses mapped to IPv6 (RFC 4291, 2.5.5.2) is one of IPv4.

    Raises:
        ValueError: it is none; says what is wrong with it.

    """
    named = re.sub(r"%[^/]*", "", text.strip())
    try:
        network = ipaddress.ip_network(named, strict=False)
    except ValueError:
        raise ValueError(
            'a proxy is named by its address or its network, "10.0.0.5", "10.0.0.0/8" or "::1", '
            f'not "{text}"'
        ) from None
    if ipaddress.ip_interface(named).ip != network.network_address:
        raise ValueError(
            f'"{text}" is an address in a network: name the network, "{network}", or the address '
            "without a slash"
        )
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:  # noqa: PLR2004 (where IPv4 begins)
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


@lru_cache(REMEMBERED)
def counted(peer: str) -> str:
    """Return what shares are counted by for a connection's peer.

    An IPv4 address, also of one mapped to IPv6; the /64 of an IPv6 address, ``2001:db8:1:2::/64``,
    without a zone; ``::1`` as it is. What is no address is a socket's of this machine, as WSGI
    servers write it in ways of their own ("", "<local>", "localhost"): ``127.0.0.1``.

    Args:
        peer: as the system, or a WSGI server's ``REMOTE_ADDR``, has it.

    """
    return _counted(_read(peer))


@lru_cache(REMEMBERED)
def is_loopback(address: str) -> bool:
    """Return whether an address, as `counted` has it or as a peer's, is this machine's own."""
    return not address.endswith("/64") and _read(address).is_loopback


def _counted(address: IPAddress) -> str:
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return str(address)
    return str(ipaddress.IPv6Network((int(address), SITE_BITS), strict=False))


@lru_cache(REMEMBERED)
def _read(peer: str) -> IPAddress:
    return parse_address(peer) or LOCAL


def _read_entry(entry: str) -> IPAddress | None:
    """Return the address in an entry of the header; None where there is none.

    With a port, in brackets, in quotation marks: proxies write it in all these ways.
    """
    text = entry.strip(' \t"')
    found = _WITH_PORT.fullmatch(text) if len(text) <= MAX_ENTRY else None
    return parse_address(found[1] or found[2] or "" if found else text)


def parse_address(text: str) -> IPAddress | None:
    """Return an IP address without its zone, IPv4 where it is mapped; None where it is none."""
    return _parsed(text) if len(text) <= MAX_ENTRY else None


@lru_cache(1_024)  # of one peer it is asked for several times, each time 7 µs
def _parsed(text: str) -> IPAddress | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
