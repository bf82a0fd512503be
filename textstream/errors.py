"""Every error of the project, each with its code on the wire.

::

    TextStreamError
    ├── InvalidRequest       invalid_request      what was asked makes no sense
    ├── UnknownEvent         unknown_event        no such event
    ├── UnknownSource        unknown_source       no source of that name
    ├── UnknownStream        unknown_stream       no such stream, or it was forgotten
    │   └── NotReading       unknown_stream       there is, but the connection does not read it
    ├── OffsetGone           offset_gone          that part of the text was trimmed
    ├── SourceUnavailable    source_unavailable   the source lacks something; says what
    ├── SourceFailed         source_failed        the source broke while it generated
    ├── TooManyStreams       too_many_streams     a limit on streams was reached; says whose
    ├── RateLimited          rate_limited         too often, or too many connections; says whose
    ├── Unauthorized         unauthorized         who are you?
    ├── Forbidden            forbidden            not for you
    ├── ShuttingDown         shutting_down        the server is going down
    ├── Unavailable          unavailable          the store that servers share does not answer
    ├── ServerUnreachable    unreachable          client only: nothing answers there
    └── StreamFailed         (the server's code)  client only: the stream ended with an error

A message names the cure, where there is one. ``retryable`` says whether the same request
can succeed later without a change.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

MAX_MESSAGE = 300
"""The longest message of an error on the wire, in characters (code points)."""


def _short(message: str) -> str:
    if len(message) > MAX_MESSAGE:
        message = message[: MAX_MESSAGE - 1] + "…"
    return message if message.isascii() else message.encode("utf-8", "replace").decode()


class TextStreamError(Exception):
    """Base of all errors.

    Attributes:
        code: the name on the wire, stable across releases.
        message: one plain sentence or two; names the cure.
        retryable: whether the same request may succeed later.
        retry_after: seconds after which to ask again, where that is known.
        scope: whose limit was reached, if one was: ``you`` (the user), ``connection``,
            ``address``, ``source`` or ``server``.
        position: the place in a line that was too long, if one was: 1 is next.

    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        scope: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.scope = scope
        self.position = position

    def to_wire(self) -> dict[str, Any]:
        """Return the error object of the protocol: ``{code, message, retryable}``.

        With ``retry_after``, ``scope`` and ``position``, where they are known. The message has at
        most `MAX_MESSAGE` characters there, and is valid Unicode.
        """
        message = _short(self.message)
        wire = {"code": self.code, "message": message, "retryable": self.retryable}
        more = {
            "retry_after": self.retry_after, "scope": self.scope, "position": self.position
        }  # fmt: skip
        return wire | {name: value for name, value in more.items() if value is not None}


class InvalidRequest(TextStreamError):
    """The payload has a wrong type, an unknown key or a value out of range."""

    code = "invalid_request"


class UnknownEvent(TextStreamError):
    """The server has no event of that name."""

    code = "unknown_event"


class UnknownSource(TextStreamError):
    """No source of that name is configured."""

    code = "unknown_source"


class UnknownStream(TextStreamError):
    """No stream has this id: it never existed, or its retention is over."""

    code = "unknown_stream"


class NotReading(UnknownStream):
    """The stream is there, but this connection does not read it."""


class OffsetGone(TextStreamError):
    """The text at this offset was trimmed; ``first`` is the first offset still there."""

    code = "offset_gone"

    def __init__(self, message: str, *, first: int) -> None:
        super().__init__(message)
        self.first = first

    def to_wire(self) -> dict[str, Any]:
        """Return the error object, with ``first``: the first offset that is still there."""
        return {**super().to_wire(), "first": self.first}


class SourceUnavailable(TextStreamError):
    """The source cannot run here: a package, a key or an address is missing."""

    code = "source_unavailable"


class SourceFailed(TextStreamError):
    """The source broke while it generated. What came before is kept."""

    code = "source_failed"
    retryable = True


class TooManyStreams(TextStreamError):
    """A limit on running streams, or on what is kept for them, was reached."""

    code = "too_many_streams"
    retryable = True


class RateLimited(TextStreamError):
    """Too many requests in too short a time, or too many connections."""

    code = "rate_limited"
    retryable = True


LimitReached = TooManyStreams | RateLimited
"""Somebody has as much as may be."""


Reason = Literal["", "expired", "unavailable"]
REASONS: tuple[Reason, ...] = get_args(Reason)


class Unauthorized(TextStreamError):
    """The client did not say who it is, or not in a way that counts.

    Attributes:
        reason: ``expired``, where a new token helps; ``unavailable``, where it could not be found
            out; "" else. With a reason it is retryable.

    """

    code = "unauthorized"

    def __init__(self, message: str, *, reason: Reason = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.retryable = bool(reason)  # type: ignore[misc]  # it depends

    def to_wire(self) -> dict[str, Any]:
        """Return the error object, with the ``reason``, if there is one."""
        return super().to_wire() | ({"reason": self.reason} if self.reason else {})


class Forbidden(TextStreamError):
    """The client may not do this."""

    code = "forbidden"


class ShuttingDown(TextStreamError):
    """The server is going down and takes no new streams."""

    code = "shutting_down"
    retryable = True


class Unavailable(TextStreamError):
    """The store that several servers share does not answer; nothing is lost by that."""

    code = "unavailable"
    retryable = True


class ServerUnreachable(TextStreamError):
    """Client side: nothing answers at the server's address, or it stopped answering."""

    code = "unreachable"
    retryable = True


class StreamFailed(TextStreamError):
    """Client side: the server answered with an error; ``code`` is the server's."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # an instance carries what the server said
        self.retryable = retryable  # type: ignore[misc]


INTERNAL_ERROR: dict[str, Any] = {
    "code": "internal_error",
    "message": "The server made a mistake. Its log says more.",
    "retryable": True,
}
"""What a client is told when a handler or a reader of ours fails."""
