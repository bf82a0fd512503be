"""Sources that the servers of these tests load: scriptable by their prompt."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from textstream.sources.base import SourceRequest

SETTING = ",".join(f"{name}={__name__}:{name}" for name in ("endless", "broken", "limited"))


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
