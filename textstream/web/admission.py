"""Lets connections in, and says in the log who is refused what."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any

from textstream.access.address import Proxies
from textstream.access.caller import Caller
from textstream.access.clients import Clients
from textstream.access.rates import Rate, Rates
from textstream.access.refusals import Refusals
from textstream.access.visits import Visit
from textstream.errors import RateLimited, TextStreamError, Unauthorized, UnknownStream
from textstream.transport.admission import VISIT, Refused
from textstream.web.watch import CONNECT, Watch

logger = logging.getLogger("textstream.access")


class Admission:
    """Knows whose a request is, and what is counted for it. Any thread."""

    def __init__(
        self,
        clients: Clients,
        proxies: Proxies,
        watch: Watch,
        *,
        wrong_ids: Rate = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Count on `clients` whoever comes, also through `proxies`.

        Args:
            clients: knows them.
            proxies: whose word on addresses counts.
            watch: sees who may not.
            wrong_ids: how many ids of no stream an address may ask for.
            clock: seconds, monotonic.

        """
        self._clients = clients
        self._proxies = proxies
        self._watch = watch
        self._wrong_ids = wrong_ids
        self._rates = Rates(clock)
        self._refusals = Refusals(clock)

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
            self._watch.refuse(CONNECT, Caller(address), error.to_wire())
            raise Refused(error.to_wire(), busy=error.scope == "server") from None

    def visit_of(self, environ: dict[str, Any]) -> tuple[Visit, bool]:
        """Return what is counted for a connection, and whether it was made for it just now.

        The transport has made it already, but in async modes that it does not serve.

        Raises:
            Refused: as `admit`.

        """
        visit = environ[VISIT] if VISIT in environ else None  # noqa: SIM401 (a call less)
        return (visit, False) if isinstance(visit, Visit) else (self.admit(environ), True)

    def address_of(self, environ: dict[str, Any]) -> str:
        """Return the address of whoever made a request."""
        return self._proxies.address_of(environ)

    def count_wrong_id(self, address: str, error: UnknownStream) -> TextStreamError:
        """Return what whoever has asked for no stream is told: `error`, or that it is too much.

        Right ids are answered in any case: they cannot be guessed, and many may share an address.
        """
        if wait := self._rates.take(self._wrong_ids, "ids", address):
            return RateLimited(
                "Your address asks for too many streams that are not there. "
                f"Wait {math.ceil(wait)} s, or start a new one.",
                retry_after=wait,
                scope="address",
            )
        return error

    def refuse(self, what: str, address: str, error: TextStreamError) -> None:
        """See an address refused what is no event, and `tell` of it."""
        self.tell(address, error)
        self._watch.refuse(what, Caller(address), error.to_wire())

    def tell(self, address: str, error: TextStreamError) -> None:
        """Say in the log that an address is refused something, once a minute, and how often.

        Not of a token that has just expired: nobody has done anything wrong.
        """
        if isinstance(error, Unauthorized) and error.reason:
            return
        if times := self._refusals.count(error.code, address):
            shown = {"address": address, "code": error.code, "times": times}
            logger.warning("refused: %s", error.message, extra=shown)

    def tell_of(self, environ: dict[str, Any], error: TextStreamError) -> None:
        """Say the same of whoever has made a request."""
        self.tell(self.address_of(environ), error)
