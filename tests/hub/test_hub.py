"""The streams of a server, from start to oblivion: real parts, a clock that the test moves."""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import PLENTY, Bench, RecordingSink, ScriptedSource, sha256
from tests.support.own_log import own_log
from tests.support.ranked_locks import held
from textstream.access.principal import Principal
from textstream.access.shares import Shares
from textstream.errors import (
    Forbidden,
    InvalidRequest,
    OffsetGone,
    ShuttingDown,
    TooManyStreams,
    UnknownStream,
)
from textstream.hub.keeper import Limits
from textstream.log_format import extras
from textstream.log_lines import HELD_SECONDS
from textstream.loggable import fingerprint
from textstream.protocol import FormatName
from textstream.reading.dispatcher import TICK
from textstream.sources.base import CancelToken, Source, SourceRequest

LETTERS = "abcdefghijklmnopqrstuvwxyz"
UUID = "123e4567-e89b-12d3-a456-426614174000"
ALICE = Principal("client:alice")


@pytest.fixture
def bench(clock: ManualClock) -> Bench:
    return Bench(clock)


# Start to end


def test_a_stream_from_its_start_to_its_end(bench: Bench) -> None:
    reader, sink = bench.start("añ字")
    assert sink.written == [], "only the dispatcher writes"
    bench.run(1)
    assert sink.names == ["stream_start", "stream_end"]
    assert sink.chars == ["a", "ñ", "字"]
    assert sink.start == reader.info
    assert sink.end == {
        "id": reader.stream.id,
        "reason": "completed",
        "offset": 3,
        "text_sha256": sha256("añ字"),
    }
    assert bench.hub.running_streams == 0


def test_a_text_goes_at_thirty_a_second(bench: Bench) -> None:
    begin = bench.clock.now
    _, sink = bench.start("x" * 300)
    bench.run(60)
    assert sink.times[-1] - begin == pytest.approx(299 / 30, abs=0.01)


def test_a_live_source_sets_the_pace_itself(bench: Bench) -> None:
    reader, _ = bench.start(ScriptedSource("ab", live=True).source)
    assert reader.info["rate"] == "auto"


def test_a_hundred_streams_started_at_once_stay_together(bench: Bench) -> None:
    begin = bench.clock.now
    sinks = [bench.start("x" * 150, connection=f"c{n}")[1] for n in range(100)]
    bench.run(10)
    lasts = [sink.times[-1] - begin for sink in sinks]
    assert lasts == pytest.approx([149 / 30] * 100, abs=0.02)


def test_ids_are_hard_to_guess(bench: Bench) -> None:
    ids = {bench.start("a", connection=f"c{n}")[0].stream.id for n in range(50)}
    assert len(ids) == 50
    assert min(map(len, ids)) >= 22  # 128 bits


def test_an_error_half_way_keeps_what_came_before(bench: Bench) -> None:
    script = ScriptedSource("ab", error=OSError("gone"))
    reader, sink = bench.start(script.source, rate=0)
    bench.run(1)
    assert sink.names == ["stream_start", "stream_error", "stream_end"]
    assert sink.text == "ab"
    assert (sink.end["reason"], sink.end["text_sha256"]) == ("error", sha256("ab"))
    _, again = bench.resume(reader.stream.id, 0)
    bench.run(1)
    assert again.text == "ab"
    assert again.error["code"] == "source_failed"


def test_the_log_line_says_everything_but_the_text(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "textstream.streams"):
        reader, _ = bench.start("secret", rate=10)
        bench.run(5)
    (record,) = [r for r in caplog.records if r.getMessage() == "stream ended"]
    assert extras(record) == {
        "stream": fingerprint(reader.stream.id),
        "source": "script",
        "unit": "char",
        "units": 6,
        "seconds": pytest.approx(0.5, abs=0.02),
        "reason": "completed",
        "sha256": sha256("secret"),
    }
    assert "secret" not in json.dumps(extras(record), default=str)


@pytest.mark.parametrize("format_", ["text", "json"])
def test_the_lines_of_many_ends_share_a_write(bench: Bench, format_: str) -> None:
    with own_log(format_) as written:
        readers = [bench.start("ab", connection=f"c{n}", rate=0)[0] for n in range(20)]
        bench.run(HELD_SECONDS / 2)
        assert bench.hub.running_streams == 0
        assert written.getvalue() == ""
        bench.run(HELD_SECONDS)
        assert written.writes == 1
        lines = written.getvalue().splitlines()
    assert len(lines) == 20
    for reader, line in zip(readers, lines, strict=True):
        assert fingerprint(reader.stream.id) in line
        assert sha256("ab") in line


def there(text: str) -> Source:
    """Return a source whose text is there as a whole."""

    def generate(request: SourceRequest) -> Iterator[str]:
        raise AssertionError("it is not asked")
        yield request.prompt or ""

    return Source("there", generate, live=False, whole=lambda _request: text)


