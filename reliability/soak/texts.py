"""Texts to stream: seeded, in many scripts, with all that a careless server would cut."""

from __future__ import annotations

import random

from tests.live.streams import CLUSTERS

WORDS = [
    *("stream", "Zürich", "naïve", "Ελλάδα", "Україна"),
    *("नमस्ते", "கிருஷ்ணா", "ภาษาไทย", "한국어", "日本語", "这是一段要逐步返回的文字"),
    *("مرحبا", "שלום", "\u1112\u1161\u11ab", "e\u0301\u0323", "\r\n", '"\\/"'),
    *("🏳️‍🌈", "👍🏽", "1️⃣", "𠀀", *CLUSTERS),
]


def some_text(choose: random.Random, words: int) -> str:
    """Return a text of so many words, white space between some of them."""
    return "".join(choose.choice(WORDS) + choose.choice((" ", " ", "")) for _ in range(words))
