"""Text in many scripts, made of the clusters that a careless server cuts."""

from __future__ import annotations

import random

SCRIPTS = {
    "emoji sequences": ("👨‍👩‍👧‍👦", "🏳️‍🌈", "👩🏽‍🚀", "❤️‍🔥", "1️⃣", "🐈‍⬛"),
    "flags": ("🇩🇪", "🇮🇳", "🇰🇷", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"),
    "skin tones": ("👍🏽", "👋🏿", "🤝🏻"),
    "Devanagari": ("क्ष", "ज्ञ", "स्त्री", "र्क", "हिं", "क"),
    "Hangul jamo": ("\u1112\u1161\u11ab", "\u1100\u1173\u11af", "한", "\u1100\u1100\u1161"),
    "Arabic": ("ش", "لَ", "مُ", "بِّ", "ـ", "ع"),
    "CJK": ("这", "是", "文", "字", "𠀀", "葛\U000e0100"),
    "combining Latin": ("e\u0301", "o\u0323\u0302", "Z\u0351\u036b\u0343", "ñ"),
    "ASCII": ("a", "B", "7", " ", "\r\n", "\n", '"', "\\", "<", "&"),
    "invisible": ("\u200b", "\u2028", "\ufeff", "\u00a0"),
}
"""By script. Each is one extended grapheme cluster (UAX #29), and stays one beside any other."""


def clusters(seed: str, count: int) -> list[str]:
    """Return `count` clusters, each script as likely as the others; the same for the same seed."""
    choose = random.Random(seed)
    scripts = list(SCRIPTS.values())
    return [choose.choice(choose.choice(scripts)) for _ in range(count)]
