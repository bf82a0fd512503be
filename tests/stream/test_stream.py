"""A stream: what its producer and its readers tell it, and the ways it ends."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.support.doubles import Watcher, sha256
from textstream.access.account import Account, Kind
from textstream.errors import SourceFailed
from textstream.protocol import EndReason
from textstream.sources.base import Source
from textstream.stream.departed import MAX_DEPARTED
from textstream.stream.memory_log import MemoryLog
from textstream.stream.start import Start, StreamLimits
from textstream.stream.stream import Stream

LOOKAHEAD = 10
MAX_BYTES = 100
MAX_UNITS = 1000


@dataclass(eq=False)
class Reader:
    """Stands in for a `Reader`: a cursor that the test moves, and what it was told."""

    cursor: int = 0
    paused: bool = False
    parked: bool = False
    reading: bool = True
    connection: str = "alice"
    first: int = 0
    told: list[EndReason] = field(default_factory=list)
    woken: int = 0

    def end_now(self, reason: EndReason) -> None:
        self.told.append(reason)

    def settle(self) -> None:
        """Its cursor is exact at any time."""

    def drop(self, problem: dict[str, Any]) -> None:
        raise AssertionError(problem)

    def wake(self) -> None:
        self.woken += 1


class Bare(Stream):
    """A stream alone, which notes how often it ended, and whether its producer goes on."""

    def __init__(self) -> None:
        self.watcher = Watcher()
        self.resumed = 0
        super().__init__(
            "s",
            Start(Source("script", lambda _request: iter(())), rate=30),
            "alice",
            log=MemoryLog("s", partial(Account().add, Kind.TEXT), max_bytes=MAX_BYTES),
            clock=lambda: 0.0,
            limits=StreamLimits(lookahead=LOOKAHEAD, max_units=MAX_UNITS),
            observer=self.watcher,
        )
        self.begin()

    @property
    def ended(self) -> int:
        """How often its observer was told that it ended."""
        return self.watcher.told.count(("ended", "s"))

    def go_on(self) -> None:
        self.resumed += 1

    def reading(self, cursor: int = 0, *, paused: bool = False, parked: bool = False) -> Reader:
        reader = Reader(cursor, paused, parked, first=cursor)
        self.attach(reader)
        return reader

    def move(self, reader: Reader, cursor: int) -> None:
        reader.cursor = cursor
        self.advance(cursor)

    @property
    def reason(self) -> EndReason | None:
        return self.ending.reason if self.ending else None


@pytest.fixture
def stream() -> Bare:
    return Bare()


# Its observer


def test_it_tells_its_observer_what_happens_to_it(stream: Bare) -> None:
    first = stream.reading()
    second = stream.reading()
    stream.append(["a"])
    stream.detach(first)
    stream.stop("stopped")
    stream.stop("stopped")
    assert not stream.forget(), "it is read"
    stream.detach(second)
    assert stream.forget()
    events = [event for event, _ in stream.watcher.told]
    assert events == ["read", "read", "unread", "ended", "unread", "forgotten"]


# Waking


def test_new_units_wake_the_readers_that_wait_for_them(stream: Bare) -> None:
    waiting, busy = stream.reading(parked=True), stream.reading()
    stream.append(["a"])
    stream.append(["b"])
    assert (waiting.woken, waiting.parked) == (1, False)
    assert busy.woken == 0
    stream.append([])
    assert stream.log.next == 2


def test_the_end_of_the_source_wakes_them_too(stream: Bare) -> None:
    waiting = stream.reading(parked=True)
    stream.finish("completed")
    assert waiting.woken == 1


# How it ends when the source has ended


def test_it_ends_when_a_first_reader_has_read_everything(stream: Bare) -> None:
    fast, slow = stream.reading(), stream.reading()
    stream.append(["a", "b"])
    stream.finish("completed")
    stream.move(slow, 1)
    assert stream.end_if_all_read(slow.cursor) is None
    assert stream.ending is None
    stream.move(fast, 2)
    ending = stream.end_if_all_read(fast.cursor)
    assert ending
    assert (ending.reason, ending.offset, ending.text_sha256) == ("completed", 2, sha256("ab"))
    assert stream.end_if_all_read(slow.cursor) is None, "it has a unit to read yet"
    stream.move(slow, 2)
    assert stream.end_if_all_read(slow.cursor) == ending
    assert stream.ended == 1


def test_it_does_not_end_while_more_may_come(stream: Bare) -> None:
    reader = stream.reading()
    stream.append(["a"])
    stream.move(reader, 1)
    assert stream.end_if_all_read(reader.cursor) is None


def test_nothing_to_read_and_nobody_there_ends_it_at_once(stream: Bare) -> None:
    stream.finish("completed")
    assert stream.reason == "completed"


def test_what_nobody_has_read_yet_waits_for_somebody(stream: Bare) -> None:
    stream.append(["a"])
    stream.finish("completed")
    assert stream.ending is None


def test_only_the_first_outcome_counts(stream: Bare) -> None:
    stream.finish("length")
    stream.finish("error", SourceFailed("too late"))
    assert stream.reason == "length"


def test_a_failure_is_part_of_the_ending(stream: Bare) -> None:
    error = SourceFailed("It broke.")
    stream.finish("error", error)
    assert stream.ending
    assert stream.ending.error == error.to_wire()


# How it ends when it is stopped


def test_stopping_seals_it_at_the_furthest_unit_sent_and_tells_everyone(stream: Bare) -> None:
    fast, slow = stream.reading(), stream.reading()
    stream.append(list("abcdef"))
    stream.move(fast, 4)
    stream.move(slow, 1)
    assert stream.stop("stopped") == 4
    assert stream.ending
    assert stream.ending.text_sha256 == sha256("abcd")
    assert stream.log.next == 4
    assert fast.told == slow.told == ["stopped"]
    assert stream.cancel.cancelled


def test_stopping_again_changes_nothing(stream: Bare) -> None:
    assert stream.stop("stopped") == 0
    assert stream.stop("shutdown") == 0
    assert (stream.reason, stream.ended) == ("stopped", 1)


def test_stopping_an_ended_stream_ends_who_still_reads_it(stream: Bare) -> None:
    stream.append(["a"])
    first, second = stream.reading(), stream.reading()
    stream.finish("completed")
    stream.move(first, 1)
    stream.end_if_all_read(first.cursor)
    stream.stop("stopped")
    assert second.told == ["stopped"]
    assert stream.reason == "completed"


def test_what_comes_after_the_stop_is_dropped(stream: Bare) -> None:
    stream.stop("stopped")
    stream.append(["a"])
    stream.finish("completed")
    assert (stream.log.next, stream.reason) == (0, "stopped")


def test_expiring_keeps_what_was_produced(stream: Bare) -> None:
    stream.append(list("abc"))
    assert stream.stop("expired") == 3
    assert stream.reason == "expired"


def test_expiring_after_the_source_has_ended_is_no_loss(stream: Bare) -> None:
    stream.append(list("abc"))
    stream.finish("error", SourceFailed("It broke."))
    stream.stop("expired")
    assert stream.ending
    assert (stream.ending.reason, stream.ending.offset) == ("error", 3)
    assert stream.ending.error


def test_the_source_is_cancelled_without_the_lock(stream: Bare) -> None:
    """What gives an upstream request up may wait for a thread that wants to append."""
    got_in: list[bool] = []

    def give_up() -> None:
        def append() -> None:
            got_in.append(stream.lock.acquire(timeout=5))
            if got_in[0]:
                stream.lock.release()

        thread = threading.Thread(target=append)
        thread.start()
        thread.join()

    stream.cancel.on_cancel(give_up)
    stream.stop("stopped")
    assert got_in == [True]


# The ending for one reader


def test_a_replaced_reader_is_proved_what_it_has(stream: Bare) -> None:
    stream.append(list("abcdef"))
    ending = stream.ending_at(2, "replaced")
    assert (ending.reason, ending.offset, ending.text_sha256) == ("replaced", 2, sha256("ab"))


def test_a_replaced_reader_before_what_was_trimmed_is_proved_what_can_be(stream: Bare) -> None:
    reader = stream.reading()
    for n in range(30):
        stream.append(["x" * 10])
        stream.move(reader, n + 1)
    first = stream.log.first
    assert first > 0
    ending = stream.ending_at(0, "replaced")
    assert (ending.offset, ending.text_sha256) == (first, sha256("x" * 10 * first))


def test_a_reader_that_had_skipped_ahead_keeps_what_it_skipped(stream: Bare) -> None:
    """It began behind the furthest unit sent: the stream is sealed no earlier than that."""
    stream.append(list("abcdef"))
    stream.reading(cursor=5)
    assert stream.stop("stopped") == 5
    ending = stream.ending_at(5, "replaced")
    assert (ending.offset, ending.text_sha256) == (5, sha256("abcde"))


def test_the_producer_stays_ahead_of_a_reader_that_begins_ahead_of_all(stream: Bare) -> None:
    stream.reading()
    assert ahead(stream, LOOKAHEAD)
    stream.reading(cursor=LOOKAHEAD)
    assert stream.resumed == 1
    assert not stream.hold(stream.go_on)


def test_one_that_runs_too_long_expires_for_its_readers_and_for_the_log_alike(
    stream: Bare,
) -> None:
    stream.append(list("abcdef"))
    stream.finish("completed")
    stream.reading()
    assert stream.stop("expired") == 6
    assert stream.reason == "expired"


# Holding the producer


def ahead(stream: Bare, units: int) -> bool:
    """Append so many units; return whether the producer must pause then."""
    stream.append(["x"] * units)
    return stream.hold(stream.go_on)


def test_the_producer_stops_when_it_is_far_enough_ahead(stream: Bare) -> None:
    stream.reading()
    assert not ahead(stream, LOOKAHEAD - 1)
    assert ahead(stream, 1)


def test_it_goes_on_when_the_fastest_reader_has_read_half_of_it(stream: Bare) -> None:
    fast, slow = stream.reading(), stream.reading()
    assert ahead(stream, LOOKAHEAD)
    stream.move(slow, LOOKAHEAD // 2 - 1)
    stream.move(fast, LOOKAHEAD // 2 - 1)
    assert stream.resumed == 0
    stream.move(fast, LOOKAHEAD // 2)
    assert stream.resumed == 1
    stream.move(fast, LOOKAHEAD)
    assert stream.resumed == 1, "once is enough"


def test_the_least_lookahead_does_not_deadlock() -> None:
    stream = Bare()
    stream.lookahead = 1
    reader = stream.reading()
    for n in range(1, 5):
        assert ahead(stream, 1)
        stream.move(reader, n)
        assert stream.resumed == n


def test_bytes_hold_it_as_units_do(stream: Bare) -> None:
    reader = stream.reading()
    stream.append(["x" * 60])
    assert not stream.hold(stream.go_on)
    stream.append(["x" * 60])
    assert stream.hold(stream.go_on)
    stream.move(reader, 1)
    assert stream.resumed == 1


def test_when_all_readers_have_paused_it_pauses(stream: Bare) -> None:
    first, second = stream.reading(paused=True), stream.reading()
    assert not ahead(stream, 1)
    second.paused = True
    stream.release_producer()
    assert ahead(stream, 1)
    first.paused = False
    stream.release_producer()
    assert stream.resumed == 1


def test_without_readers_it_runs_ahead_so_far_and_no_further(stream: Bare) -> None:
    assert not ahead(stream, LOOKAHEAD - 1)
    assert ahead(stream, 1)


def test_a_new_reader_that_has_not_paused_lets_it_go_on(stream: Bare) -> None:
    stream.reading(paused=True)
    assert ahead(stream, 1)
    stream.reading()
    assert stream.resumed == 1


def test_a_paused_reader_that_leaves_does_not_hold_it_any_more(stream: Bare) -> None:
    paused = stream.reading(paused=True)
    assert ahead(stream, 1)
    stream.detach(paused)
    assert stream.resumed == 1


@pytest.mark.parametrize("reason", ["stopped", "expired", "shutdown"])
def test_a_held_producer_goes_on_at_the_end_to_close_its_generator(
    stream: Bare, reason: EndReason
) -> None:
    ahead(stream, LOOKAHEAD)
    stream.stop(reason)
    assert stream.resumed == 1
    assert not stream.hold(stream.go_on)


# Those who left and may return


def test_who_returns_is_taken_for_the_one_that_stood_closest_behind(stream: Bare) -> None:
    for cursor in (3, 9, 6):
        stream.detach(stream.reading(cursor), may_return=True)
    assert stream.departed.recall(4) == 6
    assert stream.departed.recall(4) == 9, "the other has returned already"
    assert stream.departed.recall(4) == 4, "nobody stood there: a late viewer"
    assert stream.departed.recall(3) == 3


def test_who_left_for_good_does_not_return(stream: Bare) -> None:
    stream.detach(stream.reading(5))
    assert stream.departed.recall(0) == 0


def test_who_left_after_the_end_may_return(stream: Bare) -> None:
    stream.departed.remember(7)
    assert stream.departed.recall(2) == 7


def test_those_remembered_are_bounded(stream: Bare) -> None:
    for cursor in range(MAX_DEPARTED + 1):
        stream.departed.remember(cursor)
    assert stream.departed.recall(0) == 1, "the first was forgotten"


def test_whether_anybody_reads(stream: Bare) -> None:
    assert not stream.readers
    reader = stream.reading()
    assert stream.readers
    stream.detach(reader)
    assert not stream.readers


# How long it may be


def test_at_the_most_units_its_source_is_at_its_limit(stream: Bare) -> None:
    assert not stream.append("x" * (MAX_UNITS - 1))
    assert stream.append("yz")
    assert not stream.append("more"), "it is told once"
    assert stream.log.next == MAX_UNITS
    stream.move(stream.reading(), MAX_UNITS)
    assert stream.end_if_all_read(stream.reading(MAX_UNITS).cursor)
    assert stream.reason == "length"


def test_a_text_of_exactly_the_most_units_is_complete(stream: Bare) -> None:
    assert not stream.append("x" * MAX_UNITS)
    stream.finish("completed")
    assert stream.end_if_all_read(stream.reading(MAX_UNITS).cursor)
    assert stream.reason == "completed"
