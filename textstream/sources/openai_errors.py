"""What an OpenAI-compatible API says when it refuses or fails, and our sentences for it. Pure.

No sentence quotes a message of the API's: it may hold the key or the prompt. Its names do get out:
a code, a type, the name of a parameter.
"""

from __future__ import annotations

import json
import re
from typing import Any

from textstream.errors import InvalidRequest, SourceFailed, TextStreamError

_REQUEST_STATUSES = frozenset({400, 409, 413, 422})

TIMED_OUT = "The API did not answer in time (TEXTSTREAM_OPENAI_TIMEOUT)."

PROXIES = "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"

PROXY_REFUSED = (
    "The proxy did not let the request through.",
    f"Check {PROXIES}, or name the API's host in NO_PROXY.",
)

_NAME = re.compile(r"[\w.-]{1,64}")


class Refused(Exception):
    """The API answered with a status that is no success; `body` begins what it said."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(status)
        self.status = status
        self.body = body

    def document(self) -> Any:
        """Return the body as JSON, or None: then it is something else, or nothing."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def reported_error(document: dict[str, Any]) -> Any:
    """Return the error that a JSON object reports in any of the usual shapes, or None.

    They are ``{"error": …}``, with or without an answer beside it; and, without one,
    ``{"object": "error"}``, ``{"type": "error"}``, ``{"detail": …}`` and ``{"errors": …}``.
    """
    error = document.get("error")
    if error:
        return error
    if "choices" in document:
        return None
    if isinstance(error, (dict, str)) or "error" in (document.get("object"), document.get("type")):
        return document
    return document.get("detail") or document.get("errors") or None


def error_names(error: Any) -> str:
    """Return the API's own names for an error, each behind ", ", if they are names, not sentences.

    Args:
        error: any JSON value: an object with `code`, `type` or `param`, a string, anything else.

    """
    if isinstance(error, dict) and isinstance(error.get("error"), (dict, str)):
        error = error["error"]
    names = [error]
    if isinstance(error, dict):
        names = [error.get("code"), error.get("type"), error.get("param")]
    plain = [
        str(name)
        for name in names
        if isinstance(name, (str, int))
        and not isinstance(name, bool)
        and _NAME.fullmatch(str(name))
    ]
    return "".join(f", {name}" for name in dict.fromkeys(plain))


def explain_refusal(refused: Refused) -> TextStreamError:
    """Return our error for a status that is no success."""
    status, kind = refused.status, error_names(refused.document())
    if status in _REQUEST_STATUSES:
        return InvalidRequest(
            f"The API refused the request (HTTP {status}{kind}). Change the prompt or the params."
        )
    what, cure = _SENTENCES.get(status, ("The API failed", "Try again later."))
    if status in _SECRET_STATUSES:
        kind = ""
    return SourceFailed(f"{what} (HTTP {status}{kind}). {cure}")


_SECRET_STATUSES = frozenset({401, 403})  # what is said of a key is not passed on

_KEY = ("The API refused the key", "Check TEXTSTREAM_OPENAI_API_KEY.")
_NOT_THERE = ("What answers there takes no such request", "Check TEXTSTREAM_OPENAI_BASE_URL.")
_ELSEWHERE = (
    "The API has moved to another address",
    "Put that one into TEXTSTREAM_OPENAI_BASE_URL.",
)
_SENTENCES = {
    **dict.fromkeys(range(300, 400), _ELSEWHERE),
    **dict.fromkeys((401, 403), _KEY),
    402: ("The API wants to be paid", "See to the account that the key belongs to."),
    404: (
        "The API knows no such address or model",
        "Check TEXTSTREAM_OPENAI_BASE_URL and TEXTSTREAM_OPENAI_MODEL.",
    ),
    **dict.fromkeys((405, 410, 421), _NOT_THERE),
    407: (PROXY_REFUSED[0].rstrip("."), PROXY_REFUSED[1]),
    429: ("The API takes no more requests for now", "Try again later."),
}
"""Of each status that is not just a failure: what it was, and the cure."""
