"""Which characters and words wait for what follows, though their source rests."""

from __future__ import annotations

import unicodedata

import pytest
import regex
import wcwidth

from textstream.stream.joining import cluster_waits, word_waits

FAMILY = "👨\u200d👩\u200d👧\u200d👦"

GOES = {
    "full stop": ".",
    "letter": "k",
    "letter with an accent": "é",
    "Cyrillic letter": "я",
    "digit": "7",
    "Persian digit": "۷",
    "space": " ",
    "ideographic space": "\u3000",
    "line feed": "\n",
    "CR LF": "\r\n",
    "another control": "\0",
    "Han": "字",
    "Hiragana": "の",
    "Katakana": "ー",
    "full-width full stop": "。",
    "quote": "”",
    "danda": "।",
    "Arabic full stop": "۔",
    "Hangul syllable": "가",
    "Hangul syllable, closed": "각",
    "flag": "🇩🇪",
    "arrow": "→",
    "replacement character": "\ufffd",
}
WAITS = {
    "nothing": "",
    "carriage return": "\r",
    "emoji": "👍",
    "emoji with a skin tone": "👍🏽",
    "heart, which may become one": "❤",
    "heart with a selector": "❤\ufe0f",
    "family": FAMILY,
    "joiner": "👨\u200d",
    "half a flag": "🇩",
    "leading jamo": "\u1112",
    "vowel jamo": "\u1112\u1161",
    "Indic consonant": "क",
    "virama": "क\u094d",
    "Thai": "ก",
    "Arabic letter": "ب",
    "Hebrew letter": "ב",
    "letter and mark": "e\u0301",
    "a mark alone": "\u0301",
    "prepended mark": "\u0600",
}


@pytest.mark.parametrize("cluster", GOES.values(), ids=GOES.keys())
def test_what_goes(cluster: str) -> None:
    assert not cluster_waits(cluster)


@pytest.mark.parametrize("cluster", WAITS.values(), ids=WAITS.keys())
def test_what_waits(cluster: str) -> None:
    assert cluster_waits(cluster)


def test_nothing_but_marks_joins_what_goes() -> None:
    """No emoji, half flag, prepended mark or CR is let go that another base character joins."""
    bases = ["a", "\r", "\n", "\u0600", "\u1100", "\u1161", "가", "🇦", "👨", "क", "字", " "]
    going = [chr(n) for n in range(0x110000) if not cluster_waits(chr(n))]
    assert len(going) > 100_000
    unusual = regex.compile(r"[^\p{sc=Han}\p{GCB=LV}\p{GCB=LVT}]")  # those are all alike
    for point in [*filter(unusual.match, going), "字", "가", "각"]:
        for base in bases:
            if not (point == "가" and base == "\u1161"):
                pieces = list(wcwidth.iter_graphemes(point + base))
                assert pieces == [point, base] or point + base == "\r\n", ascii(point + base)


def test_jamo_that_join_a_hangul_syllable_are_not_in_nfc() -> None:
    assert unicodedata.normalize("NFC", "가\u11a8") == "각"


@pytest.mark.parametrize(
    "word",
    [
        "look ", "look\n", "look \r\n", "up.", "up!", "路。", "路。」", "so:", "so,", "so…", "up.”",
        "(as is)", 'up."', "up.)", "**up.**", "文", "の", " ",
    ],
)  # fmt: skip
def test_a_word_goes_that_ends_in_space_or_as_a_phrase_does(word: str) -> None:
    assert not word_waits(word)


@pytest.mark.parametrize(
    "word", ["look", "42", "don'", "don’", "well-", "a/", "(", '"', "**", "$", "한국어", "a_"]
)
def test_a_word_waits_that_may_go_on(word: str) -> None:
    assert word_waits(word)
