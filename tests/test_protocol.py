"""The wire protocol: names, payloads, and what is refused with which words."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from textstream import protocol
from textstream.errors import InvalidRequest
from textstream.protocol import (
    MAX_ID,
    MAX_OFFSET,
    Payload,
    Rate,
    ResumeStream,
    ServerDraining,
    SetRate,
    StartStream,
    StreamChunk,
    StreamDescription,
    StreamEnd,
    StreamInfo,
    StreamRef,
    StreamWaiting,
    parse,
    server_draining,
    stream_chunk,
    stream_end,
    stream_error,
    stream_info,
    stream_waiting,
)

MODELS: list[type[Payload]] = [StartStream, StreamRef, SetRate, ResumeStream]


def refusal(model: type[Payload], payload: object) -> str:
    with pytest.raises(InvalidRequest) as raised:
        parse(model, payload)
    return raised.value.message


def test_the_names_of_the_events_are_the_protocol() -> None:
    names = {k: v for k, v in vars(protocol).items() if k.isupper() and isinstance(v, str)}
    assert names == {
        name.upper(): name
        for name in [
            "start_stream", "stop_stream", "pause_stream", "continue_stream", "set_rate",
            "resume_stream", "leave_stream", "describe_stream", "stream_start", "new_char",
            "stream_chunk", "stream_end", "stream_error", "stream_waiting", "server_draining",
            "authenticate", "share_stream", "unshare_stream",
        ]
    }  # fmt: skip


def test_everything_about_a_start_is_optional() -> None:
    start = parse(StartStream, {})
    assert start.model_dump() == {
        "source": None, "prompt": None, "text": None, "unit": "char", "rate": None,
        "format": "char", "params": {}, "on_disconnect": "continue", "request_id": None,
    }  # fmt: skip


def test_a_start_with_everything() -> None:
    payload = {
        "source": "llm", "prompt": "Hi 字", "unit": "word", "rate": 7, "format": "chunk",
        "params": {"seed": 1}, "request_id": "r1",
    }  # fmt: skip
    assert parse(StartStream, payload).model_dump(exclude_defaults=True) == payload


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (None, "nothing"), ("x", "a string"), (3, "a number"), (1.5, "a number"),
        (True, "a boolean"), ([], "a list"), (b"x", "binary data"),
    ],
)  # fmt: skip
def test_what_is_no_object_is_named(payload: object, what: str) -> None:
    assert refusal(StreamRef, payload) == f"expected an object, got {what}"


# Rates


@pytest.mark.parametrize(
    ("rate", "meant"),
    [(0, 0.0), (30, 30.0), (0.5, 0.5), ("auto", "auto"), (5e-324, 5e-324), (10**308, 1e308)],
)
def test_a_rate_is_a_number_or_auto(rate: object, meant: object) -> None:
    assert parse(SetRate, {"id": "a", "rate": rate}).rate == meant


@pytest.mark.parametrize(
    "rate", [math.nan, math.inf, -math.inf, -1, -0.001, 10**400, "fast", "", "1", True, None, [1]]
)
def test_any_other_rate_is_refused(rate: object) -> None:
    assert refusal(SetRate, {"id": "a", "rate": rate}) == (
        'rate: must be units per second, 0 (as fast as you read) or "auto"'
    )


def test_a_start_may_leave_the_rate_to_the_source_but_not_set_it_wrong() -> None:
    assert parse(StartStream, {"rate": None}).rate is None
    assert "auto" in refusal(StartStream, {"rate": math.nan})


# Offsets and ids


@pytest.mark.parametrize("offset", [0, 1, MAX_OFFSET])
def test_an_offset_is_what_javascript_can_count(offset: int) -> None:
    assert parse(ResumeStream, {"id": "a", "offset": offset}).offset == offset


@pytest.mark.parametrize(
    "offset", [-1, MAX_OFFSET + 1, 10**30, 1.0, 1.5, "1", True, None, math.nan]
)
def test_any_other_offset_is_refused(offset: object) -> None:
    assert refusal(ResumeStream, {"id": "a", "offset": offset}).startswith("offset: ")


@pytest.mark.parametrize("name", ["", "x" * (MAX_ID + 1), "a\0b", "a\ud800", 7, None, b"a", ["a"]])
def test_an_id_is_a_short_text(name: object) -> None:
    assert refusal(StreamRef, {"id": name}).startswith("id: ")


# Text


@pytest.mark.parametrize("key", ["text", "prompt", "source", "request_id"])
def test_what_cannot_be_sent_back_is_refused(key: str) -> None:
    assert refusal(StartStream, {key: "ab\0c"}) == f"{key}: contains NUL (U+0000)"
    assert refusal(StartStream, {key: "ab\ud83d"}).startswith(f"{key}: ")


def test_half_a_pair_is_found_for_whoever_sent_it() -> None:
    assert refusal(StartStream, {"text": "ab\ud83d"}) == (
        "text: is not valid Unicode: lone surrogate at position 2"
    )


@pytest.mark.parametrize("text", ["", "字", "👨\u200d👩\u200d👧", "\r\n\t\x01", "\uffff\U0010ffff"])
def test_any_other_text_is_fine(text: str) -> None:
    assert parse(StartStream, {"text": text}).text == text


# Words of refusal


def test_every_wrong_key_is_named_once() -> None:
    message = refusal(StartStream, {"text": 7, "unit": "byte", "speed": 3, "format": None})
    assert sorted(part.partition(": ")[0] for part in message.split("; ")) == [
        "format", "speed", "text", "unit",
    ]  # fmt: skip
    assert "speed: unknown key" in message
    assert "'char', 'word' or 'token'" in message


def test_the_value_is_never_repeated() -> None:
    for key in StartStream.model_fields:
        assert "s3cret" not in refusal(StartStream, {key: ["s3cret"]})


def test_a_strange_key_is_shown_in_part() -> None:
    message = refusal(StartStream, {"k" * 1000: 1, "a\ud800\0": 2})
    assert len(message) < 400
    assert "\0" not in message
    message.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
known_keys = st.sampled_from([*StartStream.model_fields, *ResumeStream.model_fields])


@pytest.mark.parametrize("model", MODELS)
@given(payload=json_values | st.dictionaries(known_keys | st.text(), json_values, max_size=6))
def test_any_payload_is_taken_or_refused_in_words(model: type[Payload], payload: Any) -> None:
    try:
        parsed = parse(model, payload)
    except InvalidRequest as error:
        json.dumps(error.to_wire()).encode()
        error.message.encode()
    else:
        assert isinstance(parsed, model)
        assert set(payload) <= set(model.model_fields)


# What the server sends


def test_payloads_of_the_server_are_plain_json() -> None:
    info = StreamInfo(id="a", source="text", unit="char", rate=30, format="char", offset=0)
    assert json.loads(json.dumps(info.model_dump()))["rate"] == 30
    assert isinstance(info.model_dump()["rate"], int)
    end = StreamEnd(id="a", reason="completed", offset=3, text_sha256="00")
    assert list(end.model_dump()) == ["id", "reason", "offset", "text_sha256"]


RATES: list[tuple[Rate, Any]] = [
    (30.0, 30), (0.0, 0), (12.5, 12.5), ("auto", "auto"), (7, 7)
]  # fmt: skip

PLAIN: list[tuple[dict[str, Any], BaseModel]] = [
    *(
        (
            stream_info("a", "text", "word", rate, format_="chunk", offset=7),
            StreamInfo(id="a", source="text", unit="word", rate=shown, format="chunk", offset=7),
        )
        for rate, shown in RATES
    ),
    (stream_chunk("a", 3, 5, "字b"), StreamChunk(id="a", offset=3, next=5, text="字b")),
    (
        stream_end("a", "stopped", 9, "00"),
        StreamEnd(id="a", reason="stopped", offset=9, text_sha256="00"),
    ),
    (stream_waiting("a", 3), StreamWaiting(id="a", position=3)),
    (server_draining(4), ServerDraining(retry_after=4)),
]


@pytest.mark.parametrize(("plain", "model"), PLAIN)
def test_what_is_sent_as_plain_values_is_what_the_model_says(
    plain: dict[str, Any], model: BaseModel
) -> None:
    assert json.dumps(plain) == json.dumps(model.model_dump()), "keys in order, and numbers as such"
    assert type(model).model_validate(plain) == model


def test_every_model_of_what_the_server_emits_has_its_plain_values() -> None:
    models = {one for one in vars(protocol).values() if isinstance(one, type)}
    said = {one for one in models if issubclass(one, BaseModel) and not issubclass(one, Payload)}
    said -= {BaseModel, StreamDescription}  # that one is an answer, and seldom asked for
    assert {type(model) for _, model in PLAIN} == said
    told = {"code": "source_failed", "message": "It broke.", "retryable": True}
    assert stream_error("a", told) == {"id": "a", **told}
