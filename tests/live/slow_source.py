"""A source that takes its time, as a model does: a server loads it with `SETTING`."""

from __future__ import annotations

import time
from collections.abc import Iterator

from textstream.sources.base import SourceRequest

SETTING = f"ticking={__name__}:ticking"

TEXT = "".join(f"{number} 字👩🏽‍🚀 " for number in range(400))


def ticking(request: SourceRequest) -> Iterator[str]:
    """Yield `TEXT` in 400 pieces, in some twenty seconds."""
    for piece in TEXT.split(" "):
        if piece:
            time.sleep(0.025)
            yield f"{piece} "