def test_a_text_that_is_there_takes_no_thread(bench: Bench) -> None:
    reader, sink = bench.start(there("añ字"), rate=0)
    assert (reader.stream.life.state, reader.stream.log.next) == ("produced", 3)
    assert not bench.pool.jobs
    bench.run(1)
    assert (sink.text, sink.end["reason"]) == ("añ字", "completed")
    assert sink.end["text_sha256"] == sha256("añ字")


@pytest.mark.parametrize(
    ("text", "reason", "read"), [("", "completed", ""), ("abcdef", "length", "abc")]
)
def test_a_text_that_is_there_ends_as_others_do(
    clock: ManualClock, text: str, reason: str, read: str
) -> None:
    bench = Bench(clock, Limits(max_units=3))
    reader, sink = bench.start(there(text), rate=0)
    bench.run(1)
    assert (sink.text, sink.end["reason"]) == (read, reason)
    assert reader.stream.cancel.cancelled is (reason == "length")


def test_a_text_that_is_there_is_produced_once(bench: Bench) -> None:
    first, sink = bench.start(there("abc"), request_id=UUID, rate=0)
    again, _ = bench.start(there("abc"), request_id=UUID, rate=0)
    assert again.stream is first.stream
    bench.run(1)
    assert sink.text == "abc"


def test_a_source_that_fails_to_say_whether_it_is_there_starts_nothing(bench: Bench) -> None:
    def fail(_request: SourceRequest) -> str:
        raise OSError("scripted")

    cancel = CancelToken()
    source = dataclasses.replace(there(""), whole=fail)
    with pytest.raises(OSError, match="scripted"):
        bench.start(source, cancel=cancel)
    assert cancel.cancelled
    assert bench.hub.running_streams == 0


# A source's code


def ending(way: str, bench: Bench, stream_id: str) -> None:
    """End alice's stream, which another start of hers has replaced nothing of yet."""
    match way:
        case "stopped":
            bench.hub.stop(stream_id, "alice")
        case "stopped with all of its connection's":
            bench.hub.stop_own("alice")
        case "replaced":
            bench.start("another")
        case "replaced by a start that is repeated":
            bench.start("first", request_id=UUID)
        case "left, and wanted no longer":
            bench.hub.disconnect("alice")
        case "shut down":
            bench.hub.close(0)
    bench.run(100)


@pytest.mark.parametrize(
    "way",
    [
        "stopped",
        "stopped with all of its connection's",
        "replaced",
        "replaced by a start that is repeated",
        "left, and wanted no longer",
        "shut down",
        "too long",
    ],
)
def test_the_code_of_a_source_runs_without_any_lock(clock: ManualClock, way: str) -> None:
    """It may take its time, or ask the server for something."""
    bench = Bench(clock, Limits(max_duration=90, grace=5))
    under: dict[str, list[str]] = {}
    cancel = CancelToken()
    cancel.on_cancel(lambda: under.update(cancelled=held()))

    def generate(_request: SourceRequest) -> Iterator[str]:
        try:
            while True:
                under["asked"] = held()
                yield "x" * 100
        finally:
            under["closed"] = held()

    bench.start("first", request_id=UUID, rate=0)
    bench.run(1)
    reader, _ = bench.start(Source("theirs", generate), cancel=cancel, rate=10)
    bench.run(1)
    ending(way, bench, reader.stream.id)
    assert reader.stream.ending
    assert under == {"asked": [], "cancelled": [], "closed": []}


def test_a_slow_cancel_callback_holds_up_nobody(bench: Bench) -> None:
    """Where a start is repeated whose connection reads something else by now."""
    connected = threading.Event()

    def connect() -> None:
        bench.hub.connect("bob")
        connected.set()

    def wait_for_bob() -> None:
        thread = threading.Thread(target=connect)
        thread.start()
        thread.join(10)

    cancel = CancelToken()
    cancel.on_cancel(wait_for_bob)
    bench.start("first", request_id=UUID, rate=0)
    bench.run(1)
    bench.start(ScriptedSource(LETTERS, repeat=True).source, cancel=cancel, rate=10)
    bench.start("first", request_id=UUID)
    assert cancel.cancelled
    assert connected.is_set()


# One stream of bare characters per connection


def test_another_start_replaces_the_stream_of_bare_characters(bench: Bench) -> None:
    script = ScriptedSource(LETTERS, repeat=True)
    sink = RecordingSink(bench.clock)
    first, _ = bench.start(script.source, sink=sink, rate=10)
    bench.run(0.25)
    second, _ = bench.start(ScriptedSource("xyz").source, sink=sink, rate=0)
    bench.run(1)
    assert [(e.event, e.data) for e in sink.written if e.event == "new_char"][3:] == [
        ("new_char", "x"), ("new_char", "y"), ("new_char", "z"),
    ]  # fmt: skip
    ids = [(e.event, e.data["id"]) for e in sink.written if e.event != "new_char"]
    assert ids == [
        ("stream_start", first.stream.id),
        ("stream_end", first.stream.id),
        ("stream_start", second.stream.id),
        ("stream_end", second.stream.id),
    ]
    old_end = sink.named("stream_end")[0].data
    assert (old_end["reason"], old_end["offset"]) == ("replaced", 3)
    assert script.closed == 1, "nobody else read it"


