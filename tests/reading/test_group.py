"""Readers of one stream who are at the same place: one entry, and each exactly where it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clock import ManualClock
from tests.support.doubles import PLENTY, Bench, RecordingSink, sha256
from textstream.reading.group import Group
from textstream.reading.reader import Reader
from textstream.reading.run import IN_A_ROW, RUN
from textstream.sources.base import Source

TEXT = "".join(chr(0x4E00 + n) for n in range(400))
RATE = 20


class Hall:
    """A stream, and those who read it."""

    def __init__(self, clock: ManualClock, text: str = TEXT) -> None:
        self.bench = Bench(clock)
        self.text = text
        source = Source("script", lambda _request: iter((text,)), live=False, immediate=True)
        self.owner, self.owners = self.bench.start(source, rate=RATE)
        self.readers: list[Reader] = []
        self.sinks: list[RecordingSink] = []

    def join(self, count: int = 1, **options: Any) -> None:
        """Let so many join at the beginning."""
        for _ in range(count):
            name = f"viewer {len(self.readers)}"
            options.setdefault("format", "char")
            reader, sink = self.bench.resume(
                self.owner.stream.id, 0, connection=name, rate=RATE, **options
            )
            self.readers.append(reader)
            self.sinks.append(sink)

    @property
    def entries(self) -> list[Any]:
        """What stands in the dispatcher's wheel."""
        return list(self.bench.dispatcher._runs._wheel.items())

    @property
    def members(self) -> list[int]:
        """How many are in each group."""
        return sorted(len(one) for one in self.entries if isinstance(one, Group))


