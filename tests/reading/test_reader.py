"""A reader, step by step: what it writes, when, and when it wants to be served again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import PLENTY, RecordingSink, Watcher, new_stream, sha256
from textstream.errors import SourceFailed
from textstream.observe.deliveries import Deliveries
from textstream.protocol import FormatName, Rate
from textstream.reading.chunks import UNIT_BYTES
from textstream.reading.dispatcher import TICK
from textstream.reading.reader import RETRY_MAX, RETRY_MIN, Reader
from textstream.reading.run import RUN, SHORTEST, Run
from textstream.reading.sink import MAX_UNITS_PER_STEP

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Desk:
    """One stream that the test appends to, its readers, and who asked to be served."""

    def __init__(self, clock: ManualClock, *, max_bytes: int = PLENTY) -> None:
        self.clock = clock
        self.woken: list[Reader] = []
        self.runs: list[Run[Reader]] = []
        self.watcher = Watcher()
        self.grain = 0.0
        self.deliveries = Deliveries(TICK)
        self.stream = new_stream(max_bytes=max_bytes, clock=clock, observer=self.watcher)

    def read(
        self,
        *,
        rate: Rate | None = 0,
        offset: int = 0,
        reached: int = 0,
        format_: FormatName = "char",
        capacity: int = PLENTY,
        prepares: bool = False,
    ) -> tuple[Reader, RecordingSink]:
        sink = RecordingSink(self.clock, capacity, prepares=prepares)
        reader = Reader(
            self.stream,
            sink,
            self,
            offset=offset,
            reached=reached,
            rate=rate,
            format_=format_,
            now=self.clock.now,
        )
        self.stream.attach(reader)
        return reader, sink

    def append(self, text: str) -> None:
        self.stream.append(list(text))

    # What a reader asks of its server.

    def wake(self, reader: Reader) -> None:
        self.woken.append(reader)

    def add_run(self, run: Run[Reader]) -> None:
        self.runs.append(run)

    def step(self, reader: Reader) -> float | None:
        """Serve `reader`, or its run, as the dispatcher does; return when it is due next."""
        for run in [run for run in self.runs if run.reader is reader]:
            due: float | None = run.due
            if run.due <= self.clock.now:
                due = run.step(self.clock.now)
            if due is not None:
                return due
            self.runs.remove(run)
            reader.end_run(run)
        due = reader.step(self.clock.now)
        return min([run.due for run in self.runs if run.reader is reader], default=due)

    def serve(self, reader: Reader, seconds: float) -> None:
        """Serve `reader` whenever it is due, for so long."""
        end = self.clock.now + seconds
        due = self.step(reader)
        while due is not None and due <= end:
            self.clock.now = max(self.clock.now, due)
            due = self.step(reader)
        self.clock.now = end


@pytest.fixture
def desk(clock: ManualClock) -> Desk:
    return Desk(clock)


# From start to end


def test_start_then_units_in_order_then_end(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append("añ字")
    desk.stream.finish("completed")
    desk.serve(reader, 1)
    assert [(e.event, e.data) for e in sink.written[1:-1]] == [
        ("new_char", "a"), ("new_char", "ñ"), ("new_char", "字"),
    ]  # fmt: skip
    assert sink.start == {
        "id": "s", "source": "script", "unit": "char", "rate": 10, "format": "char", "offset": 0,
    }  # fmt: skip
    assert sink.end == {
        "id": "s", "reason": "completed", "offset": 3, "text_sha256": sha256("añ字"),
    }  # fmt: skip
    assert desk.watcher.told[-1] == ("unread", "s"), "once it was told"
    assert reader.step(desk.clock.now) is None, "it is over"
    assert len(sink.written) == 5


def test_the_end_comes_with_the_last_unit_not_a_step_later(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append("ab")
    desk.stream.finish("completed")
    desk.serve(reader, 1)
    assert sink.named("stream_end")[0].at == sink.times[-1]


def test_what_is_told_beside_units_shares_their_send(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append("abc")
    desk.stream.finish("completed")
    sends = []
    for _ in range(3):
        reader.step(desk.clock.now)
        desk.clock.advance(0.1)
        sends.append(sink.sends)
    assert sends == [1, 2, 3]
    assert [e.event for e in sink.written] == ["stream_start", *["new_char"] * 3, "stream_end"]


def test_a_chunk_says_where_it_belongs(desk: Desk) -> None:
    reader, sink = desk.read(format_="chunk", offset=1)
    desk.append("abcd")
    assert reader.step(desk.clock.now) is None
    (chunk,) = sink.named("stream_chunk")
    assert chunk.data == {"id": "s", "offset": 1, "next": 4, "text": "bcd"}


def test_units_are_evenly_spaced(desk: Desk) -> None:
    reader, sink = desk.read(rate=20)
    desk.append(LETTERS)
    desk.serve(reader, 10)
    assert sink.text == LETTERS
    assert [b - a for a, b in pairwise(sink.times)] == pytest.approx([0.05] * 25)


def test_a_late_step_hands_over_all_that_is_due(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append(LETTERS)
    reader.step(desk.clock.now)
    reader.step(desk.clock.advance(1))
    assert len(sink.chars) == 11


def test_one_step_hands_over_so_many_units_and_asks_for_another_at_once(desk: Desk) -> None:
    reader, sink = desk.read()
    desk.append("x" * (MAX_UNITS_PER_STEP + 1))
    assert reader.step(desk.clock.now) == desk.clock.now
    assert len(sink.chars) == MAX_UNITS_PER_STEP
    assert reader.step(desk.clock.now) is None


def test_the_streams_own_pace_is_the_default(desk: Desk) -> None:
    reader, _ = desk.read(rate=None)
    assert reader.info["rate"] == 30


@pytest.mark.parametrize(("rate", "shown"), [(0, 0), (2.5, 2.5), (4.0, 4), ("auto", "auto")])
def test_the_pace_is_shown_as_it_was_given(desk: Desk, rate: Rate, shown: Any) -> None:
    reader, _ = desk.read(rate=rate)
    assert (reader.info["rate"], type(reader.info["rate"])) == (shown, type(shown))


# Waiting for the source


def test_a_reader_that_has_read_all_there_is_waits_to_be_woken(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append("a")
    assert reader.step(desk.clock.now) is None
    assert desk.woken == []
    desk.clock.advance(5)
    desk.append("bc")
    assert desk.woken == [reader]
    assert reader.step(desk.clock.now) == pytest.approx(desk.clock.now + 0.1)
    assert sink.text == "ab", "the time without text is no credit"


def test_it_is_woken_once_for_many_units(desk: Desk) -> None:
    reader, _ = desk.read(rate=10)
    reader.step(desk.clock.now)
    for letter in LETTERS:
        desk.append(letter)
    assert desk.woken == [reader]


# Back-pressure


def test_without_room_the_cursor_stands_still_and_nothing_is_lost(desk: Desk) -> None:
    reader, sink = desk.read(capacity=3)
    desk.append(LETTERS)
    desk.stream.finish("completed")
    desk.serve(reader, 1)
    assert (sink.text, reader.cursor) == ("abc", 3)
    assert sink.names == ["stream_start"]
    sink.capacity = PLENTY
    desk.serve(reader, 1)
    assert sink.text == LETTERS
    assert sink.end["text_sha256"] == sha256(LETTERS)


def test_without_room_it_looks_again_less_and_less_often(desk: Desk) -> None:
    reader, sink = desk.read(capacity=0)
    desk.append("abc")
    waits = []
    for _ in range(8):
        due = reader.step(desk.clock.now)
        assert due is not None
        waits.append(due - desk.clock.now)
        desk.clock.now = due
    assert waits == sorted(waits)
    assert RETRY_MIN <= waits[0] < waits[-1] == pytest.approx(RETRY_MAX)
    sink.capacity = 1
    reader.step(desk.clock.now)
    assert sink.text == "a"


def test_where_the_sink_says_when_there_is_room_nobody_looks(desk: Desk) -> None:
    reader, sink = desk.read(capacity=3)
    sink.wakes = True
    desk.append(LETTERS)
    desk.stream.finish("completed")
    desk.serve(reader, 1)
    assert (sink.text, sink.waiting) == ("abc", [reader])
    assert reader.step(desk.clock.now + 100) is None
    sink.capacity = PLENTY
    desk.serve(reader, 1)
    assert sink.text == LETTERS
    assert sink.end["text_sha256"] == sha256(LETTERS)


def test_long_units_are_fewer_in_the_same_room(desk: Desk) -> None:
    reader, sink = desk.read(capacity=10)
    desk.stream.append(["x" * 100] * 10)
    reader.step(desk.clock.now)
    assert len(sink.chars) == 10 * UNIT_BYTES // 100
    desk.stream.append(["y" * 1000])
    for _ in range(10):
        sink.capacity = 1
        reader.step(desk.clock.now)
    assert sink.text == "x" * 1000 + "y" * 1000, "one at least: it cannot be cut"


def test_a_negative_room_is_no_room(desk: Desk) -> None:
    reader, sink = desk.read()
    sink.capacity = -5
    desk.append("abc")
    reader.step(desk.clock.now)
    assert sink.text == ""


def test_a_reader_that_had_no_room_is_owed_its_units(desk: Desk) -> None:
    reader, sink = desk.read(rate=10, capacity=0)
    desk.append(LETTERS)
    desk.serve(reader, 1)
    sink.capacity = PLENTY
    reader.step(desk.clock.now)
    assert len(sink.chars) == 11


def test_a_chunk_takes_one_place_however_long_it_is(desk: Desk) -> None:
    reader, sink = desk.read(format_="chunk", capacity=1)
    desk.append(LETTERS)
    reader.step(desk.clock.now)
    assert sink.text == LETTERS
    desk.append("more")
    desk.serve(reader, 1)
    assert sink.text == LETTERS


def test_a_reader_too_slow_for_the_log_is_told_where_it_may_go_on(clock: ManualClock) -> None:
    desk = Desk(clock, max_bytes=100)
    slow, slow_sink = desk.read(rate=1)
    fast, _ = desk.read()
    for _ in range(20):
        desk.append("x" * 20)
        fast.step(clock.now)
        slow.step(clock.now)
    slow.step(clock.advance(1))
    first = desk.stream.log.first
    assert slow_sink.names == ["stream_start", "stream_error"]
    assert slow_sink.error["code"] == "offset_gone"
    assert (slow_sink.error["id"], slow_sink.error["first"]) == ("s", first)
    assert str(first) in slow_sink.error["message"]
    assert desk.watcher.told[-1] == ("unread", "s")
    assert desk.stream.readers == {fast}


# Pause and pace


def test_a_paused_reader_gets_nothing_and_asks_for_nothing(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append(LETTERS)
    reader.step(desk.clock.now)
    reader.pause()
    assert reader.step(desk.clock.advance(5)) is None
    assert sink.text == "a"


def test_the_time_of_the_pause_is_no_credit(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append(LETTERS)
    reader.step(desk.clock.now)
    reader.pause()
    reader.go_on(desk.clock.advance(5))
    assert desk.woken[-1] is reader
    assert reader.step(desk.clock.now) == pytest.approx(desk.clock.now + 0.1)
    assert sink.text == "ab"


def test_pausing_and_going_on_all_the_time_is_no_way_to_read_faster(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append(LETTERS)
    for _ in range(100):
        reader.step(desk.clock.now)
        reader.pause()
        reader.go_on(desk.clock.advance(0.01))
        reader.set_rate(10, desk.clock.now)
    assert len(sink.chars) <= 11


def test_going_on_without_a_pause_does_nothing(desk: Desk) -> None:
    reader, _ = desk.read(rate=10)
    reader.go_on(desk.clock.now)
    assert desk.woken == []


def test_a_paused_reader_does_not_see_the_end(desk: Desk) -> None:
    reader, sink = desk.read()
    desk.append("ab")
    reader.step(desk.clock.now)
    reader.pause()
    desk.stream.finish("completed")
    reader.step(desk.clock.now)
    assert sink.names == ["stream_start"]
    reader.go_on(desk.clock.now)
    reader.step(desk.clock.now)
    assert sink.end["reason"] == "completed"


def test_a_new_pace_counts_from_the_unit_after_the_last(desk: Desk) -> None:
    reader, sink = desk.read(rate=1)
    desk.append(LETTERS)
    reader.step(desk.clock.now)
    begin = desk.clock.now
    reader.set_rate(100, desk.clock.advance(0.5))
    assert desk.woken == [reader]
    desk.serve(reader, 0.1)
    assert sink.times[1] == begin + 0.5
    assert len(sink.chars) == 1 + 11
    assert reader.info["rate"] == 100


@pytest.mark.parametrize("rate", [1e-300, 1e-11, 5e-324])
def test_an_absurdly_slow_pace_is_slow_and_can_be_changed(desk: Desk, rate: float) -> None:
    reader, sink = desk.read(rate=1)
    desk.append(LETTERS)
    reader.step(desk.clock.now)
    reader.set_rate(rate, desk.clock.now)
    due = reader.step(desk.clock.advance(1000))
    assert due is not None
    assert due > desk.clock.now + 1000
    reader.set_rate(0, desk.clock.now)
    reader.step(desk.clock.now)
    assert sink.text == LETTERS


# Catching up


def test_what_lies_behind_the_position_reached_comes_at_once_the_rest_at_its_pace(
    desk: Desk,
) -> None:
    desk.append(LETTERS)
    reader, sink = desk.read(rate=10, offset=5, reached=20)
    begin = desk.clock.now
    desk.serve(reader, 10)
    assert sink.text == LETTERS[5:]
    assert sink.times[:15] == [begin] * 15
    assert sink.start["offset"] == 5
    assert sink.times[15] - begin <= 0.1 + 1e-6
    assert [b - a for a, b in pairwise(sink.times[15:])] == pytest.approx([0.1] * 5)


def test_catching_up_respects_the_room_too(desk: Desk) -> None:
    desk.append(LETTERS)
    reader, sink = desk.read(rate=10, reached=20, capacity=4)
    desk.serve(reader, 1)
    assert sink.text == LETTERS[:4]
    sink.capacity = PLENTY
    reader.step(desk.clock.now)
    assert sink.text == LETTERS[:20]


def test_catching_up_past_what_there_is_waits_for_it(desk: Desk) -> None:
    desk.append("abc")
    reader, sink = desk.read(rate=10, reached=10)
    assert reader.step(desk.clock.now) is None
    desk.append("defghijklm")
    reader.step(desk.clock.now)
    assert sink.text == "abcdefghij"


# Being ended, and leaving


def test_a_reader_that_is_ended_sends_no_more_units(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append(LETTERS)
    desk.serve(reader, 0.25)
    assert desk.stream.stop("stopped") == 3
    assert desk.woken[-1] is reader
    assert not reader.reading
    reader.step(desk.clock.now)
    assert sink.text == "abc"
    assert sink.end == {
        "id": "s", "reason": "stopped", "offset": 3, "text_sha256": sha256("abc"),
    }  # fmt: skip


def test_a_paused_reader_is_told_of_a_stop_all_the_same(desk: Desk) -> None:
    reader, sink = desk.read()
    reader.step(desk.clock.now)
    reader.pause()
    desk.stream.stop("stopped")
    reader.step(desk.clock.now)
    assert sink.end["reason"] == "stopped"


def test_a_reader_without_room_is_told_of_a_stop_all_the_same(desk: Desk) -> None:
    reader, sink = desk.read(capacity=0)
    desk.append("abc")
    desk.stream.stop("stopped")
    reader.step(desk.clock.now)
    assert sink.names == ["stream_start", "stream_end"]


def test_a_replaced_reader_ends_where_it_stands_and_the_others_go_on(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    other, other_sink = desk.read()
    desk.append(LETTERS)
    desk.serve(reader, 0.25)
    reader.end_now("replaced")
    reader.step(desk.clock.now)
    other.step(desk.clock.now)
    assert sink.end == {
        "id": "s", "reason": "replaced", "offset": 3, "text_sha256": sha256("abc"),
    }  # fmt: skip
    assert other_sink.text == LETTERS


def test_an_error_is_told_before_the_end(desk: Desk) -> None:
    reader, sink = desk.read()
    desk.append("ab")
    desk.stream.finish("error", SourceFailed("It broke."))
    reader.step(desk.clock.now)
    assert sink.names == ["stream_start", "stream_error", "stream_end"]
    assert sink.error == {
        "id": "s", "code": "source_failed", "message": "It broke.", "retryable": True,
    }  # fmt: skip
    assert sink.end["reason"] == "error"
    assert sink.text == "ab"


def test_who_leaves_hears_nothing_more_and_may_return(desk: Desk) -> None:
    reader, sink = desk.read(rate=10)
    desk.append(LETTERS)
    desk.serve(reader, 0.25)
    reader.leave()
    assert reader.step(desk.clock.advance(1)) is None
    assert sink.text == "abc"
    assert desk.stream.readers == set()
    assert desk.stream.departed.recall(0) == 3
    assert reader.left


def test_who_leaves_is_served_once_more_to_be_let_go(desk: Desk) -> None:
    """Its next unit may be due in a thousand years; the dispatcher must not keep it so long."""
    reader, _ = desk.read(rate=1e-9)
    desk.append("ab")
    reader.step(desk.clock.now)
    reader.leave()
    assert desk.woken == [reader]


def test_a_stop_after_the_leave_says_nothing(desk: Desk) -> None:
    reader, sink = desk.read()
    reader.step(desk.clock.now)
    reader.leave()
    reader.leave()
    desk.stream.stop("stopped")
    reader.step(desk.clock.now)
    assert sink.names == ["stream_start"]


# Runs: units made ready ahead of time


def in_a_run(desk: Desk, *, rate: Rate = 10) -> tuple[Reader, RecordingSink]:
    """Return a reader that was sent two units, the second of them out of a run."""
    reader, sink = desk.read(rate=rate, prepares=True)
    desk.append(LETTERS * 20)
    desk.step(reader)
    assert sink.prepared
    desk.clock.advance(0.1)
    desk.step(reader)
    assert sink.chars == ["a", "b"]
    assert reader.cursor == 2
    return reader, sink


def test_a_run_keeps_the_pace_exactly(desk: Desk) -> None:
    reader, sink = in_a_run(desk)
    begin = sink.times[0]
    desk.serve(reader, 29.95)
    since = [time - begin for time in sink.times]
    assert since == pytest.approx([n / 10 for n in range(301)], abs=1e-6)
    assert sink.text == (LETTERS * 20)[:301]


def test_a_run_that_is_served_late_sends_what_is_owed_at_once(desk: Desk) -> None:
    reader, sink = in_a_run(desk)
    desk.clock.advance(1)
    desk.serve(reader, 0)  # the phase decides on how many of them are in this run
    assert sink.text == LETTERS[:12]
    desk.clock.advance(30)
    desk.serve(reader, 0)  # longer than the run is
    assert sink.text == (LETTERS * 20)[:312]


def test_a_pause_within_a_run_says_exactly_where(desk: Desk) -> None:
    reader, sink = in_a_run(desk)
    reader.pause()
    assert reader.cursor == 2
    desk.clock.advance(10)
    desk.step(reader)
    assert sink.chars == ["a", "b"]
    reader.go_on(desk.clock.now)
    desk.serve(reader, 1)
    assert sink.text == LETTERS[:13]


def test_a_stop_within_a_run_seals_exactly_what_was_sent(desk: Desk) -> None:
    reader, sink = in_a_run(desk)
    other, other_sink = desk.read(rate=10, prepares=True)
    other.step(desk.clock.now)
    assert desk.stream.stop("stopped") == 2
    for one in (reader, other):
        one.step(desk.clock.advance(10))
    assert (sink.text, sink.end["offset"]) == ("ab", 2)
    assert (other_sink.text, other_sink.end["offset"]) == ("a", 2)
    assert sink.end["text_sha256"] == sha256("ab")


def test_a_new_pace_within_a_run_counts_from_the_last_unit(desk: Desk) -> None:
    reader, sink = in_a_run(desk, rate=10)
    begin = desk.clock.now
    reader.set_rate(1, desk.clock.now)
    desk.serve(reader, 3.5)
    assert [time - begin for time in sink.times[2:]] == pytest.approx([1, 2, 3], abs=1e-6)
    assert sink.text == LETTERS[:5]


def test_who_leaves_within_a_run_is_remembered_exactly(desk: Desk) -> None:
    reader, _ = in_a_run(desk)
    reader.leave()
    assert desk.stream.departed.recall(0) == 2
    assert desk.stream.furthest == 2


def test_a_client_that_falls_behind_within_a_run_loses_and_doubles_nothing(desk: Desk) -> None:
    reader, sink = in_a_run(desk)
    sink.capacity = 3
    desk.serve(reader, 5)
    assert sink.text == LETTERS[:5]
    sink.capacity = PLENTY
    desk.serve(reader, 1)
    assert sink.text == (LETTERS * 20)[: len(sink.chars)]
    assert len(sink.chars) > 60  # it is owed what it could not take


def test_a_run_leaves_the_producer_time(clock: ManualClock) -> None:
    """It may not take all there is: the producer is only asked when the run has ended."""
    desk = Desk(clock)
    reader, sink = desk.read(rate=10, prepares=True)
    desk.append("x" * 41)
    desk.step(reader)
    assert 0 < sink.prepared <= 20


@pytest.mark.parametrize("phase", range(RUN))
@pytest.mark.parametrize("units", [SHORTEST + 2, 60, 64, 65, 100, 127, 400])
def test_of_a_finished_text_only_the_first_and_the_last_unit_go_the_long_way(
    desk: Desk, units: int, phase: int
) -> None:
    reader, sink = desk.read(rate=10, prepares=True)
    reader._phase = phase  # where its blocks begin
    desk.append("x" * units)
    desk.stream.finish("completed")
    begin = desk.clock.now
    desk.serve(reader, units / 10 - 0.05)
    assert len(sink.chars) == units
    long_ways = units - sink.prepared
    assert 2 <= long_ways <= 3 + units // RUN, "and one between two blocks"
    end = sink.named("stream_end")[0]
    assert end.at - begin == pytest.approx((units - 1) / 10, abs=1e-6), "with the last unit"


def test_no_run_for_a_live_source_that_is_hardly_ahead(desk: Desk) -> None:
    reader, sink = desk.read(rate=10, prepares=True)
    desk.append("abc")
    desk.serve(reader, 1)
    assert sink.text == "abc"
    assert not sink.prepared