def test_two_starts_in_one_breath_each_begin_and_end(bench: Bench) -> None:
    sink = RecordingSink(bench.clock)
    for text in ("one", "two", "three"):
        bench.start(ScriptedSource(text).source, sink=sink, rate=0)
    bench.run(1)
    assert sink.names == ["stream_start", "stream_end"] * 3
    assert sink.text == "three"
    assert [e.data["reason"] for e in sink.named("stream_end")] == [
        "replaced", "replaced", "completed",
    ]  # fmt: skip


def test_what_another_reads_is_not_stopped_by_a_replacement(bench: Bench) -> None:
    reader, sink = bench.start(LETTERS, rate=10)
    bench.run(0.25)
    _, viewer = bench.resume(reader.stream.id, 0, connection="bob", rate=0)
    bench.start("new")
    bench.run(5)
    assert sink.end["reason"] == "replaced"
    assert sink.end["text_sha256"] == sha256(sink.text)
    assert (viewer.text, viewer.end["reason"]) == (LETTERS, "completed")


def test_chunks_replace_nothing(bench: Bench) -> None:
    sinks = [bench.start(LETTERS, format="chunk", rate=0)[1] for _ in range(3)]
    _, chars = bench.start(LETTERS, rate=0)
    bench.run(1)
    assert [sink.text for sink in [*sinks, chars]] == [LETTERS] * 4


def test_attaching_in_bare_characters_replaces_too(bench: Bench) -> None:
    shared, _ = bench.start(LETTERS, connection="bob", rate=1)
    _, own = bench.start(LETTERS, rate=1)
    bench.run(0)
    bench.resume(shared.stream.id, 0)
    bench.run(0)
    assert own.end["reason"] == "replaced"


def test_a_reader_that_skipped_ahead_can_be_replaced(bench: Bench) -> None:
    reader, _ = bench.start(LETTERS, rate=1)
    bench.run(0)
    _, skipped = bench.resume(reader.stream.id, 20, rate=1)
    _, new = bench.start("new", rate=0)
    bench.run(1)
    assert skipped.end["reason"] == "replaced"
    assert new.text == "new"


# Pause and pace


def test_pause_continue_and_another_pace(bench: Bench) -> None:
    _, sink = bench.start("x" * 1000, rate=10)
    reader = bench.hub.reader(sink_id(bench, sink), "alice")
    bench.run(1)
    assert len(sink.chars) == 11
    reader.pause()
    bench.run(10)
    assert len(sink.chars) == 11
    reader.go_on(bench.clock.now)
    bench.run(1)
    assert len(sink.chars) == pytest.approx(21, abs=1)
    reader.set_rate(100, bench.clock.now)
    bench.run(1)
    assert len(sink.chars) == pytest.approx(121, abs=2)


def sink_id(bench: Bench, sink: RecordingSink) -> str:
    bench.settle()
    return str(sink.start["id"])


def test_only_a_reader_of_the_stream_has_a_pace_to_change(bench: Bench) -> None:
    reader, _ = bench.start(LETTERS, rate=0)
    with pytest.raises(UnknownStream, match="resume_stream"):
        bench.hub.reader(reader.stream.id, "bob")
    with pytest.raises(UnknownStream, match="No stream has this id"):
        bench.hub.reader("nonsense", "alice")
    bench.run(1)
    with pytest.raises(UnknownStream, match="resume_stream"):
        bench.hub.reader(reader.stream.id, "alice")


# Stop


def test_stopping_seals_at_the_furthest_unit_sent_and_tells_all_at_once(bench: Bench) -> None:
    script = ScriptedSource(LETTERS)
    reader, sink = bench.start(script.source, rate=10)
    bench.run(0.5)
    _, viewer = bench.resume(reader.stream.id, 0, connection="bob", rate=1)
    bench.run(0.45)
    assert (len(sink.chars), len(viewer.chars)) == (10, 1)
    begin = bench.clock.now
    assert bench.hub.stop(reader.stream.id, "alice") == 10
    bench.settle()
    for end in (sink.end, viewer.end):
        assert end["reason"] == "stopped"
        assert (end["offset"], end["text_sha256"]) == (10, sha256(LETTERS[:10]))
    assert viewer.named("stream_end")[0].at == begin
    _, later = bench.resume(reader.stream.id, 0, connection="carol", rate=0)
    bench.run(1)
    assert later.text == LETTERS[:10], "the text stays readable"
    assert later.end["reason"] == "stopped"


def test_stopping_ones_own(bench: Bench) -> None:
    mine = [bench.start(LETTERS, format="chunk", rate=1)[0] for _ in range(2)]
    bench.start(LETTERS, connection="bob", rate=1)
    bench.run(0)
    assert bench.hub.stop_own("alice") == {reader.stream.id: 1 for reader in mine}
    assert bench.hub.stop_own("alice") == {}
    bench.settle()
    assert bench.hub.running_streams == 1


