"""A source whose way of being given up fails: a server loads it with `SETTING`."""

from __future__ import annotations

from collections.abc import Iterator

from textstream.sources.base import SourceRequest

SETTING = f"careless={__name__}:careless"

COMPLAINT = "nothing to give up"


def careless(request: SourceRequest) -> Iterator[str]:
    """Yield words without end."""

    def give_up() -> None:
        raise RuntimeError(COMPLAINT)

    request.cancel.on_cancel(give_up)
    while True:
        yield "word "
