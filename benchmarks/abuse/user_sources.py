"""Sources as a user may write them: that never end, that wait, that fail, that look around."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextvars import ContextVar

from flask import has_request_context, request

from textstream.sources.base import SourceRequest

DELTA = "The quick brown fox jumps over the lazy dog. " * 20
DEAF_SECONDS = 15.0
LOOKS = 60

NOBODY = "nobody"
WHO: ContextVar[str] = ContextVar("who", default=NOBODY)

SECRET = "swordfish"
"""What a prompt may hold."""


def endless(_request: object) -> Iterator[str]:
    """Yield text for ever, as fast as it is taken."""
    while True:
        yield DELTA


def deaf(_request: object) -> Iterator[str]:
    """Wait for something, and hear nothing of a cancellation meanwhile."""
    time.sleep(DEAF_SECONDS)
    yield "at last"


def failing(asked: SourceRequest) -> Iterator[str]:
    """Fail with a message that quotes the prompt, of more than one line."""
    yield "so far so good"
    raise ValueError(f"cannot answer {asked.prompt}\n2026-01-01 INFO forged\x1b[31m")


def looking(asked: SourceRequest) -> Iterator[str]:
    """Say again and again whose request this is, for Flask and for a context variable.

    As a library would that keeps a span, or a session, for as long as its generator lives.
    """
    yield f"{WHO.get()} "
    token = WHO.set(asked.prompt or NOBODY)
    for _ in range(LOOKS):
        seen = request.headers.get("X-Who", NOBODY) if has_request_context() else NOBODY
        yield f"{WHO.get()} {seen} "
        time.sleep(0.002)
    WHO.reset(token)  # fails in another context than that in which it was set