def test_stopping_what_there_is_not(bench: Bench) -> None:
    with pytest.raises(UnknownStream):
        bench.hub.stop("nonsense", "alice")


def test_stopping_closes_the_generator_at_once(bench: Bench) -> None:
    script = ScriptedSource("ab", repeat=True)
    reader, _ = bench.start(script.source, rate=1)
    bench.run(1)
    assert script.closed == 0
    bench.hub.stop(reader.stream.id, "alice")
    bench.settle()
    assert script.closed == 1
    assert reader.stream.log.next == 2


# Resume


def test_after_a_reconnect_the_missed_part_comes_at_once_the_rest_at_its_pace(
    bench: Bench,
) -> None:
    reader, sink = bench.start(LETTERS, rate=10)
    bench.run(0.95)
    bench.hub.disconnect("alice")
    bench.run(5)
    assert sink.text == LETTERS[:10]
    assert sink.names == ["stream_start"]
    begin = bench.clock.now
    _, again = bench.resume(reader.stream.id, 4, connection="alice's new connection", rate=10)
    bench.run(5)
    assert again.text == LETTERS[4:]
    assert again.times[:6] == [begin] * 6
    assert again.times[-1] - begin == pytest.approx(1.6, abs=0.11)
    assert (again.end["reason"], again.end["text_sha256"]) == ("completed", sha256(LETTERS))


@pytest.mark.parametrize("cut", range(0, 27, 5))
def test_cut_anywhere_and_the_text_is_whole(bench: Bench, cut: int) -> None:
    reader, sink = bench.start(LETTERS, rate=10)
    bench.run(max(0, cut - 1) / 10)
    bench.hub.disconnect("alice")
    bench.run(1)
    received = sink.text[:cut]
    _, again = bench.resume(reader.stream.id, len(received), connection="again", rate=0)
    bench.run(5)
    assert received + again.text == LETTERS
    assert again.end["text_sha256"] == sha256(LETTERS)


def test_a_late_viewer_gets_it_at_its_pace_from_where_it_wants(bench: Bench) -> None:
    reader, _ = bench.start(LETTERS, rate=10)
    bench.run(1.5)
    begin = bench.clock.now
    _, viewer = bench.resume(reader.stream.id, 3, connection="bob", rate=5)
    bench.run(10)
    assert viewer.text == LETTERS[3:]
    assert viewer.times[-1] - begin == pytest.approx(22 / 5, abs=0.01)


def test_seeking_on_the_same_connection_is_no_return(bench: Bench) -> None:
    reader, sink = bench.start(LETTERS, rate=10)
    bench.run(1)
    begin = bench.clock.now
    _, back = bench.resume(reader.stream.id, 0, rate=10)
    bench.run(10)
    assert sink.names == ["stream_start"], "the old cursor is gone without a word"
    assert back.text == LETTERS
    assert back.times[-1] - begin == pytest.approx(2.5, abs=0.01)


def test_who_seeks_is_not_taken_for_another_who_left(bench: Bench) -> None:
    reader, _ = bench.start("x" * 100, rate=10)
    bench.resume(reader.stream.id, 0, connection="bob", rate=10)
    bench.run(2)
    bench.hub.disconnect("bob")
    _, back = bench.resume(reader.stream.id, 0, rate=10)
    bench.run(1)
    assert len(back.chars) == pytest.approx(11, abs=1)


def test_seeking_keeps_the_format_unless_another_is_asked_for(bench: Bench) -> None:
    reader, _ = bench.start(LETTERS, format="chunk", rate=10)
    bench.run(0)
    assert bench.resume(reader.stream.id, 0)[0].format == "chunk"
    assert bench.resume(reader.stream.id, 0, format="char")[0].format == "char"
    assert bench.resume(reader.stream.id, 0, connection="bob")[0].format == "char"


def test_a_finished_stream_can_be_read_again_on_the_same_connection(bench: Bench) -> None:
    reader, _ = bench.start(LETTERS, rate=0)
    bench.run(1)
    _, again = bench.resume(reader.stream.id, 20)
    bench.run(5)
    assert (again.text, again.end["offset"]) == (LETTERS[20:], 26)


def test_who_was_cut_off_at_the_end_gets_the_end_at_once(bench: Bench) -> None:
    """The last characters were written to a connection that was already gone."""
    reader, sink = bench.start(LETTERS, rate=10)
    bench.run(10)
    assert sink.end
    bench.hub.disconnect("alice")
    begin = bench.clock.now
    _, again = bench.resume(reader.stream.id, 15, connection="again")
    bench.run(1)
    assert again.text == LETTERS[15:]
    assert again.named("stream_end")[0].at == begin


@pytest.mark.parametrize("offset", [27, 2**53 - 1])
def test_there_is_nothing_behind_the_end(bench: Bench, offset: int) -> None:
    reader, _ = bench.start(LETTERS)
    bench.run(0)
    with pytest.raises(InvalidRequest, match="the stream has 26 units"):
        bench.resume(reader.stream.id, offset)


