"""Engine.IO's refusals, as the reference server words them.

Source: ``engine.io`` 6, ``Server.errorMessages``. Clients and pages know the codes.
"""

from __future__ import annotations

import enum
import json
from typing import Any

from engineio.packet import NOOP


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
        "headers": [("Content-Type", "application/json")],
        "response": json.dumps(body).encode(),
    }


def farewell() -> dict[str, Any]:
    """Return the answer to the last poll of a client that has closed its session: a NOOP."""
    return {
        "status": "200 OK",
        "headers": [("Content-Type", "text/plain; charset=UTF-8")],
        "response": str(NOOP).encode(),
    }
