"""Sources that take their time, as a model does: a server loads them with `SETTING`.

A prompt is the path of a file: when it is there, they no longer do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from textstream.sources.base import SourceRequest

SETTING = f"ticking={__name__}:ticking,gated={__name__}:gated"

TEXT = "".join(f"{number} 字👩🏽‍🚀 " for number in range(400))


def ticking(request: SourceRequest) -> Iterator[str]:
    """Yield `TEXT` in 800 pieces, in some twenty seconds, or until the file is there."""
    gate = Path(request.prompt or "")
    for piece in TEXT.split(" "):
        if piece:
            if not gate.is_file():
                time.sleep(0.025)
            yield f"{piece} "


def gated(request: SourceRequest) -> Iterator[str]:
    """Yield `TEXT` at once, but not before the file is there."""
    gate = Path(request.prompt or "")
    while not gate.is_file():
        if request.cancel.wait(0.02):
            return
    yield TEXT
