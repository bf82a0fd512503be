"""What an input was answered with, in a word or two."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from benchmarks.abuse.talker import LONGEST_MESSAGE
from benchmarks.abuse.wire import Ended

NOT_WAITED_FOR = "not waited for"
IGNORED = "ignored"
NO_ANSWER = "no answer in time"
TOO_LONG = "too long"

TELLING = (TOO_LONG, "HTTP 5", "error internal", "close", "HTTP 4", "error", "connect error", "ok")
"""Beginnings of answers, the one that says most first."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_CODE = re.compile(rb'"code":"(\w+)"')


def of_http(data: bytes | None) -> str:
    """Return the status of a response; None: nobody read it."""
    if data is None:
        return NOT_WAITED_FOR
    if not data:
        return "closed without a word"
    if data.startswith(b"HTTP/1.1 100"):
        data = data.partition(b"\r\n\r\n")[2]
    found = _STATUS.match(data)
    return f"HTTP {found[1].decode()}" if found else "no status line"


def of_socketio(payload: bytes) -> str | None:
    """Return what an Engine.IO packet answers; None: nothing, it is something else."""
    if payload.startswith(b"44"):
        return "connect error"
    if not payload.startswith((b"43", b'42["stream_error"')):
        return None
    code = _CODE.search(payload)
    if not code:
        return "ok"
    size = _size_of_message(payload) if len(payload) > LONGEST_MESSAGE else 0
    long = f"{TOO_LONG}, {size:,} characters: " if size > LONGEST_MESSAGE else ""
    return f"{long}error {code[1].decode()}"


def _size_of_message(payload: bytes) -> int:
    """Return how many characters the sentence of an error has."""
    told = json.loads(payload[payload.index(b"[") :])[-1]
    return len(told.get("error", told)["message"])


def of_ending(ended: Ended) -> str:
    """Return how a WebSocket ended."""
    return f"close {ended.ending}" if ended.ending.isdecimal() else ended.ending


def most_telling(answers: Sequence[str]) -> str:
    """Return the one answer of several that says most."""
    for prefix in TELLING:
        for answer in answers:
            if answer.startswith(prefix):
                return answer
    return answers[-1] if answers else IGNORED