def test_at_the_very_end_there_is_the_end(bench: Bench) -> None:
    reader, _ = bench.start(LETTERS, rate=0)
    bench.run(1)
    _, sink = bench.resume(reader.stream.id, 26, connection="bob")
    bench.run(0)
    assert sink.names == ["stream_start", "stream_end"]
    assert sink.text == ""


def test_what_was_trimmed_is_gone_and_says_so(clock: ManualClock) -> None:
    bench = Bench(clock, max_stream_bytes=4096)
    reader, sink = bench.start(ScriptedSource("x" * 100, repeat=True).source, rate=10_000)
    bench.run(5)
    first = reader.stream.log.first
    assert first > 0
    with pytest.raises(OffsetGone, match=f"Resume at {first}") as raised:
        bench.resume(reader.stream.id, 0, connection="bob")
    assert raised.value.to_wire()["first"] == first
    assert sink.names == ["stream_start"]
    bench.hub.stop(reader.stream.id, "alice")
    bench.settle()
    assert sink.end["text_sha256"] == sha256(sink.text), "the hash covers what was trimmed"


# Idempotence


def test_the_same_request_starts_one_stream(bench: Bench) -> None:
    script = ScriptedSource(LETTERS)
    first, sink = bench.start(script.source, request_id="r1")
    second, other_sink = bench.start(script.source, request_id="r1")
    assert second is first
    bench.run(5)
    assert sink.text == LETTERS
    assert other_sink.written == []
    assert script.closed == 1


def test_the_same_request_after_the_end_gives_the_same_text_again(bench: Bench) -> None:
    first, _ = bench.start(LETTERS, request_id="r1", rate=0)
    bench.run(1)
    second, sink = bench.start(LETTERS, request_id="r1", rate=0)
    bench.run(1)
    assert second.stream is first.stream
    assert sink.text == LETTERS


def test_the_name_of_a_request_is_not_for_another(bench: Bench) -> None:
    first, _ = bench.start(LETTERS, request_id="r1", digest=b"letters")
    with pytest.raises(InvalidRequest, match="request_id") as raised:
        bench.start("something else", request_id="r1", digest=b"something else")
    assert not raised.value.retryable
    assert bench.hub.running_streams == 1
    assert bench.start(LETTERS, request_id="r1", digest=b"letters")[0] is first


def test_a_start_that_is_repeated_while_the_server_goes_down_finds_its_stream(
    bench: Bench,
) -> None:
    for connection in ("alice", "alice again"):
        bench.hub.connect(connection, principal=ALICE)
    first, _ = bench.start(LETTERS, request_id=UUID, rate=10)
    bench.hub.disconnect("alice")  # its answer was lost with the connection
    bench.hub.refuse_starts()
    again, sink = bench.start(LETTERS, request_id=UUID, connection="alice again", rate=0)
    assert again.stream is first.stream
    bench.run(1)
    assert sink.text == LETTERS
    with pytest.raises(ShuttingDown):
        bench.start(LETTERS, connection="bob")


def test_who_is_told_of_an_end_may_start_the_next_one_at_once(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(max_streams=1))
    _, sink = bench.start(LETTERS, rate=0)
    bench.pool.run_one()
    while not sink.named("stream_end"):
        bench.dispatcher.step(clock.now)
    assert bench.hub.running_streams == 0
    bench.start(LETTERS, rate=0)


@pytest.mark.parametrize("request_id", ["1", UUID])
def test_a_request_id_counts_for_nobody_else(bench: Bench, request_id: str) -> None:
    bench.hub.connect("carol", principal=Principal("client:carol"))
    started = {
        bench.start(LETTERS, request_id=request_id, connection=who)[0].stream.id
        for who in ("alice", "bob", "carol")
    }
    assert len(started) == 3


@pytest.mark.parametrize("request_id", ["1", UUID])
def test_a_request_id_is_known_after_a_reconnect(bench: Bench, request_id: str) -> None:
    for connection in ("alice", "alice again"):
        bench.hub.connect(connection, principal=ALICE)
    first, _ = bench.start(LETTERS, request_id=request_id, rate=10)
    bench.run(1)
    bench.hub.disconnect("alice")
    second, sink = bench.start(LETTERS, request_id=request_id, connection="alice again", rate=10)
    bench.run(5)
    assert second.stream is first.stream
    assert sink.text == LETTERS
    assert list(bench.hub.stop_own("alice again")) == [], "it has ended"


def test_a_forgotten_request_starts_anew(bench: Bench) -> None:
    first, _ = bench.start("a", request_id=UUID, rate=0)
    bench.run(1000)
    second, _ = bench.start("a", request_id=UUID, rate=0)
    assert second.stream is not first.stream


# Limits


