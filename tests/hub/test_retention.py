"""How long streams that nobody reads are kept."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import RecordingSink, new_stream
from textstream.access.account import Kind
from textstream.access.clients import Clients
from textstream.access.shares import Shares
from textstream.hub.keeper import Keeper, Limits
from textstream.reading.dispatcher import Dispatcher
from textstream.reading.reader import Reader
from textstream.stream.attached import AttachedReader
from textstream.stream.memory_log import MemoryLog
from textstream.stream.stream import Stream

GRACE, RETENTION, LONGEST = 60.0, 300.0, 3600.0


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
    """Streams that a `Keeper` keeps, and a dispatcher that the test steps."""

    def __init__(self, clock: ManualClock, *, max_streams: int = 100, max_bytes: int = 1000):
        self.clock = clock
        self.max_bytes = max_bytes
        self.dispatcher = CountingDispatcher(clock=clock, sleep=lambda seconds: None)
        self.clients = Clients(Shares(nbytes=max_bytes), clock)
        self.keeper = Keeper(
            self.dispatcher,
            clock=clock,
            limits=Limits(max_streams=max_streams),
            clients=self.clients,
        )
        self.bytes = self.clients.account
        self.forgotten: list[str] = []

    def stream(
        self, name: str, *, units: int = 10, ended: bool = False, grace: float = GRACE
    ) -> Stream:
        stream = new_stream(
            stream_id=name,
            log=MemoryLog("s", self.keeper.visit("").count_text, max_bytes=10_000),
            clock=self.clock,
            observer=self,
            grace=grace,
            retention=RETENTION,
            longest=LONGEST,
        )
        assert self.keeper.claim(stream, self.keeper.visit(""), replacing=False) is None
        stream.append(["x"] * units)
        if ended:
            stream.furthest = units
            stream.stop("stopped")
        return stream

    def read(self, stream: Stream) -> Reader:
        sink = RecordingSink(self.clock)
        reader = Reader(stream, sink, self.dispatcher, now=self.clock(), connection="bob")
        stream.attach(reader)
        reader.pause()  # it stays where it is, also at a stream that has ended
        reader.wake()
        return reader

    def visit(self, stream: Stream) -> None:
        """Read it, and go at once: nobody reads it from now on."""
        self.leave(self.read(stream))

    def make_room(self) -> bool:
        """Return whether there is room for more text, once all was forgotten that may be."""
        self.keeper.make_room(self.keeper.visit(""))
        return self.bytes.total < self.max_bytes

    def leave(self, reader: Reader) -> None:
        reader.leave(may_return=False)

    # What the streams tell: passed on.

    def on_read(self, stream: Stream, reader: AttachedReader) -> None:
        self.keeper.on_read(stream, reader)

    def on_unread(self, stream: Stream, reader: AttachedReader) -> None:
        self.keeper.on_unread(stream, reader)

    def on_ended(self, stream: Stream) -> None:
        self.keeper.on_ended(stream)

    def on_forgotten(self, stream: Stream) -> None:
        self.keeper.on_forgotten(stream)
        self.forgotten.append(stream.id)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        while (due := self.dispatcher.step(self.clock.now)) is not None and due <= self.clock.now:
            pass


def told(reader: Reader) -> list[str]:
    assert isinstance(reader.sink, RecordingSink)
    return reader.sink.names


@pytest.fixture
def kept(clock: ManualClock) -> Kept:
    return Kept(clock)


def test_a_stream_without_readers_ends_after_the_time_of_grace(kept: Kept) -> None:
    stream = kept.stream("a")
    kept.visit(stream)
    kept.wait(GRACE - 1)
    assert stream.ending is None
    kept.wait(1)
    assert stream.ending
    assert stream.ending.reason == "expired"
    assert stream.ending.offset == 10, "what was produced stays readable"
    assert stream.cancel.cancelled
    assert kept.forgotten == []


def test_an_expired_stream_is_readable_for_the_time_of_retention(kept: Kept) -> None:
    kept.visit(kept.stream("a"))
    kept.wait(GRACE)
    kept.wait(RETENTION - 1)
    assert kept.forgotten == []
    kept.wait(1)
    assert kept.forgotten == ["a"]


def test_a_reader_that_comes_back_in_time_saves_it(kept: Kept) -> None:
    stream = kept.stream("a")
    kept.visit(stream)
    kept.wait(GRACE - 1)
    reader = kept.read(stream)
    kept.wait(10 * GRACE)
    assert stream.ending is None
    kept.leave(reader)
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
    kept.leave(reader)
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
    kept.leave(kept.read(first))
    kept.stream("third", units=400, ended=True)
    kept.wait(1)
    assert kept.forgotten == ["first"]


def test_what_ended_while_it_was_read_has_its_place_by_its_end(kept: Kept) -> None:
    first = kept.stream("first", units=400)
    viewer = kept.read(first)
    first.furthest = 400
    first.finish("completed")
    first.stop("stopped")
    kept.wait(1)
    kept.stream("second", units=400, ended=True)
    kept.wait(1)
    kept.leave(viewer)
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
    kept.leave(reader)
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


def test_streams_that_wait_to_be_forgotten_share_a_timed_call(kept: Kept) -> None:
    first = kept.stream("first", units=1, ended=True)
    kept.leave(kept.read(first))
    pending = kept.dispatcher.pending
    for n in range(50):
        kept.wait(1)
        kept.stream(f"{n}", units=1, ended=True)
    graced = kept.stream("graced", units=1)  # due before them all
    kept.leave(kept.read(graced))
    assert kept.dispatcher.pending <= pending + 4
    kept.wait(RETENTION)
    assert kept.forgotten == ["first", *(f"{n}" for n in range(50))]
    assert graced.life.state == "ended"
    kept.wait(RETENTION)
    assert kept.forgotten[-1] == "graced"
    assert kept.dispatcher.pending <= pending


def test_what_is_read_or_runs_does_not_go_but_counts(kept: Kept) -> None:
    read = kept.stream("read", units=400, ended=True)
    reader = kept.read(read)
    kept.wait(0)
    running = kept.stream("running", units=400)
    kept.visit(running)
    kept.stream("ended", units=400, ended=True)
    kept.wait(0)
    assert kept.forgotten == ["ended"]
    kept.leave(reader)
    assert kept.forgotten == ["ended"]
    running.append(["x"] * 400)
    kept.wait(0)
    assert kept.forgotten == ["ended", "read"]
    assert kept.make_room()
    assert kept.bytes.total == 800


def test_there_is_no_room_when_what_runs_keeps_too_much(kept: Kept) -> None:
    stream = kept.stream("running", units=999)
    assert kept.make_room()
    stream.append(["x"])
    assert not kept.make_room()
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
    stream = kept.stream("a")
    first = kept.read(stream)
    reader = kept.read(stream)
    kept.leave(first)
    kept.wait(GRACE)
    assert stream.ending is None
    assert told(reader) == ["stream_start"]


def test_a_stream_that_had_produced_everything_completes_when_it_expires(kept: Kept) -> None:
    stream = kept.stream("a")
    stream.finish("completed")
    kept.visit(stream)
    kept.wait(GRACE)
    assert stream.ending
    assert (stream.ending.reason, stream.ending.offset) == ("completed", 10)


def test_a_stream_that_wants_no_grace_ends_with_its_last_reader(kept: Kept) -> None:
    stream = kept.stream("a", grace=0.0)
    first, second = kept.read(stream), kept.read(stream)
    kept.leave(first)
    kept.wait(0)
    assert stream.ending is None
    kept.leave(second)
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
    assert told(reader) == ["stream_start", "stream_end"]
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
    assert stream.life.state == "forgotten"
    assert stream.log.read(0, 1) is None


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
        kept.leave(kept.read(stream))
        kept.wait(0.001)
    assert kept.dispatcher.pending <= before + 1
    kept.wait((RETENTION if ended else GRACE) - 0.01)
    assert (stream.ending is not None, kept.forgotten) == (ended, []), "counted from the last one"
    kept.wait(0.01)
    assert stream.ending
    assert kept.forgotten == (["a"] if ended else [])


def test_one_that_ends_is_forgotten_in_time_though_its_grace_would_be_longer(kept: Kept) -> None:
    stream = kept.stream("a", grace=10 * RETENTION)
    kept.visit(stream)
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
        assert kept.make_room()
        return forget()

    monkeypatch.setattr(stream, "forget", forget_second)
    kept.bytes.add(Kind.TEXT, 100)
    assert kept.make_room()
    assert kept.forgotten == ["a"]


def test_a_stream_that_was_forgotten_does_not_come_back(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    """The timer of its retention is still set."""
    stream = kept.stream("a", units=900, ended=True)
    kept.visit(stream)
    kept.wait(0)
    kept.bytes.add(Kind.TEXT, 100)
    kept.wait(0)
    assert kept.forgotten == ["a"]
    gone = weakref.ref(stream)
    del stream
    gc.collect()
    assert gone() is None
    kept.wait(RETENTION)
    assert kept.forgotten == ["a"]
    assert caplog.records == []
