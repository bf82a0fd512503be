"""The front's own answers, before any application has seen a request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

from textstream.transport.answers import HARDENED

CODES = {
    HTTPStatus.SERVICE_UNAVAILABLE: "too_busy",
    HTTPStatus.INTERNAL_SERVER_ERROR: "failed",
    HTTPStatus.REQUEST_TIMEOUT: "timeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
}
"""The codes in the bodies; of any other status it is `BAD`."""

BAD = "invalid_request"

RETRY_AFTER = 2
"""Seconds after which one that was turned away may come again."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Headers = Iterable[tuple[str, str]]


def refusal(status: HTTPStatus, why: str) -> bytes:
    """Return an answer that ends its connection.

    Args:
        status: of it.
        why: a sentence that names the cure.

    """
    body: dict[str, object] = {"code": CODES.get(status, BAD), "message": why}
    headers = [("Content-Type", "application/json"), *HARDENED]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        body["retry_after"] = RETRY_AFTER
        headers.append(("Retry-After", str(RETRY_AFTER)))
    encoded = json.dumps(body).encode()
    headers += [("Content-Length", str(len(encoded))), ("Connection", "close")]
    return head(f"{status.value} {status.phrase}", headers) + encoded


def head(status: str, headers: Headers) -> bytes:
    """Return the head of an answer, with its date (RFC 9110, 6.6.1).

    Raises:
        ValueError: a header has a line break, which would end it.

    """
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    if not any(name.lower() == "date" for name, _ in headers):
        lines.append(f"Date: {_date(int(time.time()))}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a line break in a header")
    return f"{text}\r\n\r\n".encode("latin-1")


_dates: dict[int, str] = {}


def _date(second: int) -> str:
    known = _dates.get(second)
    if known is None:
        _dates.clear()
        known = _dates[second] = formatdate(second, usegmt=True)
    return known
