"""Who somebody is: told apart from everybody else, whatever the connection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MIN_CLIENT_KEY = 16
"""Characters of a client's key, at least: nobody is to guess it, as a UUID is not guessed."""

MAX_CLIENT_KEY = 128
"""The same, at most."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks, as the edge knows it.

    Attributes:
        id: what tells it from others; "" for one that nothing is known of, not even whether it is
            the same on its next connection.
        scopes: what it may, as its token has it; None: that says nothing of it.
        expires: until when, in seconds since 1970; None: for ever.

    """

    id: str = ""
    scopes: frozenset[str] | None = None
    expires: float | None = None

    @property
    def known(self) -> bool:
        """Whether it is somebody, and not just anybody."""
        return bool(self.id)


ANYBODY = Principal()
"""Who has shown nothing: each connection of it is on its own."""


def principal_of(auth: object) -> Principal:
    """Return who a client is by what it says at CONNECT, in Socket.IO's ``auth``.

    ``client_key`` is a secret that it has made up. It says that two connections are the same
    client's, and no more: it opens nothing that the client has not begun. What cannot be one counts
    for nothing, as in stock: other servers that the client speaks to may want other things there.

    Only its hash is kept: who sees the server's memory, or a log, cannot be that client.
    """
    key = auth.get("client_key") if isinstance(auth, dict) else None
    if not isinstance(key, str) or not MIN_CLIENT_KEY <= len(key) <= MAX_CLIENT_KEY:
        return ANYBODY
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return Principal(f"client:{digest[:32]}")
