"""How long streams that nobody reads are kept."""

from __future__ import annotations

import gc
import weakref

import pytest

from tests.support.clock import ManualClock
from textstream.dispatcher import Dispatcher
from textstream.logs.memory import MemoryLog
from textstream.retention import Retention
from textstream.sources.base import CancelToken
from textstream.stream import Stream

GRACE, RETENTION = 60.0, 300.0


class Kept:
    """A `Retention` with the streams it keeps, and a dispatcher that the test steps."""

    def __init__(self, clock: ManualClock, *, max_streams: int = 100, max_bytes: int = 1000):
        self.clock = clock
        self.dispatcher = Dispatcher(clock=clock, sleep=lambda seconds: None)
        self.forgotten: list[str] = []
        self.retention = Retention(
            dispatcher=self.dispatcher,
            clock=clock,
            grace=GRACE,
            retention=RETENTION,
            max_streams=max_streams,
            max_bytes=max_bytes,
            forget=lambda stream: self.forgotten.append(stream.id),
        )

    def stream(self, name: str, *, units: int = 10, ended: bool = False) -> Stream:
        stream = Stream(
            stream_id=name,
            source="script",
            unit="char",
            rate=30,
            owner="alice",
            log=MemoryLog(10_000),
            lookahead=10_000,
            created=self.clock.now,
            cancel=CancelToken(),
            on_end=self.retention_hears,
        )
        stream.append(["x"] * units)
        if ended:
            stream.furthest = units
            stream.stop("stopped")
        return stream

    def retention_hears(self, stream: Stream) -> None:
        self.dispatcher.call_at(float("-inf"), lambda: self.retention.unread(stream))

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
    kept.retention.read(stream)
    kept.wait(10 * GRACE)
    assert stream.ending is None
    kept.retention.unread(stream)
    kept.wait(GRACE - 1)
    assert stream.ending is None, "the time of grace starts anew"
    kept.wait(1)
    assert stream.ending


def test_an_ended_stream_is_forgotten_after_its_retention(kept: Kept) -> None:
    stream = kept.stream("a", ended=True)
    kept.wait(0)
    kept.wait(RETENTION / 2)
    kept.retention.read(stream)
    kept.wait(RETENTION)
    assert kept.forgotten == []
    kept.retention.unread(stream)
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


def test_what_is_read_or_runs_does_not_count_and_does_not_go(kept: Kept) -> None:
    read = kept.stream("read", units=900, ended=True)
    kept.wait(0)
    kept.retention.read(read)
    kept.retention.unread(kept.stream("running", units=900))
    kept.stream("ended", units=900, ended=True)
    kept.wait(0)
    assert kept.forgotten == []
    kept.retention.unread(read)
    assert kept.forgotten == ["ended"]


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

    class Reader:
        cursor = 0
        paused = False
        parked = True

        def settle(self) -> None: ...

        def end_now(self, reason: str) -> None:
            raise AssertionError(f"ended with {reason}")

        def wake(self) -> None: ...

    stream.attach(Reader())
    kept.retention.unread(stream)
    kept.wait(GRACE)
    assert stream.ending is None


def test_a_stream_that_had_produced_everything_completes_when_it_expires(kept: Kept) -> None:
    stream = kept.stream("a")
    stream.produced("completed")
    kept.retention.unread(stream)
    kept.wait(GRACE)
    assert stream.ending
    assert (stream.ending.reason, stream.ending.offset) == ("completed", 10)
