"""Who may use the lab, and who hears whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textstream.access.nearby import FORWARDED, is_loopback_host

AddressOf = Callable[[dict[str, Any]], str]


def _peer_of(environ: dict[str, Any]) -> str:
    return str(environ.get("REMOTE_ADDR", ""))


class Audience:
    """Whom the lab is for, by the setting and by where the server listens.

    ``auto``: whoever connects to a server that listens on loopback only. Where nobody says on what
    it listens (gunicorn, an app in another program) it is each request's peer that must be on
    loopback, and no proxy. ``on``: everybody, and each address hears itself only. ``public``:
    everybody hears everybody. ``off``: nobody.
    """

    def __init__(
        self, mode: str, host: str | None = None, *, address_of: AddressOf = _peer_of
    ) -> None:
        """Tell whom the lab is for.

        Args:
            mode: ``auto``, ``on``, ``public`` or ``off``.
            host: name or address that the server listens on; None where it is not known.
            address_of: tells whose a request is, by its environ.

        """
        self.address_of = address_of
        self.public = mode == "public"
        self._by_peer = mode == "auto" and host is None
        self.anybody = mode != "off" and (mode != "auto" or host is None or is_loopback_host(host))

    def admits(self, environ: dict[str, Any]) -> bool:
        """Return whether whoever has made this request may use the lab."""
        if not self._by_peer:
            return self.anybody
        forwarded = any(environ.get(name) for name in FORWARDED)
        return not forwarded and is_loopback_host(environ.get("REMOTE_ADDR", ""))

    def group(self, environ: dict[str, Any]) -> str:
        """Return what those have in common who hear one another."""
        return "" if self.public else self.address_of(environ)
