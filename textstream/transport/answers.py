"""Engine.IO's refusals, as the reference server words them.

Source: ``engine.io`` 6, ``Server.errorMessages``. Clients and pages know the codes.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from typing import Any

from engineio.packet import NOOP

NOSNIFF = ("X-Content-Type-Options", "nosniff")
"""A browser is not to take an answer for something else than it says it is: a script, say."""

NO_STORE = ("Cache-Control", "no-store")
"""An answer is for who asked, and for now (RFC 9111, 5.2.2.5)."""

HARDENED = [NOSNIFF, NO_STORE]
"""Headers of each answer of Engine.IO's."""


class Answer(enum.Enum):
    """Why a request is refused: the code, and what it is called."""

    UNKNOWN_TRANSPORT = (0, "Transport unknown")
    UNKNOWN_SESSION = (1, "Session ID unknown")
    BAD_METHOD = (2, "Bad handshake method")
    BAD_REQUEST = (3, "Bad request")
    UNSUPPORTED_VERSION = (5, "Unsupported protocol version")


def refusal(answer: Answer, why: str = "") -> dict[str, Any]:
    """Return a response as Engine.IO passes them around: status 400, a JSON object.

    Args:
        answer: the kind of it.
        why: a sentence more, for people.

    """
    code, message = answer.value
    body = {"code": code, "message": f"{message}: {why}" if why else message}
    return {
        "status": "400 BAD REQUEST",
        "headers": [("Content-Type", "application/json"), *HARDENED],
        "response": json.dumps(body).encode(),
    }


def farewell() -> dict[str, Any]:
    """Return the answer to the last poll of a client that has closed its session: a NOOP."""
    return {
        "status": "200 OK",
        "headers": [("Content-Type", "text/plain; charset=UTF-8"), *HARDENED],
        "response": str(NOOP).encode(),
    }


def harden_answers(eio: Any) -> None:
    """Have Engine.IO's answers say `HARDENED`, all of them: some go out as they are made."""
    for name in ("_ok", "_bad_request", "_method_not_found", "_unauthorized"):
        setattr(eio, name, _hardened(getattr(eio, name)))


def _hardened(make: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def made(*args: Any, **options: Any) -> dict[str, Any]:
        answer = make(*args, **options)
        answer["headers"] = [*answer["headers"], *HARDENED]
        return answer

    return made
