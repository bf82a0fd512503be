"""A user's source that tells in which threads its code runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from pydantic import BaseModel, field_validator

from tests.transport.feature_app import Record
from textstream.sources.base import Source, SourceRequest

SETTINGS = (f"telltale={__name__}:telltale", f"boastful={__name__}:BOASTFUL")

SEEN = Record()
"""What ran, and in which thread."""


def tell(what: str) -> None:
    """Note the thread."""
    SEEN.add(what, threading.current_thread().name)


class Params(BaseModel):
    """Params that are checked by code."""

    size: int = 1

    @field_validator("size")
    @classmethod
    def check(cls, value: int) -> int:
        """Take any."""
        tell("params")
        return value


def telltale(request: SourceRequest) -> Iterator[str]:
    """Yield words until it is cancelled."""
    tell("generate")
    request.cancel.on_cancel(told(request))
    SEEN.add(f"registered {request.prompt}")
    while not request.cancel.wait(0.01):
        yield "word "


def told(request: SourceRequest) -> Callable[[], None]:
    """Return what hears of the end."""
    prompt = request.prompt
    return lambda: tell(f"cancelled {prompt}")


telltale.Params = Params  # type: ignore[attr-defined]

BOASTFUL = Source(name="", generate=telltale, immediate=True, quick=True, needs_prompt=False)
"""One that says of itself that it is quick."""
