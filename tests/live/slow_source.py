"""Sources that take their time, as a model does: a server loads them with `SETTING`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from textstream.sources.base import SourceRequest

SETTING = f"ticking={__name__}:ticking,gated={__name__}:gated"

TEXT = "".join(f"{number} 字👩🏽‍🚀 " for number in range(400))


def ticking(request: SourceRequest) -> Iterator[str]:
    """Yield `TEXT` in 400 pieces, in some twenty seconds."""
    for piece in TEXT.split(" "):
        if piece:
            time.sleep(0.025)
            yield f"{piece} "


def gated(request: SourceRequest) -> Iterator[str]:
    """Yield `TEXT` at once, but not before there is the file whose path is the prompt."""
    gate = Path(request.prompt or "")
    while not gate.is_file():
        if request.cancel.wait(0.02):
            return
    yield TEXT
