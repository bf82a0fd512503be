"""A source that does not give the same text twice: as a model does not."""

from __future__ import annotations

import random
from collections.abc import Iterator

from textstream.sources.base import SourceRequest


def drip(request: SourceRequest) -> Iterator[str]:
    """Yield a word each 20 ms, so many as the prompt says."""
    for _ in range(int(request.prompt or "50")):
        if request.cancel.wait(0.02):
            return
        yield random.choice(["apple ", "字 ", "👨‍👩‍👧‍👦 ", "é\n"])
