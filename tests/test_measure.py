"""What a client asks is measured before it is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.errors import MAX_MESSAGE, InvalidRequest, OffsetGone, TextStreamError
from textstream.measure import (
    DEPTH,
    KEYS,
    NAME,
    NESTED_BYTES,
    NESTED_ITEMS,
    NESTED_KEYS,
    MeasuredJson,
    Unread,
    check_payload,
)
from textstream.protocol import ResumeStream, SetRate, StartStream, StreamRef, parse

MODELS = [StartStream, StreamRef, SetRate, ResumeStream]


def nested(depth: int, innermost: Any = 1) -> Any:
    value: Any = innermost
    for number in range(depth):
        value = [value] if number % 2 else {"k": value}
    return value


def keys(count: int) -> dict[str, int]:
    return dict.fromkeys(map(str, range(count)), 1)


LARGEST: list[tuple[str, dict[str, Any]]] = [
    ("keys", keys(KEYS)),
    ("a key", {"k" * NAME: 1}),
    ("keys in all", {"params": {"a": keys(NESTED_KEYS - 2), "b": 1}}),
    ("a key within", {"params": {"k" * NAME: 1}}),
    ("items", {"params": {"a": [0] * (NESTED_ITEMS - 2), "b": [[]]}}),
    ("bytes", {"params": {"a": "x" * (NESTED_BYTES - 1)}}),
    ("bytes of UTF-8", {"params": {"a": "é" * (NESTED_BYTES // 2 - 1)}}),
    ("depth", {"params": nested(DEPTH)}),
    ("a number", {"params": {"a": 10**4300}, "rate": 10**4300}),
    ("a long text", {"text": "x" * 500_000}),
]

TOO_MUCH: list[tuple[str, dict[str, Any], str]] = [
    ("keys", keys(KEYS + 1), "33 keys, at most 32 are allowed"),
    ("a key", {"k" * (NAME + 1): 1}, "a key of 65 characters, at most 64 are allowed"),
    (
        "keys in all",
        {"params": {"a": keys(NESTED_KEYS - 2), "b": {"c": 1}}},
        "params: 65 keys in all, at most 64 are allowed",
    ),
    (
        "a key within",
        {"params": {"a": [{"k" * (NAME + 1): 1}]}},
        "params: a key of 65 characters, at most 64 are allowed",
    ),
    (
        "items",
        {"params": {"a": [0] * (NESTED_ITEMS - 1), "b": [[]], "c": [1]}},
        "params: 257 items of lists in all, at most 256 are allowed",
    ),
    ("bytes", {"params": {"a": "x" * NESTED_BYTES}}, "params: more than 65536 bytes are not taken"),
    (
        "bytes of UTF-8",
        {"params": {"a": "é" * (NESTED_BYTES // 2)}},
        "params: more than 65536 bytes are not taken",
    ),
    (
        "depth",
        {"params": nested(DEPTH + 1)},
        "params: more than 8 objects and lists within each other",
    ),
    ("a list for a text", {"text": [0] * 10_000}, "text: 10000 items of lists in all, "),
    ("an object for an id", {"id": keys(10_000)}, "id: 10000 keys in all, "),
    ("a list for a rate", {"rate": nested(900)}, "rate: more than 8 objects and lists"),
]


@pytest.mark.parametrize("payload", [p for _, p in LARGEST], ids=[n for n, _ in LARGEST])
def test_what_is_within_the_bounds_is_looked_at(payload: dict[str, Any]) -> None:
    check_payload(payload)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("payload", "said"), [(p, s) for _, p, s in TOO_MUCH], ids=[n for n, _, _ in TOO_MUCH]
)
def test_what_is_over_them_is_refused_and_the_limit_named(
    model: Any, payload: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(model, payload)
    assert refused.value.message.startswith(said)


# Before it is parsed


def event(payload: str, name: str = "start_stream") -> str:
    return f'["{name}",{payload}]'


FLOODS = {
    "depth": "[" * 900_000 + "]" * 900_000,
    "less depth": "[" * 20_000 + "]" * 20_000,
    "digits": "9" * 1_800_000,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_is_not_parsed_and_its_event_arrives(flood: str) -> None:
    for head in ("", " \n"):
        name, unread = MeasuredJson.loads(head + event(flood))
        assert name == "start_stream"
        assert isinstance(unread, Unread)
        assert unread.reason


@pytest.mark.parametrize("text", ["[" * 900_000, "9" * 900_000])
def test_a_flood_without_a_name_is_malformed(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        MeasuredJson.loads(text)


@pytest.mark.parametrize(
    "text",
    ["a, b: c [d] {e} " * 60_000, '"\\' * 500_000, "👩‍👧" * 200_000, "\x00\x1f\u2028" * 100_000],
    ids=["structure", "escapes", "emoji", "controls"],
)
@pytest.mark.parametrize("ascii_", [True, False])
def test_a_long_text_is_parsed_whatever_it_holds(text: str, ascii_: bool) -> None:
    encoded = event(json.dumps({"text": text, "params": keys(NESTED_KEYS)}, ensure_ascii=ascii_))
    assert MeasuredJson.loads(encoded)[1]["text"] == text


@pytest.mark.parametrize("payload", [p for _, p in LARGEST], ids=[n for n, _ in LARGEST])
def test_no_payload_within_the_bounds_is_a_flood(payload: dict[str, Any]) -> None:
    if "rate" in payload:  # no JSON has a number of so many digits
        payload = {"params": {"a": 10**4299}}
    encoded = event(json.dumps(payload)) + " " * 65_536
    assert MeasuredJson.loads(encoded)[1] == payload


@given(st.text('[]{}",:\\ 1ua', max_size=60))
def test_what_is_no_json_is_no_json_here_either(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            MeasuredJson.loads(text)
    else:
        assert MeasuredJson.loads(text) == expected


# What is said


def test_a_message_on_the_wire_is_short() -> None:
    told = TextStreamError("é" * 10_000).to_wire()["message"]
    assert told == "é" * (MAX_MESSAGE - 1) + "…"
    assert TextStreamError("e" * MAX_MESSAGE).to_wire()["message"] == "e" * MAX_MESSAGE
    assert len(OffsetGone("e" * 1000, first=3).to_wire()["message"]) == MAX_MESSAGE


def test_a_message_on_the_wire_is_unicode() -> None:
    assert TextStreamError("half \ud83d").to_wire()["message"] == "half ?"
