"""The token that a client shows: one for good, or what gives a new one. No I/O of its own."""

from __future__ import annotations

from collections.abc import Callable

from textstream.errors import InvalidRequest, TextStreamError, Unauthorized

Auth = str | Callable[[], str] | None
"""A token; what returns one; or none."""


class Tokens:
    """Gives a token for each connection, and each request over HTTP."""

    def __init__(self, auth: Auth) -> None:
        """Give that of `auth`.

        Raises:
            InvalidRequest: it is neither a token, nor can it be called.

        """
        if auth is not None and not callable(auth) and not isinstance(auth, str):
            raise InvalidRequest(f"auth: a token, or what returns one, not {type(auth).__name__}")
        self._auth = auth
        self._refused = False

    def next(self) -> str | None:
        """Return the token to show now; a callable is called. None: there is none.

        Raises:
            Unauthorized: the callable raised, which may pass, or returned no text.

        """
        if not callable(self._auth):
            return self._auth or None
        try:
            token = self._auth()
        except TextStreamError:
            raise
        except Exception as error:
            said = f"auth gave no token: {type(error).__name__}: {error}"
            raise Unauthorized(said, reason="unavailable") from error
        if not isinstance(token, str) or not token:
            raise Unauthorized(f"auth is to return a token, and gave {token!r}.")
        return token

    def accepted(self) -> None:
        """Note that the server has taken what was shown."""
        self._refused = False

    def may_mend(self, error: TextStreamError) -> bool:
        """Tell whether another token may do what the last one did not: once, and a new one."""
        if not self.is_final(error):
            return False
        again = callable(self._auth) and not self._refused
        self._refused = True
        return again

    @staticmethod
    def is_final(error: TextStreamError) -> bool:
        """Tell whether the server will not change its mind about a token by itself."""
        return isinstance(error, Unauthorized) and error.reason != "unavailable"