@pytest.fixture(autouse=True)
def in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a row of readers, so that the test's are not in two, with a block.

    A stream's name, which is random, says where its blocks begin: where one ended in the middle of
    a test, a group would end with it.
    """
    monkeypatch.setattr("textstream.reading.reader._turn", itertools.count())
    monkeypatch.setattr("textstream.reading.run.hash", lambda _name: 0, raising=False)


@pytest.fixture
def hall(clock: ManualClock) -> Hall:
    made = Hall(clock)
    made.join(5)
    made.bench.run(0.5)
    assert made.members == [6], "five viewers, and who started it"
    return made


def test_those_of_one_place_are_one_entry_and_get_the_same_at_the_same_time(hall: Hall) -> None:
    hall.bench.run(1)
    assert len(hall.entries) == 1
    times = [sink.times for sink in hall.sinks]
    assert all(one == times[0] for one in times)
    assert [b - a for a, b in pairwise(times[0][1:])] == pytest.approx([1 / RATE] * 29)


def test_each_is_told_the_end_with_the_last_unit(hall: Hall) -> None:
    begin = hall.sinks[0].times[0]
    hall.bench.run(len(TEXT) / RATE)
    for sink in (hall.owners, *hall.sinks):
        assert sink.text == TEXT
        assert sink.end["text_sha256"] == sha256(TEXT)
        assert sink.named("stream_end")[0].at == sink.times[-1]
        assert sink.times[-1] - begin == pytest.approx((len(TEXT) - 1) / RATE, abs=0.02)
    assert hall.entries == []
    assert hall.bench.dispatcher._runs._groups._met == {}


def test_one_that_comes_later_is_not_at_their_place_and_gets_all(hall: Hall) -> None:
    hall.join()
    hall.bench.run(0.5)
    assert hall.members == [6]
    assert len(hall.entries) == 2
    hall.bench.run(len(TEXT) / RATE)
    assert hall.sinks[-1].text == TEXT


def test_those_who_come_apart_by_a_whole_number_of_units_keep_their_places(
    clock: ManualClock,
) -> None:
    hall = Hall(clock)
    for _ in range(4):
        hall.join(3)
        hall.bench.run(2 / RATE)
    assert hall.members == [3, 3, 3, 4]


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_who_pauses_stands_exactly_behind_what_it_was_sent(hall: Hall, late: float) -> None:
    reader, sink = hall.readers[2], hall.sinks[2]
    hall.bench.clock.advance(late)
    reader.pause()
    assert reader.cursor == len(sink.text)
    hall.bench.run(1)
    assert reader.cursor == len(sink.text)
    assert hall.members == [5]
    reader.go_on(hall.bench.clock.now)
    hall.bench.run(2 * len(TEXT) / RATE)
    assert sink.text == TEXT


def test_who_leaves_may_return_to_the_unit(hall: Hall) -> None:
    reader, sink = hall.readers[0], hall.sinks[0]
    reader.leave()
    assert reader.cursor == len(sink.text)
    hall.bench.run(1)
    assert reader.cursor == len(sink.text)
    assert hall.members == [5]


def test_who_leaves_while_the_others_are_served_is_where_it_was(hall: Hall) -> None:
    """Another thread takes a member's run away in the middle of the group's step."""
    first, last = hall.readers[0], hall.readers[4]
    offer = hall.sinks[2].offer

    def meddle(data: bytes) -> bool:
        first.set_rate(5, hall.bench.clock.now)
        last.pause()
        return offer(data)

    hall.sinks[2].offer = meddle  # type: ignore[method-assign]
    hall.bench.run(1 / RATE)
    del hall.sinks[2].offer
    served, standing = len(hall.sinks[0].text), len(hall.sinks[4].text)
    assert (first.cursor, last.cursor) == (served, standing)
    assert served == standing + 1, "one was served before, the other was not to be served any more"
    hall.bench.run(0.9 / 5)
    assert hall.sinks[0].text == TEXT[:served]
    hall.bench.run(0.2 / 5)
    assert hall.sinks[0].text == TEXT[: served + 1]
    assert hall.sinks[2].text == hall.sinks[1].text


def test_who_does_not_read_holds_nobody_up(hall: Hall) -> None:
    slow = hall.sinks[1]
    slow.capacity = 3
    hall.bench.run(2)
    assert hall.members == [5]
    assert len(slow.text) == len(TEXT[: len(hall.sinks[0].text)]) - 37
    assert {len(sink.text) for sink in hall.sinks if sink is not slow} == {len(hall.sinks[0].text)}
    slow.capacity = PLENTY
    hall.bench.run(0.1)
    assert len(slow.text) == len(hall.sinks[0].text), "it is owed what it could not take"


def test_a_step_that_comes_late_sends_all_of_them_what_is_owed(hall: Hall) -> None:
    before = len(hall.sinks[0].text)
    hall.bench.clock.advance(1)
    hall.bench.settle()
    assert {len(sink.text) for sink in hall.sinks} == {before + RATE}


def test_a_stop_ends_all_of_them_where_the_furthest_is(hall: Hall) -> None:
    furthest = max(len(sink.text) for sink in (hall.owners, *hall.sinks))
    assert hall.owner.stream.stop("stopped") == furthest
    hall.bench.settle()
    for sink in (hall.owners, *hall.sinks):
        assert sink.end["offset"] == furthest == len(sink.text)


def test_a_sink_that_breaks_ends_its_own_reader_alone(hall: Hall) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a sink broke")

    broken = hall.sinks[1]
    broken.offer = broken.write_units = fail  # type: ignore[method-assign]
    hall.bench.run(1)
    assert hall.members == [5]
    assert broken.error["code"] == "internal_error"
    assert len(hall.sinks[0].text) > len(broken.text)
    assert len({len(sink.text) for sink in hall.sinks}) == 2


def test_one_that_reads_alone_is_no_group(clock: ManualClock) -> None:
    hall = Hall(clock)
    hall.bench.run(1)
    assert len(hall.entries) == 1
    assert hall.members == []
    assert hall.bench.dispatcher._runs._groups._met == {}


def test_many_who_begin_together_do_not_all_end_their_runs_together(clock: ManualClock) -> None:
    hall = Hall(clock)
    hall.join(4 * IN_A_ROW)
    hall.bench.run(RUN / RATE)
    assert len(hall.members) >= 4
    assert max(hall.members) <= IN_A_ROW + 1


ACTS: dict[str, Callable[[Hall, int, float], object]] = {
    "pause": lambda hall, who, _: hall.readers[who].pause(),
    "go on": lambda hall, who, _: hall.readers[who].go_on(hall.bench.clock.now),
    "slower": lambda hall, who, _: hall.readers[who].set_rate(RATE / 2, hall.bench.clock.now),
    "faster": lambda hall, who, _: hall.readers[who].set_rate(RATE, hall.bench.clock.now),
    "leave": lambda hall, who, _: hall.readers[who].leave(),
    "choke": lambda hall, who, _: setattr(hall.sinks[who], "capacity", who),
    "join": lambda hall, _, __: hall.join(),
    "wait": lambda hall, _, seconds: hall.bench.run(seconds),
    "be late": lambda hall, _, seconds: hall.bench.clock.advance(seconds),
}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(ACTS)), st.integers(0, 5), st.floats(0.01, 1.5)),
        max_size=25,
    )
)
def test_whatever_they_do_each_has_its_text(acts: list[tuple[str, int, float]]) -> None:
    hall = Hall(ManualClock(), TEXT[:120])
    hall.join(6)
    for act, who, seconds in acts:
        ACTS[act](hall, who, seconds)
        for reader, sink in zip(hall.readers, hall.sinks, strict=True):
            assert sink.text == hall.text[: reader.cursor]
    for reader, sink in zip(hall.readers, hall.sinks, strict=True):
        sink.capacity = PLENTY
        reader.go_on(hall.bench.clock.now)
    hall.bench.run(30)
    for reader, sink in zip(hall.readers, hall.sinks, strict=True):
        assert reader.left or (sink.text, sink.end["text_sha256"]) == (hall.text, sha256(hall.text))
    assert hall.entries == []
    assert hall.bench.dispatcher._runs._groups._met == {}
