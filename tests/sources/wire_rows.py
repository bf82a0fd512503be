"""Rows of what endpoints put on the wire, and of what each must give; and how to write one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.sources.wire_endpoint import Script

CUT = "cut off"
EMPTY = "The model's answer is empty"
BROKEN = "broke off with an error"
NO_API = "no OpenAI-compatible API"


def head(kind: str | None = "text/event-stream", *more: str, status: str = "200 OK") -> bytes:
    """Return the head of an answer that ends with its connection."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *more]
    lines += [f"Content-Type: {kind}"] if kind is not None else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def record(value: Any, end: str = "\n\n") -> bytes:
    """Return one server-sent event with JSON data."""
    return f"data: {json.dumps(value)}{end}".encode()


def chunk(content: Any = None, finish: Any = None, **delta: Any) -> dict[str, Any]:
    """Return one chunk of a streamed answer."""
    delta = delta if content is None else {"content": content, **delta}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def say(content: Any = None, finish: Any = None, **delta: Any) -> bytes:
    """Return one chunk of a streamed answer, as an event."""
    return record(chunk(content, finish, **delta))


def choice(**fields: Any) -> bytes:
    """Return an event with one choice of any shape."""
    return record({"choices": [fields]})


def whole(finish: Any = "stop", **message: Any) -> bytes:
    """Return an answer in one piece."""
    return json.dumps(
        {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    ).encode()


@dataclass(frozen=True)
class Row:
    """One answer: its bytes, and what must come of them.

    `reason` is that of the stream: "completed", "length" or "error". `says` is a part of the
    sentence that an error has, `code` its code.
    """

    name: str
    steps: Script
    text: str
    reason: str = "completed"
    says: str = ""
    code: str = "source_failed"
    hasty: bool = False  # the API may be silent for a moment only


OK = head()
DONE = b"data: [DONE]\n\n"
END = say(finish="stop") + DONE
HI = say("Hi ")
TWO = [OK, HI, say("you")]
JSON = head("application/json")
UTF8 = "Grüße, 世界 🌍"


def failed(name: str, steps: Script, text: str, says: str, **more: Any) -> Row:
    """Return a row of an answer that is no success."""
    return Row(name, steps, text, "error", says, **more)


def chunked(*pieces: bytes) -> list[bytes]:
    """Return an answer with ``Transfer-Encoding: chunked``, without the last chunk."""
    begin = OK.replace(b"Connection: close", b"Connection: close\r\nTransfer-Encoding: chunked")
    return [begin, *(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)]


def refusal(status: str, kind: str, body: bytes, says: str, code: str = "source_failed") -> Row:
    """Return a row of a status that is no success."""
    steps = [head(kind, "Retry-After: 7", status=status), body]
    return failed(f"{status}, {kind or 'empty'}", steps, "", says, code=code)
