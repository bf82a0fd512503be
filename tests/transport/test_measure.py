"""What a message is made of, looked at before anything parses it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textstream.transport.bounds import LARGE, Bounds, Limit, Parts
from textstream.transport.measure import HEAD, exceeded, has_more

STARTS = '421["start_stream",'

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def is_start(head: str) -> bool:
    return head.startswith(STARTS)


BOUNDS = Bounds(max_message=2_097_152, max_plain=LARGE, may_be_large=is_start, max_parts=Parts())


def limit_of(message: str, bounds: Bounds) -> Limit | None:
    """Return the limit that a text is over."""
    return exceeded(bytearray(message.encode()), bounds)


def strings(value: object) -> list[str]:
    """Return all strings of a value, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [s for item in value.items() for part in item for s in strings(part)]
    return [s for part in value for s in strings(part)] if isinstance(value, list) else []


@settings(max_examples=40)
@given(JSON, st.booleans())
def test_strings_and_what_is_outside_of_them_are_counted(value: object, escaped: bool) -> None:
    text = bytearray(json.dumps(value, ensure_ascii=escaped).encode())
    written = [json.dumps(s, ensure_ascii=escaped).encode() for s in strings(value)]
    outside = len(text) - sum(map(len, written))
    assert not has_more(text, Parts(outside=outside, strings=len(written)))
    assert has_more(text, Parts(outside=outside - 1, strings=len(written)))
    assert not written or has_more(text, Parts(outside=outside, strings=len(written) - 1))


@settings(max_examples=40)
@given(JSON, st.integers(0, 500))
def test_a_beginning_has_no_more_than_the_whole(value: object, cut: int) -> None:
    """So what is refused of a message that is still arriving would be refused at its end."""
    text = bytearray(json.dumps(value).encode())
    most = Parts(outside=5, strings=3)
    assert has_more(text, most) or not has_more(text[:cut], most)


@pytest.mark.parametrize(
    "payload",
    [
        {str(number): 1 for number in range(190_000)},
        [1] * 500_000,
        [[]] * 400_000,
        ["a"] * 300_000,
        ["\\" * 40, '"' * 40] * 10_000,
        {"params": {"a" * 100 + str(number): "b" * 100 for number in range(8_000)}},
        {"text": "a" * 100_000, "and": [1] * 8_192},
        " " * 20_000 + "a" * 50_000,
    ],
    ids=lambda payload: str(payload)[:20],
)
def test_many_small_parts_are_refused(payload: object) -> None:
    message = STARTS + (payload if isinstance(payload, str) else json.dumps(payload) + "]")
    assert len(message) > LARGE
    assert limit_of(message, BOUNDS) is Limit.PARTS


@pytest.mark.parametrize("text", ["😀" * 500_000, "a" * 2_000_000, '\\"\n' * 400_000])
@pytest.mark.parametrize("escaped", [False, True])
def test_a_text_to_stream_is_not(text: str, escaped: bool) -> None:
    payload = {"text": text, "rate": 30, "params": {"stop": ["a"] * 100}}
    assert limit_of(STARTS + json.dumps(payload, ensure_ascii=escaped) + "]", BOUNDS) is None


def test_only_what_may_be_large_is() -> None:
    fits = '421["say","' + "字" * 21_841 + '"]'
    assert len(fits.encode()) == LARGE
    assert limit_of(fits, BOUNDS) is None
    assert limit_of(fits + " ", BOUNDS) is Limit.PLAIN
    assert limit_of(fits + " ", Bounds(max_plain=LARGE)) is Limit.PLAIN, "nothing may be"
    assert limit_of(fits * 100, Bounds()) is None, "no such limit"


def test_it_is_told_by_the_head_alone() -> None:
    told: list[str] = []

    def may_be_large(head: str) -> bool:
        told.append(head)
        return False

    bounds = Bounds(max_plain=10, may_be_large=may_be_large)
    assert limit_of("a" * 5000, bounds) is Limit.PLAIN
    assert told == ["a" * HEAD]


def test_a_small_message_may_have_what_it_likes() -> None:
    assert limit_of("[" * LARGE, BOUNDS) is None


@given(st.text(max_size=30), st.integers(0, 100))
def test_sizes_are_bytes(text: str, size: int) -> None:
    assert (limit_of(text, Bounds(max_plain=size)) is Limit.PLAIN) == (len(text.encode()) > size)


def test_one_emoji_does_not_make_four_times_as_much_of_a_message() -> None:
    """1.9 MB would be 8 MB as text, and 8 MB more in what is parsed."""
    bounds = Bounds(max_message=2_000_000, max_parts=Parts())
    long = STARTS + '{"text":"' + "a" * 1_900_000
    assert limit_of(long, bounds) is None
    assert limit_of(long + "字é", bounds) is None
    assert limit_of(long + "😀", bounds) is Limit.WIDE
    assert limit_of(STARTS + '"' + "a" * 900_000 + "😀", bounds) is None
    assert limit_of(STARTS + '"' + "😀" * 499_000, bounds) is None