def test_a_client_may_run_so_many_streams(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(max_streams_per_client=2))
    first, _ = bench.start(LETTERS, format="chunk")
    bench.start(LETTERS, format="chunk")
    with pytest.raises(TooManyStreams, match="already runs 2 streams") as raised:
        bench.start(LETTERS, format="chunk")
    assert raised.value.retryable
    bench.start(LETTERS, connection="bob")
    bench.hub.stop(first.stream.id, "alice")
    bench.start(LETTERS, format="chunk")


def test_a_stream_that_will_be_replaced_does_not_count(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(max_streams_per_client=1))
    bench.start(LETTERS)
    bench.start(LETTERS)
    with pytest.raises(TooManyStreams):
        bench.start(LETTERS, format="chunk")


def test_a_refused_start_replaces_nothing(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(max_streams=1))
    _, sink = bench.start(LETTERS, rate=0)
    with pytest.raises(TooManyStreams):
        bench.start(LETTERS, connection="bob")
    bench.run(1)
    assert sink.text == LETTERS


def test_the_server_runs_so_many_streams(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(max_streams=3))
    for n in range(3):
        bench.start("abc", connection=f"c{n}", rate=0)
    with pytest.raises(TooManyStreams, match="TEXTSTREAM_MAX_STREAMS"):
        bench.start(LETTERS, connection="late")
    bench.run(1)
    bench.start(LETTERS, connection="late")


# Back-pressure, through to the generator


def test_a_paused_reader_pauses_the_generator(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(lookahead=10))
    script = ScriptedSource("ab", repeat=True)
    reader, _ = bench.start(script.source, rate=100)
    bench.run(1)
    reader.pause()
    bench.run(1)
    paused_at = script.yielded
    bench.run(100)
    assert script.yielded == paused_at
    reader.go_on(clock.now)
    bench.run(1)
    assert script.yielded > paused_at


def test_the_generator_never_runs_far_ahead_of_the_fastest_reader(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(lookahead=10))
    script = ScriptedSource("ab", repeat=True)
    reader, sink = bench.start(script.source, rate=10)
    for _ in range(50):
        bench.run(0.1)
        assert reader.stream.log.next - len(sink.chars) <= 12
    assert len(sink.chars) == pytest.approx(51, abs=1)
    assert bench.pool.jobs == type(bench.pool.jobs)(), "and holds no thread meanwhile"


def test_a_reader_without_room_holds_the_generator_and_loses_nothing(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(lookahead=10))
    script = ScriptedSource(*LETTERS * 4)
    _, sink = bench.start(script.source, rate=0, capacity=5)
    bench.run(10)
    assert len(sink.chars) == 5
    assert 15 <= script.yielded <= 17
    sink.capacity = PLENTY
    bench.run(1)
    assert sink.text == LETTERS * 4


# Leaving, grace, retention


def test_a_stream_whose_readers_are_gone_expires(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(grace=60, lookahead=10))
    script = ScriptedSource("ab", repeat=True)
    reader, _ = bench.start(script.source, rate=1)
    bench.run(5)
    bench.hub.disconnect("alice")
    bench.run(59)
    assert (bench.hub.running_streams, script.closed) == (1, 0)
    bench.run(1.1)
    assert (bench.hub.running_streams, script.closed) == (0, 1)
    _, late = bench.resume(reader.stream.id, 0, connection="again", rate=0)
    bench.run(1)
    assert late.end["reason"] == "expired"


def test_a_return_in_time_keeps_it(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(grace=60))
    reader, _ = bench.start("x" * 1000, rate=1)
    bench.run(5)
    bench.hub.disconnect("alice")
    bench.run(50)
    _, again = bench.resume(reader.stream.id, 0, connection="again", rate=1)
    bench.run(500)
    assert not again.named("stream_end")
    assert bench.hub.running_streams == 1


def test_who_returns_with_the_key_owns_what_it_started(bench: Bench) -> None:
    reader, _ = bench.start("x" * 1000, rate=1)
    stream = reader.stream
    bench.run(5)
    bench.hub.disconnect("alice")
    bench.resume(stream.id, 0, connection="viewer")
    bench.resume(stream.id, 0, connection="again", key=stream.key)
    assert bench.hub.stop_own("viewer") == {}
    assert list(bench.hub.stop_own("again")) == [stream.id]


def test_who_returns_before_the_break_was_noticed_owns_it_at_once(bench: Bench) -> None:
    """From one network to another: the old connection is open until it times out."""
    reader, _ = bench.start("x" * 1000, connection="old", rate=1)
    stream = reader.stream
    bench.resume(stream.id, 0, connection="new", key=stream.key)
    assert bench.hub.stop_own("old") == {}
    bench.hub.disconnect("old")
    assert list(bench.hub.stop_own("new")) == [stream.id]


def test_a_client_owns_on_each_of_its_connections_what_it_has_started(bench: Bench) -> None:
    for connection in ("old", "new", "newest"):
        bench.hub.connect(connection, principal=ALICE)
    reader, _ = bench.start("x" * 1000, connection="old", rate=1)
    bench.resume(reader.stream.id, 0, connection="new")
    bench.hub.disconnect("old")
    assert bench.hub.stop(reader.stream.id, "newest") == 0
    assert reader.stream.ending


