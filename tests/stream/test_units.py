"""Text in deltas becomes characters, words or tokens, however it is cut.

The oracle for characters is ``wcwidth``, an implementation of UAX #29 of its own that speaks the
same version of Unicode. No package on PyPI or npm carries the Unicode break test data of that
version.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
import regex
import wcwidth
from hypothesis import example, given
from hypothesis import strategies as st

from textstream.protocol import UnitName
from textstream.stream.joining import cluster_waits
from textstream.stream.units import (
    MAX_CLUSTER,
    MAX_WORD,
    SurrogateJoiner,
    new_splitter,
    split_whole,
)

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
FLAG = "🇩🇪"
CONJUNCT = "क्ष"
JAMO = "\u1112\u1161\u11ab"
ACUTE = "e\u0301"

CLUSTERS = {
    "family emoji": FAMILY,
    "flag": FLAG,
    "tag flag": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "skin tone": "👍🏽",
    "keycap": "1\ufe0f\u20e3",
    "Devanagari conjunct": CONJUNCT,
    "Hangul jamo": JAMO,
    "combining acute": ACUTE,
    "CRLF": "\r\n",
    "prepended mark": "\u0600١",
    "Thai": "กำ",
}

ONE_OF_EACH = [
    "a", "\r", "\n", "\0", "\u0301", "\u200d", "\u0600", "\u0903", "\u1100", "\u1161", "\u11a8",
    "가", "각", "🇦", "👨", "❤", "🏽", "क", "\u094d", "\u0308", "\u200c", "字", " ", "\ufe0f",
]  # fmt: skip
"""One code point for each value of Grapheme_Cluster_Break, and of what its rules look at."""


def split(unit: UnitName, deltas: Sequence[str]) -> list[str]:
    splitter = new_splitter(unit)
    units = [piece for delta in deltas for piece in splitter.push(delta)]
    return [*units, *splitter.finish()]


def cut(text: str, places: Sequence[int]) -> list[str]:
    ends = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(ends)]


interesting_text = st.lists(
    st.one_of(
        st.sampled_from(ONE_OF_EACH),
        st.sampled_from(list(CLUSTERS.values())),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
).map("".join)
places = st.lists(st.integers(0, 200), max_size=20)


# Characters


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS.keys())
def test_a_cluster_is_one_unit_wherever_the_deltas_cut_it(cluster: str) -> None:
    text = f"a{cluster}b"
    for place in range(len(text) + 1):
        assert split("char", [text[:place], text[place:]]) == ["a", cluster, "b"]
    assert split("char", list(text)) == ["a", cluster, "b"]


def test_the_sentence_of_the_issue_has_twelve_characters() -> None:
    assert split("char", ["这是一段要逐", "步返回的文字"]) == list("这是一段要逐步返回的文字")


def test_three_regional_indicators_are_a_flag_and_a_half() -> None:
    assert split("char", list("🇩🇪🇫")) == ["🇩🇪", "🇫"]


def test_the_last_cluster_is_held_back_until_it_is_known_to_be_complete() -> None:
    splitter = new_splitter("char")
    assert list(splitter.push("he")) == ["h"]
    assert list(splitter.push("\u0301")) == []
    assert list(splitter.push("l")) == [ACUTE]
    assert splitter.finish() == ["l"]
    assert splitter.finish() == []


def test_every_code_point_that_breaks_unusually_breaks_as_the_oracle_says() -> None:
    unusual = regex.compile(
        r"[^\p{GCB=Other}\p{Cn}\p{Cs}]|\p{Extended_Pictographic}|\p{InCB=Consonant}"
    )
    points = [chr(n) for n in range(0x110000) if unusual.match(chr(n))]
    hangul = regex.compile(r"\p{GCB=LV}|\p{GCB=LVT}")
    # The syllables are 11,172, all alike: every hundredth will do.
    points = [c for n, c in enumerate(points) if n % 100 == 0 or not hangul.match(c)]
    assert len(points) > 4000
    for point in points:
        for before in ONE_OF_EACH:
            text = before + point + "a\u094d" + point + "क" + before + point + "\u1161"
            assert split("char", [text]) == list(wcwidth.iter_graphemes(text)), ascii(text)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_mix_of_the_kinds_of_code_points_breaks_as_the_oracle_says(length: int) -> None:
    texts = ONE_OF_EACH
    for _ in range(length - 1):
        texts = [text + one for text in texts for one in ONE_OF_EACH]
    for text in texts:
        assert split("char", [text]) == list(wcwidth.iter_graphemes(text)), ascii(text)


@given(interesting_text)
def test_any_text_breaks_as_the_oracle_says(text: str) -> None:
    assert split("char", [text]) == list(wcwidth.iter_graphemes(text))


@pytest.mark.parametrize("unit", ["char", "word"])
@given(text=interesting_text, where=places)
@example(text="a \r\n b", where=[3])
@example(text=f"{FAMILY} {FLAG}{FLAG} {CONJUNCT}{JAMO}{ACUTE}", where=list(range(40)))
def test_any_cut_gives_the_same_units_and_loses_nothing(
    unit: UnitName, text: str, where: list[int]
) -> None:
    units = split(unit, cut(text, where))
    assert units == split(unit, [text])
    assert "".join(units) == text
    assert all(units)


@pytest.mark.parametrize("mark", ["\u0301", "\u200d👨", "\u094dक"])
def test_an_endless_cluster_is_cut_at_the_bound_however_it_arrives(mark: str) -> None:
    text = "👨क" + mark * (3 * MAX_CLUSTER // len(mark)) + "a"
    whole = split("char", [text])
    assert "".join(whole) == text
    assert max(map(len, whole)) == MAX_CLUSTER
    assert split("char", cut(text, range(0, len(text), 500))) == whole
    assert split("char", [text[: MAX_CLUSTER + 7], text[MAX_CLUSTER + 7 :]]) == whole


def test_what_is_held_back_is_bounded() -> None:
    splitter = new_splitter("char")
    units = splitter.push("e" + "\u0301" * (10 * MAX_CLUSTER))
    assert sum(map(len, units)) >= 9 * MAX_CLUSTER


# Words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("to be or", ["to ", "be ", "or"]),
        ("  lead", ["  ", "lead"]),
        ("tail \n\n", ["tail \n\n"]),
        ("a\r\nb", ["a\r\n", "b"]),
        ("don't stop", ["don't ", "stop"]),
        ("文字 and 仮名", ["文", "字 ", "and ", "仮", "名"]),
        ("abc文def", ["abc", "文", "def"]),
        (f"{FAMILY} {ACUTE}tude", [f"{FAMILY} ", f"{ACUTE}tude"]),
        ("한국어 말", ["한국어 ", "말"]),
        ("   ", ["   "]),
        ("", []),
    ],
)
def test_a_word_goes_with_the_white_space_that_follows(text: str, words: list[str]) -> None:
    assert split("word", [text]) == words


def test_a_word_is_complete_when_the_next_begins() -> None:
    splitter = new_splitter("word")
    assert splitter.push("to be") == ["to "]
    assert splitter.push("tter ") == []
    assert splitter.finish() == ["better "]
    assert splitter.finish() == []


# Rests


def split_with_rests(unit: UnitName, deltas: Sequence[str]) -> list[str]:
    """Return the units of a source that rests behind each delta."""
    splitter = new_splitter(unit)
    units = [piece for delta in deltas for piece in [*splitter.push(delta), *splitter.release()]]
    return [*units, *splitter.finish()]


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS.keys())
def test_a_rest_cuts_no_cluster_that_is_of_a_kind_that_goes_on(cluster: str) -> None:
    deltas = list(f"a{cluster}b")
    if cluster in {ACUTE, CLUSTERS["keycap"]}:  # a Latin letter and a digit: they do not wait
        deltas = ["a", cluster, "b"]
    assert split_with_rests("char", deltas) == ["a", cluster, "b"]


def test_a_mark_that_comes_too_late_is_a_unit_of_its_own() -> None:
    assert split_with_rests("char", ["x", "\u0304", "\u0301", "y"]) == ["x", "\u0304\u0301", "y"]
    assert split_with_rests("char", ["1", "\ufe0f\u20e3"]) == ["1", "\ufe0f\u20e3"]
    assert split_with_rests("word", ["up.", "\u0301 a"]) == ["up.", "\u0301 ", "a"]


@given(text=interesting_text, where=places)
@example(text="1\ufe0f\u20e3 \u0301.", where=list(range(9)))
def test_rests_lose_nothing_and_cut_only_before_what_joins_against_the_rule(
    text: str, where: list[int]
) -> None:
    units = split_with_rests("char", cut(text, where))
    assert "".join(units) == text
    assert all(units)
    ends = list(accumulate(map(len, units)))
    whole = set(accumulate(map(len, split("char", [text]))))
    assert whole <= set(ends)
    joins = regex.compile(r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=V}\p{GCB=T}]")
    for end, unit, after in zip(ends, units, units[1:], strict=False):
        if end not in whole:
            assert not cluster_waits(unit)
            assert joins.match(after)


@given(text=interesting_text, where=places)
def test_rests_lose_no_word(text: str, where: list[int]) -> None:
    words = split_with_rests("word", cut(text, where))
    assert "".join(words) == text
    assert all(words)


@pytest.mark.parametrize(
    ("deltas", "words"),
    [
        (["Let me look ", "at it"], ["Let ", "me ", "look ", "at ", "it"]),
        (["Let me look", "ed"], ["Let ", "me ", "looked"]),
        (["that up.", " Here"], ["that ", "up.", " ", "Here"]),
        (["to b", "e"], ["to ", "be"]),
        (["don'", "t"], ["don't"]),
        (["ab文", "字"], ["ab", "文", "字"]),
        (["a\r", "\nb"], ["a\r\n", "b"]),
        (["hi 👨", "\u200d👩 ok"], ["hi ", "👨\u200d👩 ", "ok"]),
    ],
)
def test_words_are_let_go_of_at_their_ends(deltas: list[str], words: list[str]) -> None:
    assert split_with_rests("word", deltas) == words


def test_a_word_is_let_go_of_when_the_next_has_begun() -> None:
    splitter = new_splitter("word")
    assert splitter.push("to b") == []
    assert splitter.release() == ["to "]
    assert splitter.release() == []
    assert splitter.push("e") == []
    assert splitter.finish() == ["be"]


# Tokens


@given(st.lists(st.text(max_size=5), max_size=20))
def test_tokens_are_the_deltas_that_say_something(deltas: list[str]) -> None:
    assert split("token", deltas) == [delta for delta in deltas if delta]


# Surrogates


def joined(deltas: Sequence[str]) -> str:
    joiner = SurrogateJoiner()
    return "".join([joiner.push(delta) for delta in deltas] + [joiner.finish()])


def in_surrogates(text: str) -> list[str]:
    """Return the UTF-16 code units of `text`, each as a code point."""
    data = text.encode("utf-16-be")
    return [chr(high << 8 | low) for high, low in zip(data[::2], data[1::2], strict=True)]


@given(interesting_text)
def test_pairs_that_were_cut_in_two_are_joined(text: str) -> None:
    assert joined(in_surrogates(text)) == text


@given(st.lists(st.text(st.characters(categories=["Cs", "Lu", "So"])), max_size=8))
def test_what_is_joined_is_valid_and_does_not_depend_on_the_cuts(deltas: list[str]) -> None:
    text = joined(deltas)
    assert text == joined(["".join(deltas)])
    text.encode()  # raises if it cannot be sent


@pytest.mark.parametrize(
    ("deltas", "text"),
    [
        (["a\ud83d", "\ude00b"], "a😀b"),
        (["\ud83d", "", "\ude00"], "😀"),
        (["\ud83d", "a"], "\ufffda"),
        (["\ude00a"], "\ufffda"),
        (["\ud83d"], "\ufffd"),
        (["\ud83d", "\ud83d\ude00"], "\ufffd😀"),
        (["plain"], "plain"),
    ],
)
def test_a_half_that_stays_alone_becomes_the_replacement_character(
    deltas: list[str], text: str
) -> None:
    assert joined(deltas) == text


@given(interesting_text, places)
def test_valid_text_passes_the_joiner_unchanged(text: str, where: list[int]) -> None:
    pieces = cut(text, where)
    joiner = SurrogateJoiner()
    lengths = list(accumulate(len(joiner.push(piece)) for piece in pieces))
    assert lengths == list(accumulate(map(len, pieces)))


@pytest.mark.parametrize("text", ["x" * (3 * MAX_WORD), " " * (3 * MAX_WORD)], ids=["x", "space"])
def test_a_word_without_an_end_is_not_held_back_for_ever(text: str) -> None:
    whole = split("word", [text])
    assert [len(word) for word in whole] == [MAX_WORD] * 3
    assert split("word", list(text)) == whole


@given(st.text(max_size=80), st.sampled_from(["char", "word", "token"]))
@example("a\ud83d", "char")
@example("\ud83d\ude00b", "word")
@example("a\r\nb\r", "char")
@example("", "char")
def test_a_whole_text_has_the_units_of_its_deltas(text: str, unit: UnitName) -> None:
    joiner, splitter = SurrogateJoiner(), new_splitter(unit)
    deltas = [text] if unit == "token" else list(text)
    cut = [u for delta in deltas for u in splitter.push(joiner.push(delta))]
    cut += [*splitter.push(joiner.finish()), *splitter.finish()]
    assert list(split_whole(text, unit)) == cut
