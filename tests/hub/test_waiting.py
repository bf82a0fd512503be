"""Whoever waits for a source is told its place, and told again when that is another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, RecordingSink
from textstream.access.caller import Caller
from textstream.access.gate import Ticket
from textstream.access.quotas import Quota
from textstream.access.source_shares import SourceShares
from textstream.errors import TooManyStreams
from textstream.hub.waiting import EVERY
from textstream.reading.reader import Reader
from textstream.sources.base import Source, SourceRequest, Wait
from textstream.sources.slots import Slots
from textstream.stream.start import Start


class Line:
    """A source with slots, and streams of it; a stream that has one says so when it is let go."""

    def __init__(self, clock: ManualClock, slots: int = 1) -> None:
        self.bench = Bench(clock)
        self.slots = Slots("slow", slots, SourceShares(0, 0))
        self.source = Source(
            "slow",
            self._generate,
            blocking=False,
            needs_prompt=False,
            admit=self.slots.admit,
            places=self.slots.places,
        )
        self.sinks: dict[str, RecordingSink] = {}
        self.readers: dict[str, Reader] = {}
        self._on: dict[str, Wait] = {}

    def _generate(self, request: SourceRequest) -> Iterator[str | Wait]:
        name = request.prompt or ""
        while True:
            has_slot, self._on[name] = Wait(), Wait()
            slot = self.slots.enter(request, partial(_admitted, has_slot))
            try:
                yield has_slot
                yield "x"
                yield self._on[name]
            finally:
                slot.leave()
            if not name.startswith("again"):
                return

    def start(self, name: str, user: str = "", address: str = "") -> int:
        """Start a stream by its name; return the place that it is told at once."""
        self.sinks[name] = sink = RecordingSink(self.bench.clock)
        caller = Caller(address or name, name, user, Quota() if user else None)
        start = Start(self.source, SourceRequest(name, caller=caller), format="chunk")
        self.readers[name] = reader = self.bench.hub.start(start, connection=name, sink=sink)
        return reader.stream.position

    def finish(self, name: str) -> None:
        """Let a stream's source end, or begin anew."""
        self._on[name].over()

    def told(self, name: str) -> list[int]:
        """Return the places that a stream's first reader was told, in order."""
        events = self.sinks[name].written
        return [one.data["position"] for one in events if one.event == "stream_waiting"]

    def close(self) -> None:
        """End all that runs."""
        self.bench.hub.close(0.0)
        self.bench.settle()


def _admitted(has_slot: Wait, _slot: Ticket) -> None:
    has_slot.over()


@pytest.fixture
def line(clock: ManualClock) -> Iterator[Line]:
    one = Line(clock)
    yield one
    one.close()


def test_each_is_told_at_once_and_whenever_its_place_is_another(line: Line) -> None:
    assert [line.start(name) for name in "abcd"] == [0, 1, 2, 3]
    line.bench.run(EVERY)
    assert [line.told(name) for name in "abcd"] == [[], [1], [2], [3]]
    first = line.sinks["d"].written[:2]
    assert [one.event for one in first] == ["stream_start", "stream_waiting"]
    assert first[1].data == {"id": line.readers["d"].stream.id, "position": 3}
    line.finish("a")
    line.bench.run(2 * EVERY)
    assert [line.told(name) for name in "abcd"] == [[], [1, 0], [2, 1], [3, 2]]
    line.readers["c"].stream.stop("stopped")
    line.bench.run(2 * EVERY)
    assert line.told("d") == [3, 2, 1]


def test_before_the_source_was_asked_it_waits_as_well(line: Line) -> None:
    for name in "ab":
        line.start(name)
    line.bench.clock.advance(5)
    line.bench.dispatcher.step(line.bench.clock.now)  # the pool has not come to them
    assert line.told("b") == [1]
    assert line.slots.waiting == 0


def test_so_many_changes_are_told_now_and_then(line: Line) -> None:
    for number in range(40):
        line.start(f"{number}")
    line.bench.run(0.1)
    for number in range(39):
        line.finish(f"{number}")
        line.bench.run(0.02)
    line.bench.run(1)
    told = [one for one in line.sinks["39"].written if one.event == "stream_waiting"]
    assert told[0].data["position"] == 39
    assert told[-1].data["position"] == 0
    assert len(told) < 6
    assert all(later.at - before.at >= EVERY for before, later in pairwise(told[1:]))


