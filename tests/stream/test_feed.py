"""What a live source that rests has left is let go of, by a timed call and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.support.clock import ManualTimer
from tests.support.doubles import PLENTY, new_stream
from tests.support.ranked_locks import held
from textstream.access.account import Account, Kind
from textstream.protocol import UnitName
from textstream.sources.base import Source, SourceRequest
from textstream.stream.feed import REST, Feed, LiveFeed, new_feed
from textstream.stream.memory_log import MemoryLog
from textstream.stream.start import Start
from textstream.stream.stream import Stream

PROMISED = 0.4
"""Seconds: what the protocol says."""


class SlowLog(MemoryLog):
    """Takes some seconds to append, in which timed calls come."""

    def __init__(self, timer: ManualTimer) -> None:
        super().__init__("s", partial(Account().add, Kind.TEXT), max_bytes=PLENTY)
        self.timer = timer
        self.seconds = 0.0

    def append(self, units: Sequence[str], *, keep_from: int) -> int:
        self.timer.advance(self.seconds)
        return super().append(units, keep_from=keep_from)


@dataclass
class Desk:
    """A stream and its feed, and a clock that only the test moves."""

    unit: UnitName = "char"
    live: bool = True
    max_units: int = PLENTY
    timer: ManualTimer = field(default_factory=ManualTimer)

    def __post_init__(self) -> None:
        self.log = SlowLog(self.timer)
        request = SourceRequest(unit=self.unit)
        start = Start(Source("script", lambda _request: iter(())), request, rate=0)
        self.stream: Stream = new_stream(start=start, log=self.log, max_units=self.max_units)
        self.stream.begin()
        self.feed: Feed = new_feed(
            self.stream, live=self.live, clock=self.timer, call_at=self.timer.call_at
        )

    @property
    def units(self) -> list[str]:
        return list(self.log.read(0, PLENTY) or ())


def test_the_last_character_goes_when_the_source_rests() -> None:
    desk = Desk()
    desk.feed.append(["that up."])
    assert desk.units == list("that up")
    desk.timer.advance(REST - 0.01)
    assert desk.units == list("that up")
    desk.timer.advance(0.01)
    assert desk.units == list("that up.")
    assert REST < PROMISED


def test_the_last_word_goes_too() -> None:
    desk = Desk("word")
    desk.feed.append(["that up."])
    desk.timer.advance(REST)
    assert desk.units == ["that ", "up."]


def test_a_rest_counts_from_the_last_delta_that_says_something() -> None:
    desk = Desk()
    for letter in "abc":
        desk.feed.append([letter])
        desk.timer.advance(REST * 0.9)
    assert desk.units == ["a", "b"]
    desk.feed.append([""])
    desk.timer.advance(REST * 0.11)
    assert desk.units == ["a", "b", "c"]


@pytest.mark.parametrize("unit", ["char", "word", "token"])
def test_an_idle_stream_costs_nothing(unit: UnitName) -> None:
    desk = Desk(unit)
    desk.feed.append(["up."])
    desk.timer.advance(1)
    assert desk.units[-1][-1] == "."
    assert desk.timer.calls == []


@pytest.mark.parametrize("waiting", ["\r", "👍", "🇩", "क\u094d", "e\u0301"])
def test_nor_does_one_whose_last_character_waits(waiting: str) -> None:
    desk = Desk()
    desk.feed.append(["a", waiting])
    desk.timer.advance(3600)
    assert desk.units == ["a"]
    assert desk.timer.calls == []
    desk.feed.append(["b"])
    desk.timer.advance(REST)
    assert desk.units == ["a", waiting, "b"]


def test_however_many_deltas_come_one_call_is_under_way() -> None:
    desk = Desk()
    most = 0
    for _ in range(1000):
        desk.feed.append(["a"])
        assert len(desk.timer.calls) == 1
        desk.timer.advance(REST / 100)
        most = max(most, len({when for when, _ in desk.timer.calls}))
    assert most == 1
    assert len(desk.units) == 999


def test_only_a_live_source_of_characters_or_words_rests() -> None:
    assert type(Desk(live=False).feed) is Feed
    assert type(Desk("token").feed) is Feed
    assert type(Desk("word").feed) is LiveFeed


def test_half_a_surrogate_pair_says_that_more_is_to_come() -> None:
    desk = Desk()
    desk.feed.append(["e\udb40"])
    desk.timer.advance(10)
    assert desk.units == []
    desk.feed.append(["\udd00"])
    desk.feed.finish()
    assert desk.units == ["e\U000e0100"]


def test_a_mark_that_comes_too_late_is_the_next_unit() -> None:
    desk = Desk()
    desk.feed.append(["ax"])
    desk.timer.advance(REST)
    assert desk.log.next == 2
    desk.feed.append(["\u0304 b"])
    desk.feed.finish()
    assert desk.units == ["a", "x", "\u0304", " ", "b"]


def test_a_delta_that_is_just_being_appended_is_no_rest() -> None:
    desk = Desk()
    desk.feed.append(["ab"])
    desk.log.seconds = 10 * REST
    desk.feed.append(["cd"])
    assert desk.units == ["a", "b", "c"]
    desk.log.seconds = 0
    desk.timer.advance(REST)
    assert desk.units == ["a", "b", "c", "d"]


def test_what_comes_behind_the_end_of_the_stream_is_dropped() -> None:
    desk = Desk()
    desk.feed.append(["ab"])
    desk.stream.stop("expired")
    desk.timer.advance(REST)
    assert desk.units == ["a"]
    assert desk.timer.calls == []


def test_nothing_is_left_when_the_source_has_ended() -> None:
    desk = Desk()
    desk.feed.append(["ab"])
    desk.feed.finish()
    desk.stream.finish("completed")
    desk.timer.advance(REST)
    assert desk.units == ["a", "b"]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("how", ["append", "rest", "finish"])
def test_at_the_most_units_the_source_is_cancelled_with_no_lock_held(live: bool, how: str) -> None:
    desk = Desk(max_units=2, live=live)
    locks: list[list[str]] = []
    desk.stream.cancel.on_cancel(lambda: locks.append(held()))
    desk.feed.append(["abc"])
    assert locks == []
    if how == "append":
        desk.feed.append(["d"])
    elif how == "finish" or not live:
        desk.feed.finish()
    else:
        desk.timer.advance(REST)
    assert locks == [[]]
    assert desk.units == ["a", "b"]
    assert desk.stream.life.outcome
    assert desk.stream.life.outcome.reason == "length"
