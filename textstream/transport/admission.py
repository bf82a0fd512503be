"""Who may open a session, and what is counted for it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Protocol

from textstream.access.account import Account
from textstream.transport.answers import HARDENED

VISIT = "textstream.visit"
"""Where in the environ of a session's first request its visit is."""


class Visit(Protocol):
    """A session's stay, from its first request on."""

    account: Account

    @property
    def address(self) -> str:
        """Whose it is."""
        ...

    def leave(self) -> None:
        """End it. Doing it again does nothing."""
        ...


Admit = Callable[[dict[str, Any]], Visit]
"""Lets in whoever makes the first request of a session, by its environ; or raises `Refused`."""


class Refused(Exception):
    """There is no session for this request now."""

    def __init__(self, error: dict[str, Any], *, busy: bool = False) -> None:
        """Refuse it.

        Args:
            error: the error object of the answer; ``retry_after`` is in seconds.
            busy: whether it is for all that the server has to do, and not for this client's doing.

        """
        super().__init__(error["message"])
        self.error = error
        self.busy = busy

    def answer(self) -> dict[str, Any]:
        """Return the response, as Engine.IO passes them around: 429, or 503 (RFC 6585, 4)."""
        headers = [("Content-Type", "application/json"), *HARDENED]
        if wait := self.error.get("retry_after"):
            headers.append(("Retry-After", str(math.ceil(wait))))
        return {
            "status": "503 SERVICE UNAVAILABLE" if self.busy else "429 TOO MANY REQUESTS",
            "headers": headers,
            "response": json.dumps(self.error).encode(),
        }


class Guest:
    """A visit where nobody counts: an account of its own."""

    address = ""

    def __init__(self) -> None:
        self.account = Account()

    def leave(self) -> None:
        """Do nothing."""


def admit_all(_environ: dict[str, Any]) -> Visit:
    """Let everybody in."""
    return Guest()
