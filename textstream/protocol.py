"""The wire protocol: names of events and models of payloads, spelled here and nowhere else.

Socket.IO 5, namespace ``/``. ``docs/protocol.md`` explains it for readers of other languages.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from textstream.errors import MAX_MESSAGE, InvalidRequest
from textstream.measure import check_payload

# Client to server.
START_STREAM = "start_stream"
STOP_STREAM = "stop_stream"
PAUSE_STREAM = "pause_stream"
CONTINUE_STREAM = "continue_stream"
SET_RATE = "set_rate"
RESUME_STREAM = "resume_stream"
LEAVE_STREAM = "leave_stream"
DESCRIBE_STREAM = "describe_stream"
AUTHENTICATE = "authenticate"
SHARE_STREAM = "share_stream"
UNSHARE_STREAM = "unshare_stream"

# Server to client.
STREAM_START = "stream_start"
NEW_CHAR = "new_char"
STREAM_CHUNK = "stream_chunk"
STREAM_END = "stream_end"
STREAM_ERROR = "stream_error"
STREAM_WAITING = "stream_waiting"
SERVER_DRAINING = "server_draining"

UnitName = Literal["char", "word", "token"]
FormatName = Literal["char", "chunk"]
EndReason = Literal["completed", "length", "stopped", "replaced", "error", "expired", "shutdown"]
StateName = Literal["created", "producing", "held", "produced", "ended", "forgotten"]
OnDisconnect = Literal["continue", "cancel"]
Rate = float | Literal["auto"]

MAX_OFFSET = 2**53 - 1
"""The largest offset: what a JavaScript number holds exactly."""

LONGEST_SHARE = 7 * 86_400
"""Seconds that a grant is good for, at most."""

MAX_ID = 128
"""The longest stream id or request id, in characters."""


ENCODED = 65_536
"""Code points looked at together for what cannot be encoded."""


def _plain_text(value: str) -> str:
    """Refuse what is not text: NUL, and halves of surrogate pairs (not encodable in UTF-8)."""
    if "\0" in value:
        raise ValueError("contains NUL (U+0000)")
    if not value.isascii():
        for start in range(0, len(value), ENCODED):  # the whole at once would be another copy of it
            try:
                value[start : start + ENCODED].encode()
            except UnicodeEncodeError as error:
                raise ValueError(
                    f"is not valid Unicode: lone surrogate at position {start + error.start}"
                ) from None
    return value


def _rate(value: object) -> Rate:
    if value == "auto":
        return "auto"
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Compared before it is converted: an int can be too large for a float. Refuses NaN too.
    if is_number and 0 <= value <= sys.float_info.max:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    raise ValueError('must be units per second, 0 (as fast as you read) or "auto"')


PlainText = Annotated[str, AfterValidator(_plain_text)]
Identifier = Annotated[str, Field(min_length=1, max_length=MAX_ID), AfterValidator(_plain_text)]
RateField = Annotated[Rate, PlainValidator(_rate)]
GrantField = Annotated[str, Field(min_length=1), AfterValidator(_plain_text)]
OffsetField = Annotated[int, Field(ge=0, le=MAX_OFFSET)]


class Payload(BaseModel):
    """Base of the payloads: unknown keys and wrong types are refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StartStream(Payload):
    """``start_stream``: start one.

    ``text`` is for the source ``text``; ``prompt`` for any other. ``rate`` is in units per
    second; 0 is as fast as the reader reads, None the source's default. When its last reader
    has gone it goes on for the time of grace (``continue``), or ends at once (``cancel``). The
    same ``request_id`` again answers with the stream that it already started.
    """

    source: Identifier | None = None
    prompt: PlainText | None = None
    text: PlainText | None = None
    unit: UnitName = "char"
    rate: RateField | None = None
    format: FormatName = "char"
    params: dict[str, Any] = Field(default_factory=dict)
    on_disconnect: OnDisconnect = "continue"
    request_id: Identifier | None = None


class StreamRef(Payload):
    """Which stream: to pause, continue, or leave."""

    id: Identifier


class OwnStream(Payload):
    """To stop or to unshare it: which, and its key, where the connection does not own it."""

    id: Identifier
    key: Identifier | None = None


class ShareStream(OwnStream):
    """``share_stream``: for how many seconds."""

    expires: Annotated[float, Field(gt=0, le=LONGEST_SHARE)] = 86_400.0


class DescribeStream(Payload):
    """``describe_stream``: which, and what lets one read it, where that is needed."""

    id: Identifier
    key: Identifier | None = None
    grant: GrantField | None = None


class SetRate(Payload):
    """``set_rate``: this reader's pace from now on."""

    id: Identifier
    rate: RateField


class ResumeStream(Payload):
    """``resume_stream``: attach a cursor at ``offset``, in units from the start of the text.

    With ``key``, from the answer to the start, the connection owns the stream. With a ``grant``,
    from its owner, it may read it, and no more.
    """

    id: Identifier
    offset: OffsetField
    key: Identifier | None = None
    grant: GrantField | None = None
    rate: RateField | None = None
    format: FormatName | None = None


