"""Users and tokens that an operator has taken back before their time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from textstream.access.principal import Principal, user
from textstream.errors import RateLimited

DAY = 86_400.0
"""Seconds that one is known: no token should be good for longer, and nothing is kept for ever."""

MOST = 100_000
"""Revocations that are known at a time: some 20 MB."""

REVOKED = "Your token was taken back. Sign in again, or ask whoever runs this server."


class Revocations:
    """Who counts no longer. Any thread; ``_lock`` guards the table, and nothing is called under it.

    In this process's memory: after a restart a token counts again until it expires. So tokens
    should be short, 15 minutes say.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Know of none; `clock` is in seconds since 1970."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, float]] = {}  # when, and until when it is known

    def __len__(self) -> int:
        """Return how many are known."""
        return len(self._known)

    def revoke_user(self, name: str, seconds: float = DAY) -> None:
        """Take back all that a user has been given so far; what is issued later counts.

        Raises:
            RateLimited: `MOST` are known already.

        """
        self._add(user(name).id, seconds)

    def revoke_token(self, token: str, seconds: float = DAY) -> None:
        """Take back the token of this name (``jti``).

        Raises:
            RateLimited: `MOST` are known already.

        """
        self._add(_token_key(token), seconds)

    def cover(self, principal: Principal) -> bool:
        """Return whether what a principal has shown was taken back."""
        known = self._known
        if not known:
            return False
        now = self._clock()
        if principal.token:
            _, until = known.get(_token_key(principal.token), (0.0, 0.0))
            if now < until:
                return True
        since, until = known.get(principal.id, (0.0, 0.0))
        return now < until and (principal.issued is None or principal.issued <= since)

    def _add(self, key: str, seconds: float) -> None:
        now = self._clock()
        with self._lock:
            if key not in self._known and len(self._known) >= MOST:
                kept = {k: known for k, known in self._known.items() if now < known[1]}
                if len(kept) >= MOST:
                    raise RateLimited(
                        f"{MOST} revocations are known already. Change the keys instead.",
                        scope="server",
                    )
                self._known = kept
            self._known[key] = now, now + seconds


def _token_key(token: str) -> str:
    return f"jti:{token}"
