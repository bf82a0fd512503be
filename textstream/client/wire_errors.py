"""Makes the exceptions of `textstream.errors` out of what the server says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textstream import errors

_BY_CODE: dict[str, type[errors.TextStreamError]] = {
    error.code: error
    for error in (
        errors.InvalidRequest,
        errors.UnknownSource,
        errors.UnknownEvent,
        errors.UnknownStream,
        errors.SourceUnavailable,
        errors.SourceFailed,
        errors.TooManyStreams,
        errors.RateLimited,
        errors.Forbidden,
        errors.ShuttingDown,
        errors.Unavailable,
    )
}


def error_from_wire(payload: object) -> errors.TextStreamError:
    """Return the exception for ``{code, message, retryable}``.

    A code that this release does not know gives `StreamFailed`, with the server's code.
    """
    if not isinstance(payload, Mapping):
        return not_understood("an error without code and message")
    fields: Mapping[str, Any] = payload
    code = str(fields.get("code", "error"))
    message = str(fields.get("message", "The server gave no reason."))
    first = fields.get("first")
    if code == errors.OffsetGone.code and isinstance(first, int):
        return errors.OffsetGone(message, first=first)
    if code == errors.Unauthorized.code:
        reason = fields.get("reason")
        return errors.Unauthorized(message, reason=reason if reason in errors.REASONS else "")
    wait, scope, place = (fields.get(name) for name in ("retry_after", "scope", "position"))
    if known := _BY_CODE.get(code):
        return known(
            message,
            retry_after=float(wait) if isinstance(wait, (int, float)) else None,
            scope=scope if isinstance(scope, str) else None,
            position=place if isinstance(place, int) else None,
        )
    return errors.StreamFailed(code, message, retryable=fields.get("retryable") is True)


def not_understood(what: str) -> errors.StreamFailed:
    """Return the error for `what` the server sent against the protocol."""
    return errors.StreamFailed(
        "protocol_error",
        f"The server sent {what}. Use the same release of textstream on both sides.",
    )
