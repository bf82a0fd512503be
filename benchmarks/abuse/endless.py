"""A source that never ends, for readers that never read."""

from __future__ import annotations

from collections.abc import Iterator

DELTA = "The quick brown fox jumps over the lazy dog. " * 20


def endless(_request: object) -> Iterator[str]:
    """Yield text for ever, as fast as it is taken."""
    while True:
        yield DELTA
