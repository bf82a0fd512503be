"""Origins of pages, compared as what they are: scheme, host and port (RFC 6454, section 5)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import idna

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_PORT = 65_535

AUTO = "auto"
"""In a list of origins: any, but for who comes from this machine and needs no token, its own."""

_AUTHORITY = r"(?P<host>\[[^\]]*\]|[^][/?#@:\s]+)(?::(?P<port>[0-9]*))?"
_ORIGIN = re.compile(rf"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://{_AUTHORITY}")
_HOST = re.compile(_AUTHORITY)
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True)
class Origin:
    """An origin in one spelling: in lower case, the name in Punycode, the port as a number."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read an origin, ``https://example.org:8443`` say.

        Args:
            text: as the header ``Origin`` has it, or a person writes it: in capitals, with the
                default port, in Unicode.

        Raises:
            ValueError: it is none; says what is wrong with it.

        """
        found = _ORIGIN.fullmatch(text)
        if found is None or (scheme := found["scheme"].lower()) not in DEFAULT_PORTS:
            raise ValueError(_explain(text))
        try:
            host, port = _host(found["host"]), _port(found["port"])
        except ValueError as error:
            raise ValueError(f'{error} in "{text}"') from None
        return cls(scheme, host, DEFAULT_PORTS[scheme] if port is None else port)

    def __str__(self) -> str:
        """Return it as browsers send it: without the default port."""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    def is_at(self, host: str) -> bool:
        """Return whether a page of this origin has come from here.

        The scheme cannot be compared: behind a proxy that ends TLS, the server does not see the
        one that the browser has. So any scheme's default port is that of this one.

        Args:
            host: the header ``Host`` of a request to this server.

        """
        try:
            name, port = host_and_port(host)
        except ValueError:
            return False
        if name != self.host:
            return False
        by_default = port is None or port in DEFAULT_PORTS.values()
        return port == self.port or (by_default and self.port == DEFAULT_PORTS[self.scheme])


def host_and_port(text: str) -> tuple[str, int | None]:
    """Read a host as the header ``Host`` has it; in its one spelling, and the port if there is one.

    Raises:
        ValueError: it is none; says what is wrong with it.

    """
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError(f'a host looks like "example.org", not "{text}"')
    return _host(found["host"]), _port(found["port"])


def _host(text: str) -> str:
    """Return a host in its one spelling; without the dot at the end of a name that has one.

    Raises:
        ValueError: it is neither a name nor an address.

    """
    if text.startswith("["):
        try:
            address = ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            raise ValueError(f"{text} is no IPv6 address") from None
        if address.scope_id is not None:
            raise ValueError(f"{text} has a zone, which no URL has")
        return f"[{address.compressed}]"
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode()
        except idna.IDNAError as error:
            raise ValueError(f"{text} is no host ({error})") from None
    name = text.lower().removesuffix(".")
    if "*" in name:
        raise ValueError("there is no wildcard for a part of a host: name each origin")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text} is no host")
    return name


def _port(text: str | None) -> int | None:
    """Return a port, None for the default.

    Raises:
        ValueError: it is out of range.

    """
    if not text:
        return None
    if len(text) > len(str(MAX_PORT)) or int(text) > MAX_PORT:
        raise ValueError(f"port {text} is out of range")
    return int(text)


def _explain(text: str) -> str:
    """Return why `text` is no origin."""
    if text == "null":
        return (
            '"null" is what all pages without an origin send, from files and sandboxed frames: '
            "serve them over HTTP and name that origin, or allow any with *"
        )
    if whole := _ORIGIN.match(text):
        if whole["scheme"].lower() not in DEFAULT_PORTS:
            return f'an origin begins with http:// or https://, not "{text}"'
        if whole.end() < len(text) and text[whole.end()] in "/?#":
            return f'an origin has no path: "{whole[0]}", not "{text}"'
    return f'an origin looks like "https://example.org", not "{text}"'
