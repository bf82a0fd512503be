"""The one token of a server that has neither users nor keys: whoever has it is its operator.

As Jupyter does it: made at start, shown once in a link, and asked of everybody.
"""

from __future__ import annotations

import hmac
import re
import secrets

from textstream.access.credentials import Credentials
from textstream.access.principal import Principal, user
from textstream.errors import Unauthorized

MIN_OWN_TOKEN = 16
"""Characters, at least: 64 bits, where they are random hex digits. Whoever guesses may go on: to
keep him from it would keep out all who share his address, and have the right one."""

NBYTES = 32
"""Random bytes of one that is made."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What may stand behind ``Bearer`` (RFC 6750, 2.1)."""

OPERATOR = user("operator")
"""Who has it. All but ``admin``: the link may be given to others, who are not to end their
streams for everybody. For that there are keys."""

WRONG = (
    "That is not this server's token. It is in the link that the server has printed at its start, "
    "or is what TEXTSTREAM_TOKEN was when it started."
)
MISSING = (
    "This server asks for its token. Open the link that it has printed at its start; or send the "
    "token, as auth {token} of Socket.IO or as the header Authorization: Bearer."
)
NOBODY = (
    "Without a token only this server's own machine is served, and this came from elsewhere or "
    "through a proxy. Whoever runs it: set TEXTSTREAM_TOKEN or TEXTSTREAM_AUTH_KEYS; or name the "
    "proxy in TEXTSTREAM_TRUSTED_PROXIES; or TEXTSTREAM_OPEN=true."
)


def make_token() -> str:
    """Return a new one, which may stand in an address."""
    return secrets.token_urlsafe(NBYTES)


def check_token(token: str) -> None:
    """Refuse what is too easy to guess, or cannot be sent.

    Raises:
        ValueError: says what is wrong with it, and never what it is.

    """
    cure = "make one with: openssl rand -hex 32"
    if len(token) < MIN_OWN_TOKEN:
        raise ValueError(f"it has {MIN_OWN_TOKEN} characters at least, not {len(token)}: {cure}")
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"it has letters, digits and - . _ ~ + / only, with = at its end: {cure}")


class OwnToken:
    """Knows that token; without one, nobody. Any thread."""

    blocking = False

    def __init__(self, token: str | None) -> None:
        self._token = token.encode() if token else None
        self.missing = NOBODY if token is None else MISSING

    def principal_of(self, credentials: Credentials) -> Principal:
        """Return the operator.

        Raises:
            Unauthorized: it is another token, or there is none that could be right.

        """
        if self._token is None:
            raise Unauthorized(NOBODY)
        # In constant time: how much of it is right must not be measured.
        shown = (credentials.token or "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(shown, self._token):
            raise Unauthorized(WRONG)
        return OPERATOR