class Authenticate(Payload):
    """``authenticate``: a newer token of whoever is connected."""

    token: Annotated[str, Field(min_length=1), AfterValidator(_plain_text)]


class StreamInfo(BaseModel):
    """``stream_start``, and ``stream`` in the answers to a start and a resume."""

    id: str
    source: str
    unit: UnitName
    rate: int | float | Literal["auto"]
    format: FormatName
    offset: int


class StreamDescription(BaseModel):
    """``stream`` in the answer to ``describe_stream``: how it is now, for whoever may join.

    ``first … next-1`` are the units that can be read; ``furthest`` is the unit after the last that
    any reader was sent, where to join from now on: a source may be far ahead of its readers;
    ``readers`` is how many read it now; ``reason`` is how it ended, None before.
    """

    id: str
    source: str
    unit: UnitName
    state: StateName
    first: int
    next: int
    furthest: int
    readers: int
    reason: EndReason | None


class StreamChunk(BaseModel):
    """``stream_chunk``: the units ``offset … next-1``, joined."""

    id: str
    offset: int
    next: int
    text: str


class StreamEnd(BaseModel):
    """``stream_end``: ``offset`` is the number of units in all, the hash covers the whole text."""

    id: str
    reason: EndReason
    offset: int
    text_sha256: str


class StreamWaiting(BaseModel):
    """``stream_waiting``: the stream's place in the line of its source; 1 is next, 0: its turn."""

    id: str
    position: Annotated[int, Field(ge=0)]


class ServerDraining(BaseModel):
    """``server_draining``: no more streams are taken; running ones go on for a while.

    ``retry_after`` is in seconds: ask again then, here or elsewhere.
    """

    retry_after: int


# The same as plain values, which is what the server sends. To make a model of what we have made
# ourselves, only to dump it, takes six times as long, once for each event of every reader.


def stream_info(
    id_: str, source: str, unit: UnitName, rate: Rate, *, format_: FormatName, offset: int
) -> dict[str, Any]:
    """Return a `StreamInfo`; a whole number of units per second is one on the wire."""
    if isinstance(rate, float) and rate.is_integer():
        rate = int(rate)
    return {
        "id": id_, "source": source, "unit": unit, "rate": rate, "format": format_, "offset": offset
    }  # fmt: skip


def stream_chunk(id_: str, offset: int, next_: int, text: str) -> dict[str, Any]:
    """Return a `StreamChunk`."""
    return {"id": id_, "offset": offset, "next": next_, "text": text}


def stream_end(id_: str, reason: EndReason, offset: int, text_sha256: str) -> dict[str, Any]:
    """Return a `StreamEnd`."""
    return {"id": id_, "reason": reason, "offset": offset, "text_sha256": text_sha256}


def stream_error(id_: str, problem: dict[str, Any]) -> dict[str, Any]:
    """Return what ``stream_error`` says of a stream: the error object, with its id."""
    return {"id": id_, **problem}


def stream_waiting(id_: str, position: int) -> dict[str, Any]:
    """Return a `StreamWaiting`."""
    return {"id": id_, "position": position}


def server_draining(retry_after: int) -> dict[str, Any]:
    """Return a `ServerDraining`."""
    return {"retry_after": retry_after}


PayloadT = TypeVar("PayloadT", bound=Payload)


def parse(model: type[PayloadT], payload: object) -> PayloadT:
    """Check `payload` against `model`.

    Raises:
        InvalidRequest: naming each key that is wrong and why, never repeating the value; or the
            limit of `textstream.measure` that it is over.

    """
    if not isinstance(payload, dict):
        raise InvalidRequest(f"expected an object, got {_type_name(payload)}")
    check_payload(payload)
    try:
        return model.__pydantic_validator__.validate_python(payload)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise InvalidRequest(explain(error)) from None


def explain(error: ValidationError) -> str:
    """Say in one line what a pydantic error found, without the values: as much as can be told."""
    problems: dict[str, str] = {}
    told = 0
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        # The first place only: a union reports one problem for each of its members.
        key = ".".join(str(part) for part in detail["loc"][:1]) or "payload"
        message = "unknown key" if detail["type"] == "extra_forbidden" else detail["msg"]
        if key not in problems:
            problems[key] = message = message.removeprefix("Value error, ")
            told += len(key) + len(message)
        if told > MAX_MESSAGE:
            break
    return "; ".join(f"{_printable(key)}: {message}" for key, message in problems.items())


def _printable(key: str) -> str:
    shown = key if len(key) <= MAX_ID else key[: MAX_ID - 1] + "…"
    return shown.encode("utf-8", "replace").decode().replace("\0", "�")


def _type_name(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        bytes: "binary data",
        type(None): "nothing",
    }
    return names.get(type(value), type(value).__name__)
