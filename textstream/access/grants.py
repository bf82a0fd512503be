"""What lets somebody else read a stream: signed, for a time, and for nothing but that."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt

from textstream.access.principal import Principal
from textstream.errors import Forbidden

MAX_GRANT = 1024
"""The longest grant that is looked at, in characters."""

AUDIENCE = "textstream grant"
"""So that no grant is ever taken for a token, nor a token for a grant."""

ENDED = (
    "This link does not let you read any more: it has expired, or its owner has ended the sharing."
)
NO_GRANT = "That is no link of this server's, or one from before its restart. Ask for a new one."

_OPTIONS: Any = {"require": ["exp", "aud", "jti"], "verify_exp": False, "verify_iat": False}


class Grant(NamedTuple):
    """A grant, as it was signed.

    Attributes:
        stream: what may be read with it.
        share: which of the sharings of that stream it is of: each ends all grants before it.
        expires: until when, in seconds since 1970.
        name: tells it from others; no secret.

    """

    stream: str
    share: int
    expires: float
    name: str


class Grants:
    """Makes and reads grants. Any thread.

    Nothing is kept of them: the streams are in this process's memory, and so is the key, unless one
    is set.
    """

    def __init__(
        self, secret: bytes | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Sign with `secret`, or with one that is made up now; `clock` is seconds since 1970."""
        self._secret = secret or secrets.token_bytes(32)
        self._clock = clock

    def make(self, stream: str, share: int, seconds: float) -> str:
        """Return a grant for a stream, good for so many seconds."""
        claims = {
            "aud": AUDIENCE,
            "stream": stream,
            "share": share,
            "can": ["read"],
            "exp": self._clock() + seconds,
            "jti": secrets.token_urlsafe(9),
        }
        return jwt.encode(claims, self._secret, "HS256")

    def read(self, grant: str) -> Grant:
        """Return what a grant says.

        Raises:
            Forbidden: it is none of this server's, or has expired.

        """
        if len(grant) > MAX_GRANT:
            raise Forbidden(NO_GRANT)
        try:
            claims = jwt.decode(
                grant, self._secret, algorithms=["HS256"], audience=AUDIENCE, options=_OPTIONS
            )
            read = Grant(
                str(claims["stream"]), int(claims["share"]), float(claims["exp"]), claims["jti"]
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError):
            raise Forbidden(NO_GRANT) from None
        if self.left(read) <= 0:
            raise Forbidden(ENDED)
        return read

    def left(self, grant: Grant) -> float:
        """Return the seconds for which a grant is good yet."""
        left = grant.expires - self._clock()
        return left if math.isfinite(left) else 0.0


def guest(grant: Grant) -> Principal:
    """Return who has shown a grant and nothing else: it may read that stream, and no more."""
    return Principal(f"guest:{grant.name}", frozenset(), grant.expires, token=grant.name)
