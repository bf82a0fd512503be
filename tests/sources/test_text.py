"""The source ``text``: its sample, and how it cuts."""

from __future__ import annotations

import sys
import time
import tracemalloc

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.waiting import texts
from textstream.access.account import Account, Holding, Kind
from textstream.protocol import UnitName
from textstream.sources.base import SourceRequest
from textstream.sources.text import (
    BLOCK,
    FIRST_DELTA,
    MARGIN,
    SAMPLE_TEXT,
    WHOLE,
    WHOLE_ASCII,
    WHOLE_WORDS,
    pieces,
    pieces_of,
    text_source,
)

TRICKY = st.sampled_from(
    ["a", " ", "\n", "\r", "e", "\u0301", "\u200d", "👩", "👧", "\U0001f1e9", "\U0001f1ea",
     "\U0001f3fd", "字", "か", "\u3099", "\uff9e", "क", "\u094d", "ष", "\u0903", "\u1112", "\u1161",
     "\u11ab", "ع", "\u0600", "ก", "ำ", "\ufe0f", "!", "é"]
)  # fmt: skip


def clusters(text: str) -> list[str]:
    found: list[str] = regex.findall(r"\X", text)
    return found


@given(st.text(TRICKY, max_size=60))
def test_pieces_join_to_the_text_and_cut_no_cluster(text: str) -> None:
    cut = list(pieces(text))
    assert "".join(cut) == text
    assert [cluster for piece in cut for cluster in clusters(piece)] == clusters(text)
    assert all(len(clusters(piece)) <= 25 for piece in cut)


def test_cuts_between_words() -> None:
    words = [
        "Hello, ",
        "wide ",
        "world. ",
        "Grüß ",
        "Gott, ",
        "cafe\u0301 ",
        "مرحبا\u060c ",
        "end.",
    ]
    assert list(pieces("".join(words))) == words
    assert list(pieces("a" * 60)) == ["a" * 24, "a" * 24, "a" * 12]


def test_the_sample_has_what_is_hard_to_cut() -> None:
    assert 200 <= len(SAMPLE_TEXT) <= 600
    for part in (
        "这是一段要逐步返回的文字",
        "👨‍👩‍👧‍👦",
        "🇳🇿",
        "e\u0301",
        "क्ष",
        "\u1112\u1161\u11ab",
        "مرحبا",
    ):
        assert part in SAMPLE_TEXT
    SAMPLE_TEXT.encode()


def test_streams_the_sample_when_nothing_was_sent() -> None:
    generate = text_source().generate
    assert "".join(texts(generate(SourceRequest(None)))) == SAMPLE_TEXT
    assert "".join(texts(generate(SourceRequest("mine")))) == "mine"
    assert list(generate(SourceRequest(""))) == []


LONG = 500_000
PATTERNS = {
    "English": "The quick brown fox jumps over the lazy dog. ",
    "Chinese": "这是一段要逐步返回的文字",
    "Russian": "Съешь ещё этих мягких булок ",
    "one word": "a",
    "families": "👨‍👩‍👧‍👦",
    "flags": "🇳🇿",
    "accents": "e\u0301",
    "new lines": "\n",
    "one cluster": "\u0301",
}


def test_only_a_stream_of_tokens_gets_small_pieces() -> None:
    text = "Some words and 中文. " * 500
    tokens = list(texts(text_source().generate(SourceRequest(text, unit="token"))))
    assert tokens == list(pieces(text))
    for unit in ("char", "word"):
        deltas = list(texts(text_source().generate(SourceRequest(text, unit=unit))))
        assert "".join(deltas) == text
        assert len(deltas) < len(tokens) / 20


@pytest.mark.parametrize("name", PATTERNS)
def test_a_long_text_takes_time_in_proportion(name: str) -> None:
    """No pattern makes it quadratic: that would be minutes. It takes 0.02 to 0.3 s."""
    pattern = PATTERNS[name]
    text = (pattern * (LONG // len(pattern) + 1))[:LONG]
    started = time.process_time()
    assert sum(map(len, pieces(text))) == LONG
    assert time.process_time() - started < 5.0


def test_a_long_text_is_not_held_as_pieces() -> None:
    text = PATTERNS["Chinese"] * 20_000
    tracemalloc.start()
    try:
        for _piece in texts(text_source().generate(SourceRequest(text, unit="token"))):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400_000, "of which deflate's own state takes 270 kB while it packs"


@pytest.mark.parametrize("unit", ["char", "word", "token"])
def test_a_long_text_arrives_whole(unit: UnitName) -> None:
    text = "Wörter und 中文, 👨‍👩‍👧‍👦 und \U0001f1e9\U0001f1ea. " * 8_000
    assert len(text) > 3 * BLOCK
    assert "".join(texts(text_source().generate(SourceRequest(text, unit=unit)))) == text


def test_a_long_text_that_waits_takes_little_memory() -> None:
    tracemalloc.start()
    try:
        generator = texts(
            text_source().generate(SourceRequest("Some words, again and again. " * 20_000))
        )
        next(generator)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000
    assert sum(map(len, generator)) > 570_000


TEXTS = st.lists(
    st.sampled_from([*PATTERNS.values(), "\n\n", " " * 9, "x" * 30, "\U0001f1e9" * 3]),
    min_size=1,
    max_size=40,
).map("".join)


@given(TEXTS, st.integers(MARGIN + 1, 4 * MARGIN))
def test_a_text_in_blocks_has_the_same_pieces_as_the_whole(text: str, block: int) -> None:
    blocks = (text[start : start + block] for start in range(0, len(text), block))
    assert list(pieces_of(blocks)) == list(pieces(text))


def test_what_a_waiting_text_keeps_is_counted_and_becomes_less() -> None:
    account = Account()
    holding = Holding(account, Kind.WAITING)
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000))) * 3
    holding.set(sys.getsizeof(text))
    generator = text_source().generate(SourceRequest(text, holding=holding))
    next(generator)
    first = account.count(Kind.WAITING)
    assert 0 < first < sys.getsizeof(text)
    for _ in generator:
        pass
    assert account.count(Kind.WAITING) < first / 3
    holding.close()
    holding.set(7)
    assert account.total == 0


@pytest.mark.parametrize(
    ("text", "unit", "whole"),
    [
        ("a" * WHOLE_ASCII, "char", True),
        ("a" * (WHOLE_ASCII + 1), "char", False),
        ("字" * WHOLE, "char", True),
        ("字" * (WHOLE + 1), "char", False),
        ("a " * (WHOLE_WORDS // 2), "word", True),
        ("a " * (WHOLE_WORDS // 2) + "a", "word", False),
        ("a", "token", False),
        ("", "char", True),
    ],
)
def test_a_text_is_there_as_a_whole_where_cutting_it_takes_no_time(
    text: str, unit: UnitName, whole: bool
) -> None:
    request = SourceRequest(text, unit=unit)
    assert text_source().whole(request) == (text if whole else None)
    assert "".join(map(str, text_source().generate(request))) == text


def test_the_sample_is_there_as_a_whole() -> None:
    assert text_source().whole(SourceRequest()) == SAMPLE_TEXT


def test_of_a_longer_text_the_first_delta_is_short() -> None:
    first, *rest = text_source().generate(SourceRequest("字" * 5000))
    assert len(str(first)) == FIRST_DELTA < len(str(rest[0]))
