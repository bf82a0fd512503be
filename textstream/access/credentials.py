"""What somebody shows who asks, and who checks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from textstream.access.principal import Principal


class Credentials(NamedTuple):
    """What came with a CONNECT, or with an HTTP request. An operator's callable is given it.

    Attributes:
        token: it, from Socket.IO's ``auth``, ``Authorization: Bearer``, or the cookie that is named
            in the settings; None: there is none.
        headers: of the HTTP request, by their names in lower case, as far as they are no cookie and
            no ``authorization``. Of a connection, that of its first.
        origin: of the page that asks; None: no page does.
        address: who asks, as in `access.caller.Caller`.

    """

    token: str | None = None
    headers: Mapping[str, str] = {}
    origin: str | None = None
    address: str = ""


class Checker(Protocol):
    """Says whose credentials are."""

    blocking: bool
    """Whether it may wait: then it is asked in no thread that serves others."""

    def principal_of(self, credentials: Credentials) -> Principal:
        """Return whose they are.

        Raises:
            Unauthorized: nobody's.
            RateLimited: it cannot be asked as often.

        """
        ...
