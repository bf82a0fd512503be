"""The source of these runs: a text in many scripts that a seed decides, made while it is read."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator

from pydantic import BaseModel, Field

from textstream.sources.base import SourceRequest

SETTING = f"story={__name__}:story"
"""What ``--sources`` needs to serve it."""

# Each is one character to a person, and stays one whatever stands beside it.
_CHARACTERS = (
    *"abcdefghijklmnopqrstuvwxyz ,.",
    *("é", "e\u0301", "字", "𠀀", "ع", "שׁ", "한", "\u1112\u1161\u11ab", "क्षि"),
    *("👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "1️⃣", '"', "\\", "\n"),
)
_numbers = itertools.count(1)


def characters_of(seed: int, count: int) -> list[str]:
    """Return the first `count` characters of the story of this seed."""
    return random.Random(f"story {seed}").choices(_CHARACTERS, k=count)


class Params(BaseModel):
    """Which story, and how fast it is made.

    Attributes:
        seed: decides the text.
        characters: how many, at least 0.
        per_second: characters per second, above 0; None: as fast as they are wanted.

    """

    seed: int = 1
    characters: int = Field(1000, ge=0)
    per_second: float | None = Field(None, gt=0)


def story(request: SourceRequest) -> Iterator[str]:
    """Tell a story, character by character, and say on standard error what becomes of it.

    One line when the generator begins, one when it is closed: ``story 1 begins``, ``story 1 is
    closed after 123 characters``. So a test sees how many generations there were.
    """
    number, made = next(_numbers), 0
    params = request.params
    print(f"story {number} begins", file=sys.stderr, flush=True)
    try:
        for character in characters_of(params.seed, params.characters):
            if params.per_second and request.cancel.wait(1 / params.per_second):
                return
            made += 1
            yield character
    finally:
        print(f"story {number} is closed after {made} characters", file=sys.stderr, flush=True)


story.Params = Params  # type: ignore[attr-defined]  # read by the registry
