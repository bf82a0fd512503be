"""The body of an answer, cut anywhere, and in whatever shape; without a network."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.wire_bodies import CONTENT
from tests.sources.wire_endings import ERRORS, FINISH, FRAMING
from tests.sources.wire_rows import END, HI, Row, chunk, record, say, whole
from textstream.errors import SourceFailed
from textstream.sources.answer_body import AnswerBody


def read(*pieces: bytes, limit: int = 1_000_000) -> tuple[str, str | None]:
    """Return the text, and the reason that a generator would return, or the sentence."""
    body = AnswerBody("text/event-stream", limit=limit)
    text, failure = "", None
    try:
        for piece in pieces:
            for added in body.feed(piece):
                text += added
    except SourceFailed as error:
        failure = error
    text += "".join(body.close())
    try:
        return text, body.ending(failure).reason
    except SourceFailed as error:
        return text, error.message


STREAMS = [*FINISH, *FRAMING, *ERRORS, *CONTENT]


@given(st.sampled_from(STREAMS), st.data())
def test_any_cut_gives_the_same_answer(row: Row, data: st.DataObject) -> None:
    stream = b"".join(step for step in row.steps[1:] if isinstance(step, bytes))[:5000]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(*pieces) == read(stream)


NAMES = [
    "choices",
    "delta",
    "message",
    "content",
    "text",
    "type",
    "index",
    "refusal",
    "error",
    "finish_reason",
    "tool_calls",
    "reasoning",
    "detail",
    "code",
    "object",
    "value",
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, JSON, JSON)
def test_any_json_in_any_place_gives_text_or_a_sentence(a: Any, b: Any, c: Any) -> None:
    choices = {"choices": [{"delta": {"content": a}, "finish_reason": b}, c]}
    for value in (a, {"choices": b}, {"choices": [c]}, choices):
        for stream in (record(value), record(value)[6:]):
            text, ending = read(HI, stream, END)
            assert isinstance(text, str)
            assert ending is None or isinstance(ending, str)


@given(st.binary(max_size=200))
def test_any_bytes_give_text_or_a_sentence(data: bytes) -> None:
    text, ending = read(data)
    assert not text
    assert isinstance(ending, str)


@pytest.mark.parametrize(
    "endless",
    [
        b"data: " + b"x" * 999,
        b"data: " + b"x" * 999 + b"\n",
        b'{"a": "' + b"x" * 999,
        b"[" + b"{}," * 300,
    ],
)
def test_what_has_no_end_is_not_kept(endless: bytes) -> None:
    text, sentence = read(*[endless] * 200, limit=50_000)
    assert text == ""
    assert "more than 50000 bytes" in str(sentence)


def test_blank_lines_in_front_are_not_kept() -> None:
    body = AnswerBody()
    for _ in range(1000):
        assert not list(body.feed(b" \r\n" * 1000))
    assert list(body.feed(whole(content="Hi"))) == ["Hi", ""]
    assert body.ending().reason is None


def test_a_large_document_in_small_pieces() -> None:
    document = whole(content="{}," * 50_000)
    text, reason = read(*(document[at : at + 100] for at in range(0, len(document), 100)))
    assert (text, reason) == ("{}," * 50_000, None)


def test_what_is_no_text_shows_that_the_model_is_at_work() -> None:
    body = AnswerBody()
    for at_work in (say(reasoning="Hm."), say(tool_calls=[{}]), say([{"type": "thinking"}])):
        assert list(body.feed(at_work)) == [""]
    for silent in (say(role="assistant"), say(""), record({"choices": []}), b": ping\n\n"):
        assert list(body.feed(silent)) == []
    assert list(body.feed(record(chunk("Hi")))) == ["Hi"]
    assert not body.finished
    assert list(body.feed(say(finish="stop"))) == [""]
    assert body.finished
    assert list(body.feed(say(finish="stop"))) == []