def test_who_is_far_back_is_told_when_it_has_come_on_by_a_twentieth(line: Line) -> None:
    for number in range(62):
        line.start(f"{number}")
    line.bench.run(2 * EVERY)
    assert (line.told("61"), line.told("20")) == ([61], [20])
    for number, told in enumerate(([61], [61], [61], [61, 57])):
        line.finish(f"{number}")
        line.bench.run(2 * EVERY)
        assert line.told("61") == told
    assert line.told("20") == [20, 19, 18, 17, 16]
    assert line.told("4") == [4, 3, 2, 1, 0]


def test_who_comes_to_read_while_it_waits_is_told_as_well(line: Line) -> None:
    for name in "abc":
        line.start(name)
    reader, sink = line.bench.resume(line.readers["c"].stream.id, 0, connection="viewer")
    line.bench.run(EVERY)
    assert [one.event for one in sink.written] == ["stream_start", "stream_waiting"]
    assert sink.written[1].data["position"] == reader.stream.position == 2


def test_what_ends_in_the_line_waits_no_more(line: Line) -> None:
    for name in "ab":
        line.start(name)
    line.bench.settle()
    stream = line.readers["b"].stream
    stream.stop("stopped")
    line.bench.run(EVERY)
    assert [one.event for one in line.sinks["b"].written] == [
        "stream_start",
        "stream_waiting",
        "stream_end",
    ]
    _, sink = line.bench.resume(stream.id, 0, connection="late")
    line.bench.run(2 * EVERY)
    assert [one.event for one in sink.written] == ["stream_start", "stream_end"]


def test_who_has_to_wait_again_in_the_middle_of_its_text_is_told(line: Line) -> None:
    line.start("again")
    line.bench.run(EVERY)
    line.start("other")
    line.bench.run(EVERY)
    line.finish("again")
    line.bench.run(2 * EVERY)
    assert line.told("again") == [1]
    line.finish("other")
    line.bench.run(2 * EVERY)
    assert line.told("again") == [1, 0]
    assert line.sinks["again"].text == "xx"


def test_who_never_waits_is_told_nothing_and_nothing_goes_on_when_all_have_ended(
    clock: ManualClock,
) -> None:
    line = Line(clock, slots=3)
    for name in "abc":
        assert line.start(name) == 0
    line.bench.run(3)
    assert not any(line.told(name) for name in "abc")
    watched = line.bench.hub._starter._waiting
    assert len(watched) == 3
    for name in "abc":
        line.finish(name)
    line.bench.run(2 * EVERY)
    assert len(watched) == 0
    assert not watched._looks
    line.close()


def test_turns_go_round_between_users_wherever_they_are(line: Line) -> None:
    line.start("running")
    for number in range(3):
        line.start(f"alice{number}", "user:alice", f"192.0.2.{number}")
    assert line.start("bob", "user:bob", "192.0.2.0") == 2
    assert line.start("nobody", address="192.0.2.0") == 3
    line.bench.run(EVERY)
    order = []
    running = "running"
    for _ in range(5):
        line.finish(running)
        line.bench.run(EVERY)
        running = next(
            name for name, reader in line.readers.items()
            if line.sinks[name].text and not reader.stream.ending
        )  # fmt: skip
        order.append(running)
    assert order == ["alice0", "bob", "nobody", "alice1", "alice2"]


def test_a_user_waits_as_often_as_it_may_whatever_its_address() -> None:
    slots = Slots("slow", 1, SourceShares(0, 1))
    quota = Quota(running=1, waiting=2)

    def ask(user: str, address: str) -> SourceRequest:
        return SourceRequest("Hi", caller=Caller(address, address, user, quota if user else None))

    def enter(user: str, address: str) -> Ticket:
        request = ask(user, address)
        slots.admit(request)
        return slots.enter(request, lambda _: None)

    for number in range(3):  # one has the slot
        enter("user:alice", f"192.0.2.{number}")
    with pytest.raises(TooManyStreams, match="2 streams from you wait") as error:
        slots.admit(ask("user:alice", "192.0.2.9"))
    wire = error.value.to_wire()
    assert (wire["scope"], wire["position"], wire["retry_after"]) == ("source", 3, 5.0)
    enter("user:bob", "192.0.2.0")
    enter("", "192.0.2.0")
    with pytest.raises(TooManyStreams, match="1 streams from your address"):
        slots.admit(ask("", "192.0.2.0"))
