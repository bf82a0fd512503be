"""Who somebody is: told apart from everybody else, whatever the connection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from textstream.access.quotas import Claim

Scope = Literal["start", "read", "control", "share", "admin"]
"""What somebody may: start streams, and of those that are its own read them (resume, describe),
change them for others (stop), let others read them; ``admin``: all of it, with all streams."""

MIN_CLIENT_KEY = 16
"""Characters of a client's key, at least: nobody is to guess it, as a UUID is not guessed."""

MAX_CLIENT_KEY = 128
"""The same, at most."""

MAX_SUBJECT = 128
"""The longest name of a user, in characters."""

LEEWAY = 10.0
"""Seconds by which the clock of whoever makes tokens may differ from the server's."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks, as the edge knows it.

    Attributes:
        id: what tells it from others; "" for one that nothing is known of, not even whether it is
            the same on its next connection.
        scopes: what it may: each a `Scope`, or ``start:NAME`` for one source; None: all but
            ``admin``.
        expires: until when, in seconds since 1970; None: for ever.
        quota: what it may have, where that was said of it; None: as anybody.
        issued: since when, in the same; None: it does not say.
        token: what its token is called (``jti``); "": it has no name.

    """

    id: str = ""
    scopes: frozenset[str] | None = None
    expires: float | None = None
    quota: Claim | None = None
    issued: float | None = None
    token: str = ""

    @property
    def known(self) -> bool:
        """Whether it is somebody, and not just anybody."""
        return bool(self.id)

    @property
    def is_user(self) -> bool:
        """Whether somebody has said who it is: it has a quota of its own.

        Not so for a client with a key. It has made that up and could make up another each time,
        so what it has counts for its address alone.
        """
        return self.id.startswith(USER)

    def may(self, scope: Scope, source: str = "") -> bool:
        """Return whether it has a scope; for ``start``, on a source of that name."""
        if self.scopes is None:
            return scope != "admin"
        named = f"{scope}:{source}"
        return not self.scopes.isdisjoint((scope, "admin", named))

    def is_over(self, now: float) -> bool:
        """Return whether it has expired; `now` is in seconds since 1970."""
        return self.expires is not None and now >= self.expires + LEEWAY


USER = "user:"
"""What the id of a user begins with, and of nobody else."""

ANYBODY = Principal()
"""Who has shown nothing: each connection of it is on its own."""


def user(
    name: str,
    scopes: frozenset[str] | None = None,
    expires: float | None = None,
    quota: Claim | None = None,
    *,
    issued: float | None = None,
    token: str = "",
) -> Principal:
    """Return the principal of a user; never that of a client that has only a key of its own."""
    return Principal(f"{USER}{name}", scopes, expires, quota, issued, token)


def user_name(principal: Principal) -> str | None:
    """Return the name of a user; None of anybody else."""
    return principal.id.removeprefix(USER) if principal.is_user else None


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