@pytest.mark.parametrize("left", [False, True], ids=["owner there", "owner gone"])
@pytest.mark.parametrize("way", ["reads", "read it once", "was there before", "never read it"])
def test_nobody_else_stops_it(bench: Bench, way: str, left: bool) -> None:
    if way == "was there before":
        bench.hub.connect("viewer")
    reader, _ = bench.start("x" * 1000, connection="old", rate=1)
    stream_id = reader.stream.id
    if way != "never read it":
        bench.resume(stream_id, 0, connection="viewer")
    if way == "read it once":
        bench.hub.leave(stream_id, "viewer")
    if left:
        bench.hub.disconnect("old")
        bench.resume(stream_id, 0, connection="viewer")
    assert bench.hub.stop_own("viewer") == {}
    with pytest.raises(Forbidden, match="key"):
        bench.hub.stop(stream_id, "viewer")
    assert bench.hub.running_streams == 1


def test_another_streams_key_opens_nothing(bench: Bench) -> None:
    mine, other = (bench.start("x" * 9, connection=who)[0].stream for who in ("alice", "bob"))
    assert mine.key != other.key
    for refused in (
        lambda: bench.hub.stop(mine.id, "bob", other.key),
        lambda: bench.resume(mine.id, 0, connection="bob", key=other.key),
    ):
        with pytest.raises(Forbidden):
            refused()
    assert len(mine.readers) == 1


def test_a_stream_that_has_ended_is_its_owners_too(bench: Bench) -> None:
    """To stop it is to end what its readers still read."""
    reader, _ = bench.start("x" * 100, rate=0)
    bench.resume(reader.stream.id, 0, connection="viewer", rate=1)
    bench.run(1)
    assert reader.stream.ending
    with pytest.raises(Forbidden):
        bench.hub.stop(reader.stream.id, "viewer")
    assert bench.hub.stop(reader.stream.id, "alice") == 100


def test_an_ended_stream_is_forgotten_after_its_retention(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(retention=300))
    reader, _ = bench.start("abc", rate=0)
    bench.run(299)
    _, sink = bench.resume(reader.stream.id, 0, connection="bob", rate=0)
    bench.run(299)
    assert sink.text == "abc"
    bench.run(2)
    with pytest.raises(UnknownStream, match="300 s ago"):
        bench.resume(reader.stream.id, 0, connection="bob")


def test_ended_streams_go_early_when_they_keep_too_much(clock: ManualClock) -> None:
    bench = Bench(clock, shares=Shares(nbytes=1000))
    ids = []
    for n in range(4):
        ids.append(bench.start("x" * 400, connection=f"c{n}", rate=0)[0].stream.id)
        bench.run(1)
    for gone in ids[:2]:
        with pytest.raises(UnknownStream):
            bench.resume(gone, 0, connection="bob")
    for kept in ids[2:]:
        bench.resume(kept, 0, connection="bob", format="chunk")


def test_ended_streams_go_while_another_grows(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(lookahead=10), Shares(nbytes=1000))
    ended, _ = bench.start("x" * 600, rate=0)
    bench.run(1)
    _, sink = bench.start(ScriptedSource("y", repeat=True).source, connection="bob", rate=100)
    bench.run(3)
    bench.resume(ended.stream.id, 0, connection="carol", rate=0)
    bench.run(0.5)
    bench.hub.disconnect("carol")
    bench.run(1.5)
    assert len(sink.text) > 400
    with pytest.raises(UnknownStream):
        bench.resume(ended.stream.id, 0, connection="carol")


def test_a_connection_that_comes_and_goes_leaves_nothing(bench: Bench) -> None:
    bench.hub.connect("alice")
    bench.hub.disconnect("alice")
    bench.hub.disconnect("alice")
    assert bench.hub.settled


# Shutting down


def test_closing_ends_all_and_takes_no_more(bench: Bench) -> None:
    script = ScriptedSource("ab", repeat=True)
    _, sink = bench.start(script.source, rate=1)
    bench.run(2)
    assert not bench.hub.settled
    before = time.monotonic()
    bench.hub.close(5)
    assert bench.hub.closing
    assert bench.pool.closed_until == pytest.approx(before + 5, abs=1)
    bench.settle()
    assert sink.end["reason"] == "shutdown"
    assert script.closed == 1
    assert bench.hub.settled
    with pytest.raises(ShuttingDown):
        bench.start("abc")


def test_closing_ends_readers_of_finished_streams_too(bench: Bench) -> None:
    reader, _ = bench.start(LETTERS, rate=0)
    bench.run(1)
    _, slow = bench.resume(reader.stream.id, 0, connection="bob", rate=1)
    bench.run(1)
    bench.hub.close(5)
    bench.settle()
    assert slow.end["reason"] == "shutdown"
    assert bench.hub.settled


