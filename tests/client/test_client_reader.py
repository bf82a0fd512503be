from __future__ import annotations

import hashlib

from textstream.client.reader import HIGH_WATER, LOW_WATER, MAX_FUTILE_RESUMES, Reader
from textstream.errors import OffsetGone, SourceFailed, StreamFailed
from textstream.protocol import EndReason, StreamChunk, StreamEnd, StreamInfo

INFO = StreamInfo(id="s", source="text", unit="char", rate=30, format="chunk", offset=0)


def chunk(offset: int, text: str) -> StreamChunk:
    return StreamChunk(id="s", offset=offset, next=offset + len(text), text=text)


def end(text: str, reason: EndReason = "completed", offset: int | None = None) -> StreamEnd:
    digest = hashlib.sha256(text.encode()).hexdigest()
    count = len(text) if offset is None else offset
    return StreamEnd(id="s", reason=reason, offset=count, text_sha256=digest)


def started() -> Reader:
    reader = Reader(request={"source": "text"})
    reader.attaching()
    reader.started(INFO)
    return reader


def taken(reader: Reader) -> str:
    text = ""
    while piece := reader.take():
        text += piece.text
    return text


def test_it_starts_first_and_resumes_where_it_is_from_then_on() -> None:
    reader = Reader(request={"source": "text"})
    assert reader.attach_request() == ("start_stream", {"source": "text"})
    reader.started(INFO)
    reader.chunk(chunk(0, "abc"), 0.0)
    reader.rate = 100
    assert reader.attach_request() == (
        "resume_stream",
        {"id": "s", "offset": 3, "format": "chunk", "rate": 100},
    )


def test_a_gap_asks_for_one_resume_until_that_is_answered() -> None:
    reader = started()
    assert reader.chunk(chunk(2, "c"), 0.0)
    reader.attaching()
    assert not reader.chunk(chunk(3, "d"), 0.0)
    assert not reader.end(end("abcd"))
    reader.started(INFO)
    assert not reader.chunk(chunk(0, "abcd"), 0.0)
    assert not reader.end(end("abcd"))
    assert taken(reader) == "abcd"
    assert reader.result
    assert reader.result.verified


def test_resumes_that_bring_nothing_new_come_to_an_end() -> None:
    reader = started()
    for _ in range(MAX_FUTILE_RESUMES):
        assert reader.chunk(chunk(5, "x"), 0.0)
    assert not reader.chunk(chunk(5, "x"), 0.0)
    assert reader.over
    assert isinstance(reader.error, StreamFailed)


def test_an_end_with_units_missing_resumes_unless_somebody_cut_it_short() -> None:
    reader = started()
    reader.chunk(chunk(0, "ab"), 0.0)
    assert reader.end(end("abc"))
    assert not reader.over
    assert not reader.end(end("abc", "stopped"))
    assert reader.result
    assert not reader.result.verified
    assert reader.error is None


def test_other_text_than_the_server_sent_is_an_error() -> None:
    reader = started()
    reader.chunk(chunk(0, "abd"), 0.0)
    reader.end(end("abc"))
    assert isinstance(reader.error, StreamFailed)
    assert reader.error.code == "text_mismatch"


def test_an_error_keeps_its_class_and_the_text_before_it() -> None:
    reader = started()
    reader.chunk(chunk(0, "ab"), 0.0)
    reader.failing(SourceFailed("because"))
    assert not reader.over
    reader.end(end("ab", "error"))
    assert taken(reader) == "ab"
    assert isinstance(reader.error, SourceFailed)
    assert reader.result
    assert reader.result.reason == "error"


def test_a_reader_that_the_server_itself_let_go_of_comes_back_a_few_times() -> None:
    """No end follows an internal_error: the server's reader is gone."""
    mistake = StreamFailed("internal_error", "The server made a mistake.", retryable=True)
    reader = started()
    reader.chunk(chunk(0, "ab"), 0.0)
    for _ in range(MAX_FUTILE_RESUMES):
        assert reader.failing(mistake)
        assert not reader.over
    assert not reader.failing(mistake)
    assert reader.over
    assert reader.error is mistake


def test_trimmed_text_ends_it_at_once() -> None:
    reader = started()
    reader.failing(OffsetGone("trimmed", first=9))
    assert reader.over


def test_it_wants_a_pause_between_the_water_marks_only_on_the_way_down() -> None:
    reader = started()
    size, offset = LOW_WATER // 2, 0
    while not reader.wants_pause():
        reader.chunk(chunk(offset, "x" * size), 0.0)
        offset += size
    assert HIGH_WATER < offset <= HIGH_WATER + size
    while reader.wants_pause():
        assert reader.take()
        offset -= size
    assert LOW_WATER - size <= offset < LOW_WATER
    reader.paused = True
    assert reader.wants_pause()
