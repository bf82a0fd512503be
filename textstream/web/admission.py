"""Lets connections in, and says in the log who is refused what."""

from __future__ import annotations

import logging
from typing import Any

from textstream.access.address import Proxies
from textstream.access.clients import Clients
from textstream.access.refusals import Refusals
from textstream.access.visits import Visit
from textstream.errors import RateLimited, TextStreamError, Unauthorized
from textstream.transport.admission import VISIT, Refused

logger = logging.getLogger("textstream.access")


class Admission:
    """Knows whose a request is, and what is counted for it. Any thread."""

    def __init__(self, clients: Clients, proxies: Proxies) -> None:
        """Count on `clients` whoever comes, also through `proxies`."""
        self._clients = clients
        self._proxies = proxies
        self._refusals = Refusals()

    def admit(self, environ: dict[str, Any]) -> Visit:
        """Let a session in: the transport asks, at its first request.

        Raises:
            Refused: its address has too many connections, or all have.

        """
        address = self._proxies.address_of(environ)
        try:
            return self._clients.enter(address)
        except RateLimited as error:
            self.tell(address, error)
            raise Refused(error.to_wire(), busy=error.scope == "server") from None

    def visit_of(self, environ: dict[str, Any]) -> tuple[Visit, bool]:
        """Return what is counted for a connection, and whether it was made for it just now.

        The transport has made it already, but in async modes that it does not serve.

        Raises:
            Refused: as `admit`.

        """
        visit = environ.get(VISIT)
        return (visit, False) if isinstance(visit, Visit) else (self.admit(environ), True)

    def address_of(self, environ: dict[str, Any]) -> str:
        """Return the address of whoever made a request."""
        return self._proxies.address_of(environ)

    def tell(self, address: str, error: TextStreamError) -> None:
        """Say in the log that an address is refused something, once a minute, and how often.

        Not of a token that has just expired: nobody has done anything wrong.
        """
        if isinstance(error, Unauthorized) and error.reason:
            return
        if times := self._refusals.count(error.code, address):
            shown = {"address": address, "code": error.code, "times": times}
            logger.warning("refused: %s", error.message, extra=shown)