def test_a_reader_that_breaks_does_not_hinder_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(RecordingSink):
        def room(self, format_: FormatName) -> int:
            raise OSError("no such client")

    broken: Any = Broken(bench.clock)
    bench.start(ScriptedSource(LETTERS).source, sink=broken, rate=0)
    _, sink = bench.start(LETTERS, connection="bob", rate=0)
    bench.run(1)
    assert sink.text == LETTERS
    assert "a reader failed and was dropped" in caplog.text


def test_a_forgotten_stream_is_not_kept_by_a_connection_that_read_it(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(retention=1))
    reader, sink = bench.start("a text", rate=0)
    bench.settle()
    assert sink.text == "a text"
    kept = weakref.ref(reader.stream)
    del reader
    bench.run(2)
    gc.collect()
    assert kept() is None


def test_a_reader_that_failed_is_told_and_its_stream_expires(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(grace=1))
    reader, sink = bench.start("x" * 100, rate=10)
    bench.run(0.5)
    sink.capacity = None  # type: ignore[assignment]  # whatever reads it fails
    bench.run(0.5)
    assert sink.written[-1].event == "stream_error"
    assert sink.written[-1].data["code"] == "internal_error"
    bench.run(2)
    assert bench.hub.running_streams == 0
    _, again = bench.resume(reader.stream.id, 0, rate=0)
    bench.settle()
    assert again.text == "x" * 100


def test_a_stream_that_is_to_be_cancelled_ends_with_its_last_reader(clock: ManualClock) -> None:
    bench = Bench(clock)
    reader, _ = bench.start(
        ScriptedSource("x", repeat=True).source, rate=10, on_disconnect="cancel"
    )
    bench.run(1)
    bench.resume(reader.stream.id, 0, connection="bob")
    bench.hub.disconnect("alice")
    bench.run(1)
    assert bench.hub.running_streams == 1, "bob reads it"
    bench.hub.disconnect("bob")
    bench.run(TICK)
    assert bench.hub.running_streams == 0
    assert reader.stream.ending
    assert reader.stream.ending.reason == "expired"
    assert reader.stream.cancel.cancelled


def test_no_stream_is_taken_while_running_ones_keep_too_much(clock: ManualClock) -> None:
    bench = Bench(clock, shares=Shares(nbytes=1000))
    reader, _ = bench.start("x" * 2000, rate=1)
    bench.run(1)
    with pytest.raises(TooManyStreams, match="TEXTSTREAM_MAX_TOTAL_BYTES"):
        bench.start("y", connection="bob")
    bench.hub.stop(reader.stream.id, "alice")
    bench.run(1)
    bench.start("y", connection="bob")


def test_a_stream_that_was_forgotten_in_between_cannot_be_resumed(clock: ManualClock) -> None:
    """Found in the table, then forgotten by the dispatcher's thread, then attached to."""
    bench = Bench(clock)
    reader, _ = bench.start("x")
    bench.run(1)
    bench.hub.disconnect("alice")
    assert reader.stream.forget()
    with pytest.raises(UnknownStream, match="forgotten"):
        bench.resume(reader.stream.id, 0)


def test_a_stream_describes_itself_to_whoever_may_join(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(lookahead=10))
    reader, _ = bench.start(ScriptedSource("x", repeat=True).source, rate=10)
    hub, stream_id = bench.hub, reader.stream.id
    first = hub.describe(stream_id, "c")
    assert (first.state, first.next, first.readers, first.reason) == ("created", 0, 1, None)
    bench.resume(stream_id, 0, connection="bob")
    bench.run(1)
    running = hub.describe(stream_id, "c")
    assert (running.state, running.readers) == ("held", 2)
    assert running.next >= 20
    assert running.furthest == 11  # its source is ahead of its readers
    hub.stop(stream_id, "alice")
    bench.run(1)
    ended = hub.describe(stream_id, "c")
    assert (ended.state, ended.reason, ended.readers) == ("ended", "stopped", 0)
    with pytest.raises(UnknownStream):
        hub.describe("none", "c")


def test_a_reader_that_leaves_is_counted_no_longer_and_may_come_back(bench: Bench) -> None:
    reader, sink = bench.start("x" * 100, rate=10)
    stream_id = reader.stream.id
    bench.resume(stream_id, 0, connection="bob")
    bench.run(1)
    assert bench.hub.leave(stream_id, "alice") == len(sink.chars) == 11
    assert bench.hub.describe(stream_id, "c").readers == 1
    bench.run(1)
    assert len(sink.chars) == 11
    assert sink.named("stream_end") == []
    with pytest.raises(UnknownStream, match="does not read"):
        bench.hub.leave(stream_id, "alice")
    _, again = bench.resume(stream_id, 11, rate=0)
    bench.run(1)
    assert again.text == "x" * 89


def test_a_stream_that_all_have_left_expires(clock: ManualClock) -> None:
    bench = Bench(clock, Limits(grace=60))
    reader, _ = bench.start(ScriptedSource("x", repeat=True).source, rate=10)
    bench.hub.leave(reader.stream.id, "alice")
    bench.run(61)
    assert reader.stream.ending
    assert reader.stream.ending.reason == "expired"
