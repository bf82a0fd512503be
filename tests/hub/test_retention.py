"""How long streams that nobody reads are kept."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import new_life
from textstream.hub.retention import Retention
from textstream.protocol import EndReason
from textstream.reading.dispatcher import Dispatcher
from textstream.sources.base import CancelToken
from textstream.stream.life import State
from textstream.stream.log import ByteCount, ReadStatus
from textstream.stream.memory_log import MemoryLog
from textstream.stream.stream import Stream

GRACE, RETENTION, LONGEST = 60.0, 300.0, 3600.0


@dataclass(eq=False)
class Reader:
    """Stands in for a `Reader`."""

    cursor: int = 0
    paused: bool = False
    parked: bool = True
    told: list[EndReason] = field(default_factory=list)

    def end_now(self, reason: EndReason) -> None:
        self.told.append(reason)

    def wake(self) -> None: ...


class CountingDispatcher(Dispatcher):
    """Knows how many timed calls are pending."""

    pending = 0

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        def called() -> None:
            self.pending -= 1
            callback()

        self.pending += 1
        super().call_at(when, called)


class Kept:
    """A `Retention` with the streams it keeps, and a dispatcher that the test steps."""

    def __init__(self, clock: ManualClock, *, max_streams: int = 100, max_bytes: int = 1000):
        self.clock = clock
        self.dispatcher = CountingDispatcher(clock=clock, sleep=lambda seconds: None)
        self.forgotten: list[str] = []
        self.bytes = ByteCount()
        self.retention = Retention(
            dispatcher=self.dispatcher,
            clock=clock,
            kept=self.bytes,
            max_streams=max_streams,
            max_bytes=max_bytes,
            forget=lambda stream: self.forgotten.append(stream.id),
        )

    def stream(
        self, name: str, *, units: int = 10, ended: bool = False, grace: float = GRACE
    ) -> Stream:
        stream = Stream(
            stream_id=name,
            source="script",
            unit="char",
            rate=30,
            owner="alice",
            log=MemoryLog(10_000, self.bytes),
            life=new_life(self.clock, grace=grace, retention=RETENTION, longest=LONGEST),
            lookahead=10_000,
            max_units=10_000,
            cancel=CancelToken(),
            on_end=self.retention_hears,
        )
        self.retention.run(stream)
        stream.append(["x"] * units)
        if ended:
            stream.furthest = units
            stream.stop("stopped")
        return stream

    def retention_hears(self, stream: Stream) -> None:
        self.dispatcher.call_at(float("-inf"), lambda: self.retention.unread(stream))

    def read(self, stream: Stream) -> Reader:
        reader = Reader()
        stream.attach(reader)
        self.retention.read(stream)
        return reader

    def leave(self, stream: Stream, reader: Reader) -> None:
        stream.detach(reader)
        self.retention.unread(stream)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        while (due := self.dispatcher.step(self.clock.now)) is not None and due <= self.clock.now:
            pass


@pytest.fixture
def kept(clock: ManualClock) -> Kept:
    return Kept(clock)


def test_a_stream_without_readers_ends_after_the_time_of_grace(kept: Kept) -> None:
    stream = kept.stream("a")
    kept.retention.unread(stream)
    kept.wait(GRACE - 1)
    assert stream.ending is None
    kept.wait(1)
    assert stream.ending
    assert stream.ending.reason == "expired"
    assert stream.ending.offset == 10, "what was produced stays readable"
    assert stream.cancel.cancelled
    assert kept.forgotten == []


def test_an_expired_stream_is_readable_for_the_time_of_retention(kept: Kept) -> None:
    kept.retention.unread(kept.stream("a"))
    kept.wait(GRACE)
    kept.wait(RETENTION - 1)
    assert kept.forgotten == []
    kept.wait(1)
    assert kept.forgotten == ["a"]


def test_a_reader_that_comes_back_in_time_saves_it(kept: Kept) -> None:
    stream = kept.stream("a")
    kept.retention.unread(stream)
    kept.wait(GRACE - 1)
    reader = kept.read(stream)
    kept.wait(10 * GRACE)
    assert stream.ending is None
    kept.leave(stream, reader)
    kept.wait(GRACE - 1)
    assert stream.ending is None, "the time of grace starts anew"
    kept.wait(1)
    assert stream.ending


def test_an_ended_stream_is_forgotten_after_its_retention(kept: Kept) -> None:
    stream = kept.stream("a", ended=True)
    kept.wait(0)
    kept.wait(RETENTION / 2)
    reader = kept.read(stream)
    kept.wait(RETENTION)
    assert kept.forgotten == []
    kept.leave(stream, reader)
    kept.wait(RETENTION)
    assert kept.forgotten == ["a"]


def test_the_oldest_ended_streams_go_first_when_they_keep_too_many_bytes(kept: Kept) -> None:
    for name in "abcd":
        kept.stream(name, units=400, ended=True)
        kept.wait(1)
    assert kept.forgotten == ["a", "b"]


def test_the_oldest_ended_streams_go_first_when_there_are_too_many(clock: ManualClock) -> None:
    kept = Kept(clock, max_streams=2)
    for name in "abcd":
        kept.stream(name, ended=True)
        kept.wait(1)
    assert kept.forgotten == ["a", "b"]


def test_reading_it_again_does_not_change_when_its_turn_is(kept: Kept) -> None:
    first = kept.stream("first", units=400, ended=True)
    kept.wait(1)
    kept.stream("second", units=400, ended=True)
    kept.wait(1)
    kept.leave(first, kept.read(first))
    kept.stream("third", units=400, ended=True)
    kept.wait(1)
    assert kept.forgotten == ["first"]


def test_what_ended_while_it_was_read_has_its_place_by_its_end(kept: Kept) -> None:
    first = kept.stream("first", units=400)
    viewer = kept.read(first)
    first.furthest = 400
    first.produced("completed")
    first.stop("stopped")
    kept.wait(1)
    kept.stream("second", units=400, ended=True)
    kept.wait(1)
    kept.leave(first, viewer)
    kept.stream("third", units=400, ended=True)
    kept.wait(1)
    assert kept.forgotten == ["first"]


def test_while_it_is_read_the_next_one_goes_in_its_place(kept: Kept) -> None:
    streams = [kept.stream(name, units=300, ended=True) for name in "abc"]
    kept.wait(1)
    reader = kept.read(streams[0])
    kept.stream("d", units=300, ended=True)
    kept.wait(1)
    assert kept.forgotten == ["b"]
    kept.leave(streams[0], reader)
    kept.stream("e", units=300, ended=True)
    kept.wait(1)
    assert kept.forgotten == ["b", "a"]


def test_a_stream_that_grows_makes_room_for_itself(kept: Kept) -> None:
    """Nothing is started and nobody leaves meanwhile."""
    for name in "ab":
        kept.stream(name, units=300, ended=True)
        kept.wait(1)
    running = kept.stream("running", units=300)
    kept.read(running)
    running.append(["x"] * 99)
    kept.wait(0)
    assert kept.forgotten == []
    running.append(["x"])
    kept.wait(0)
    assert kept.forgotten == ["a"]
    for _ in range(300):
        running.append(["x"])
    kept.wait(0)
    assert kept.forgotten == ["a", "b"]
    assert kept.bytes.total == 700


def test_text_beyond_the_limit_adds_no_timed_calls(kept: Kept) -> None:
    running = kept.stream("running", units=999)
    kept.read(running)
    before = kept.dispatcher.pending
    for _ in range(1000):
        running.append(["x"])
    assert kept.dispatcher.pending == before + 1


def test_what_is_read_or_runs_does_not_go_but_counts(kept: Kept) -> None:
    read = kept.stream("read", units=400, ended=True)
    reader = kept.read(read)
    kept.wait(0)
    running = kept.stream("running", units=400)
    kept.retention.unread(running)
    kept.stream("ended", units=400, ended=True)
    kept.wait(0)
    assert kept.forgotten == ["ended"]
    kept.leave(read, reader)
    assert kept.forgotten == ["ended"]
    running.append(["x"] * 400)
    kept.wait(0)
    assert kept.forgotten == ["ended", "read"]
    assert kept.retention.make_room()
    assert kept.bytes.total == 800


def test_there_is_no_room_when_what_runs_keeps_too_much(kept: Kept) -> None:
    stream = kept.stream("running", units=999)
    assert kept.retention.make_room()
    stream.append(["x"])
    assert not kept.retention.make_room()
    assert stream.ending is None


def test_the_text_of_what_was_forgotten_is_freed_at_once(kept: Kept) -> None:
    """The timer of its retention still runs, and must not keep it."""
    first = weakref.ref(kept.stream("a", units=900, ended=True))
    kept.wait(1)
    kept.stream("b", units=900, ended=True)
    kept.wait(1)
    assert kept.forgotten == ["a"]
    gc.collect()
    assert first() is None


def test_a_reader_that_came_while_the_last_one_left_is_not_cut_off(kept: Kept) -> None:
    """Attaching and leaving run in two threads: the later of the two notes may be the wrong one."""
    stream = kept.stream("a")

    reader = kept.read(stream)
    kept.retention.unread(stream)
    kept.wait(GRACE)
    assert stream.ending is None
    assert reader.told == []


def test_a_stream_that_had_produced_everything_completes_when_it_expires(kept: Kept) -> None:
    stream = kept.stream("a")
    stream.produced("completed")
    kept.retention.unread(stream)
    kept.wait(GRACE)
    assert stream.ending
    assert (stream.ending.reason, stream.ending.offset) == ("completed", 10)


def test_a_stream_that_wants_no_grace_ends_with_its_last_reader(kept: Kept) -> None:
    stream = kept.stream("a", grace=0.0)
    first, second = kept.read(stream), kept.read(stream)
    kept.leave(stream, first)
    kept.wait(0)
    assert stream.ending is None
    kept.leave(stream, second)
    kept.wait(0)
    assert stream.ending
    assert (stream.ending.reason, stream.ending.offset) == ("expired", 10)
    assert stream.cancel.cancelled


def test_the_longest_duration_ends_a_stream_whoever_reads_it(kept: Kept) -> None:
    first = kept.stream("first")
    reader = kept.read(first)
    kept.wait(LONGEST / 2)
    second = kept.stream("second")
    kept.read(second)
    kept.wait(LONGEST / 2 - 1)
    assert first.ending is None
    kept.wait(1)
    assert first.ending
    assert (first.ending.reason, first.ending.offset) == ("expired", 10)
    assert reader.told == ["expired"]
    assert second.ending is None
    kept.wait(LONGEST / 2)
    assert second.ending


def test_one_timer_watches_over_the_longest_duration_of_all(kept: Kept) -> None:
    """A timer for each stream would wait, and take memory, for a day."""
    start = kept.clock.now
    for number in range(50):
        kept.stream(str(number), ended=True)
        kept.wait(0.1)
    kept.wait(RETENTION)
    assert len(kept.forgotten) == 50
    assert kept.dispatcher.step(kept.clock.now) == start + LONGEST
    kept.wait(LONGEST)
    assert kept.dispatcher.step(kept.clock.now) is None
    late = kept.stream("late")
    kept.wait(LONGEST)
    assert late.ending


def test_a_forgotten_stream_keeps_no_text(kept: Kept) -> None:
    stream = kept.stream("a", ended=True)
    kept.wait(RETENTION)
    assert kept.bytes.total == 0
    assert stream.life.state is State.FORGOTTEN
    assert stream.log.read(0, 1).status is ReadStatus.GONE


def test_a_stream_is_not_forgotten_while_it_is_read(kept: Kept) -> None:
    stream = kept.stream("a", ended=True)
    kept.read(stream)
    assert not stream.forget()
    assert stream.log.next == 10


@pytest.mark.parametrize("ended", [False, True])
def test_coming_and_going_leaves_one_timer(kept: Kept, *, ended: bool) -> None:
    stream = kept.stream("a", ended=ended)
    kept.wait(0)
    before = kept.dispatcher.pending
    for _ in range(10_000):
        kept.leave(stream, kept.read(stream))
        kept.wait(0.001)
    assert kept.dispatcher.pending <= before + 1
    kept.wait((RETENTION if ended else GRACE) - 0.01)
    assert (stream.ending is not None, kept.forgotten) == (ended, []), "counted from the last one"
    kept.wait(0.01)
    assert stream.ending
    assert kept.forgotten == (["a"] if ended else [])


def test_one_that_ends_is_forgotten_in_time_though_its_grace_would_be_longer(kept: Kept) -> None:
    stream = kept.stream("a", grace=10 * RETENTION)
    kept.retention.unread(stream)
    kept.wait(1)
    stream.stop("stopped")
    kept.wait(0)
    kept.wait(RETENTION - 1)
    assert kept.forgotten == []
    kept.wait(1)
    assert kept.forgotten == ["a"]
    kept.wait(10 * RETENTION)
    assert kept.forgotten == ["a"], "the first timer finds nothing"


def test_it_is_forgotten_once(kept: Kept) -> None:
    stream = kept.stream("a", ended=True)
    assert stream.forget()
    assert not stream.forget()


def test_two_that_make_room_at_once_may_choose_the_same_stream(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start does in its thread what the dispatcher does in its own."""
    stream = kept.stream("a", units=900, ended=True)
    kept.wait(0)
    forget = stream.forget

    def forget_second() -> bool:
        monkeypatch.undo()
        assert kept.retention.make_room()
        return forget()

    monkeypatch.setattr(stream, "forget", forget_second)
    kept.bytes.add(100)
    assert kept.retention.make_room()
    assert kept.forgotten == ["a"]


def test_a_stream_that_was_forgotten_meanwhile_does_not_come_back(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    """Its last reader left, and before that was noted, memory was needed."""
    stream = kept.stream("a", units=900, ended=True)
    kept.wait(0)
    kept.bytes.add(100)
    kept.wait(0)
    assert kept.forgotten == ["a"]
    gone = weakref.ref(stream)
    kept.retention.unread(stream)
    del stream
    gc.collect()
    assert gone() is None
    kept.wait(RETENTION)
    assert kept.forgotten == ["a"]
    assert caplog.records == []
