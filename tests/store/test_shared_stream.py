"""`SharedStream`: owner, follower, and the ways from one to the other. No store, no thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import sha256
from textstream.access.principal import user
from textstream.errors import SourceFailed
from textstream.protocol import EndReason
from textstream.sources.base import CancelToken, Source, SourceRequest
from textstream.store.log import SharedLog
from textstream.store.production import Production
from textstream.store.record import Record, new_record, read_record
from textstream.store.shared import MAX_UNSTORED, SharedStream
from textstream.store.wire import Entry, Sealed
from textstream.stream.attached import AttachedReader
from textstream.stream.start import Start, StreamLimits
from textstream.stream.stream import Stream


class Home:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.touched = 0
        self.ended: list[Stream] = []

    def touch(self, stream: SharedStream) -> None:
        self.touched += 1

    def stop(self, stream: SharedStream, reason: EndReason) -> int:
        return stream.stop_here(reason)

    def on_read(self, stream: Stream, reader: AttachedReader) -> None: ...

    def on_unread(self, stream: Stream, reader: AttachedReader) -> None: ...

    def on_ended(self, stream: Stream) -> None:
        self.ended.append(stream)

    def on_forgotten(self, stream: Stream) -> None: ...


class Reader:
    """A cursor that the test moves."""

    def __init__(self) -> None:
        self.connection, self.first, self.cursor = "reader", 0, 0
        self.paused = self.parked = False
        self.reading = True
        self.told: list[str] = []

    def settle(self) -> None: ...

    def end_now(self, reason: EndReason) -> None:
        self.reading = False
        self.told.append(reason)

    def drop(self, problem: dict[str, Any]) -> None: ...

    def wake(self) -> None: ...


Make = Callable[..., SharedStream]


@pytest.fixture
def home() -> Home:
    return Home()


@pytest.fixture
def make(home: Home, clock: ManualClock) -> Make:
    def make(*, owner: bool = True, deterministic: bool = True) -> SharedStream:
        source = Source("text", lambda _: iter(()), live=False, deterministic=deterministic)
        start = Start(source, SourceRequest("the text"))
        record = Record(
            id="00id", owner="me", source="text", deterministic=deterministic, unit="char",
            rate=30.0, on_disconnect="continue", key="key", principal="", created=0.0,
        )  # fmt: skip
        stream = SharedStream(
            "00id",
            start,
            "connection",
            log=SharedLog("00id", lambda _: None, max_bytes=1_000_000),
            clock=clock,
            limits=StreamLimits(),
            observer=home,
        )
        stream.share_by(home, record, is_owner=owner)
        return stream

    return make


def text_of(stream: SharedStream) -> str:
    return "".join(stream.log.read(0, 1_000_000) or ())


def test_what_is_deterministic_is_read_at_once(make: Make) -> None:
    stream = make()
    stream.append("abc")
    assert text_of(stream) == "abc"
    assert stream.next_entry() == Entry(3, "abc")


def test_what_a_crash_could_unmake_is_read_when_it_is_stored(make: Make) -> None:
    stream = make(deterministic=False)
    stream.append(["a", "字"])
    stream.append("cd")
    stream.finish("completed")
    assert (text_of(stream), stream.life.outcome) == ("", None)
    entry = stream.next_entry()
    assert entry == Entry(4, ["a", "字", "c", "d"])
    stream.sent = 4
    assert stream.next_entry() is None
    stream.on_stored(3)
    assert (text_of(stream), stream.life.outcome) == ("a字c", None)
    stream.on_stored(4)
    assert text_of(stream) == "a字cd"
    assert stream.ending is None  # nobody has read it
    assert stream.life.outcome is not None


def test_what_the_store_has_lost_is_written_again(make: Make) -> None:
    stream = make(deterministic=False)
    stream.append("abcd")
    stream.sent = 4
    stream.on_stored(4)
    stream.append("ef")
    stream.sent = 2
    stream.on_stored(2)
    assert stream.next_entry() == Entry(4, "cd")
    stream.sent = 4
    assert stream.next_entry() == Entry(6, ["e", "f"])
    assert text_of(stream) == "abcd"


@pytest.mark.parametrize("deterministic", [True, False])
def test_the_source_is_held_where_the_store_is_far_behind(make: Make, deterministic: bool) -> None:
    stream = make(deterministic=deterministic)
    stream.begin()
    stream.lookahead = 10 * MAX_UNSTORED
    stream._most_ahead = 1e9
    released: list[int] = []
    stream.append("x" * MAX_UNSTORED)
    assert stream.hold(lambda: released.append(1))
    stream.on_stored(MAX_UNSTORED)
    assert released == [1]


def test_a_follower_takes_what_comes_once_and_in_order(make: Make) -> None:
    stream = make(owner=False)
    assert stream.receive(Entry(3, "abc"))
    assert stream.receive(Entry(2, "ab"))
    assert stream.receive(Entry(5, "bcde"))
    assert not stream.receive(Entry(9, "ij"))
    assert text_of(stream) == "abcde"


def test_a_follower_that_is_frozen_sends_nobody_more(make: Make) -> None:
    stream = make(owner=False)
    stream.receive(Entry(6, "abcdef"))
    reader = Reader()
    stream.attach(reader)
    stream.advance(2)
    assert stream.freeze() == 2
    assert stream.receive(Entry(7, "g"))
    assert text_of(stream) == "ab"
    stream.thaw()
    assert stream.receive(Entry(6, "cdef"))
    assert text_of(stream) == "abcdef"


def test_a_stop_elsewhere_seals_it_where_that_was(make: Make, home: Home) -> None:
    stream = make(owner=False)
    stream.receive(Entry(6, "abcdef"))
    reader = Reader()
    stream.attach(reader)
    stream.receive_end(Sealed("stopped", 4, sha256("abcd"), None))
    assert reader.told == ["stopped"]
    assert stream.ending
    assert (stream.ending.offset, stream.ending.text_sha256) == (4, sha256("abcd"))
    assert not stream.counted


def test_an_owner_seals_where_others_were_sent_most(make: Make) -> None:
    stream = make()
    stream.append("abcdefgh")
    stream.report("p2", 5, 2, paused=False, now=0.0)
    stream.report("p3", 3, 1, paused=False, now=0.0)
    assert stream.reader_count == 3
    assert stream.stop_here("stopped") == 5
    assert not stream.readers


def test_all_readers_elsewhere_pause_it(make: Make) -> None:
    stream = make()
    stream.begin()
    stream.append("abc")
    stream.report("p2", 1, 1, paused=True, now=0.0)
    assert stream.hold(lambda: None)
    stream.report("p2", 1, 1, paused=False, now=0.0)
    assert stream.life.state == "producing"


def test_readers_elsewhere_that_have_all_end_it(make: Make) -> None:
    stream = make()
    stream.append("abc")
    stream.finish("completed")
    stream.report("p2", 2, 1, paused=False, now=0.0)
    assert stream.ending is None
    stream.report("p2", 3, 0, paused=False, now=0.0)
    assert stream.ending is not None
    assert stream.ending.reason == "completed"


def test_a_process_that_is_silent_reads_no_more(make: Make, clock: ManualClock) -> None:
    stream = make()
    stream.report("p2", 0, 1, paused=False, now=clock())
    assert stream.life.due is None
    stream.forget_silent(clock() + 1)
    assert stream.reader_count == 0
    assert stream.life.due is not None


def test_a_production_goes_on_at_the_exact_unit(make: Make) -> None:
    stream = make(owner=False)
    stream.receive(Entry(4, "abcd"))
    production = Production(stream)
    stream.own(production)
    for piece in ("ab", "cde", "f"):
        production.append(piece)
    production.finish("completed")
    assert text_of(stream) == "abcdef"
    assert stream.life.outcome is not None


def test_who_was_overtaken_appends_nothing(make: Make) -> None:
    stream = make()
    stream.append("ab")
    stream.disown()
    assert stream.cancel.cancelled
    stream.append("cd")
    stream.finish("completed")
    assert (text_of(stream), stream.life.outcome) == ("ab", None)
    stream.cancel = CancelToken()
    stream.own(Production(stream))
    stream.append("ef")  # by its first producer, which is late
    assert text_of(stream) == "ab"


def test_an_error_of_a_source_comes_behind_its_text(make: Make) -> None:
    stream = make(deterministic=False)
    stream.append("ab")
    stream.finish("error", SourceFailed("broken"))
    assert stream.life.outcome is None
    stream.on_stored(2)
    assert stream.life.outcome
    assert stream.life.outcome.error


def test_who_lets_go_of_a_follower_tells_nobody(make: Make, home: Home) -> None:
    stream = make(owner=False)
    stream.receive(Entry(2, "ab"))
    assert stream.leave_here()
    assert stream.life.state == "forgotten"
    assert not stream.leave_here()


def test_a_log_is_cut_and_goes_on() -> None:
    log = SharedLog("id", lambda _: None, max_bytes=10_000_000)
    text = "字" * 30_000
    for start in range(0, len(text), 1000):
        log.append(text[start : start + 1000], keep_from=0)
    log.cut(25_000)
    assert log.next == 25_000
    assert log.sha256() == sha256(text[:25_000])
    log.append("x" * 70_000, keep_from=0)
    assert log.sha256() == sha256(text[:25_000] + "x" * 70_000)


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_record_comes_back_as_it_was(deterministic: bool) -> None:
    source = Source("text", lambda _: iter(()), live=False, deterministic=deterministic)
    start = Start(source, SourceRequest("what was asked"), rate="auto", digest=b"1")
    record = new_record(
        "00id", start, owner="me", key="key", principal=user("ann"), request="user:ann 1"
    )
    fields = [part.encode() for part in record.fields()]
    read = read_record("00id", dict(zip(fields[::2], fields[1::2], strict=True)))
    assert read == record
    assert ("what was asked" in record.fields()) == deterministic
