"""Sources that the servers of these tests load: scriptable by their prompt."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from textstream.errors import SourceUnavailable
from textstream.sources.base import SourceRequest

NAMES = ("endless", "broken", "limited", "hostile")
SETTING = ",".join(f"{name}={__name__}:{name}" for name in NAMES)


def endless(request: SourceRequest) -> Iterator[str]:
    """Count up for ever, a number a delta."""
    number = 0
    while True:
        yield f"{number} "
        number += 1


def broken(request: SourceRequest) -> Iterator[str]:
    """Repeat the prompt, then fail."""
    yield request.prompt or ""
    raise RuntimeError("scripted")


def limited(request: SourceRequest) -> Generator[str, None, str]:
    """Repeat the prompt, and say that a limit was reached."""
    yield request.prompt or ""
    return "length"


limited.needs_prompt = True  # type: ignore[attr-defined]  # read by the registry


def hostile(request: SourceRequest) -> Iterator[str]:
    """Command a terminal: \x1b]0;owned\x07 \x9b2J \u202e."""
    yield "a\x1b"
    yield "]0;owned\x07b\x9b2Jc\rd\u202ee\tf\ng\x7f"
    raise SourceUnavailable("No key \x1b[2J for \x9b31m\u202eit.")


hostile.needs_prompt = False  # type: ignore[attr-defined]
