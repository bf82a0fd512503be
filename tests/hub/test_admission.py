"""A source that may refuse a start is asked before anything is made of it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, RecordingSink
from textstream.access.caller import Caller
from textstream.access.source_shares import SourceShares
from textstream.errors import TooManyStreams
from textstream.hub.keeper import Limits
from textstream.reading.reader import Reader
from textstream.sources.base import Source, SourceRequest, Wait
from textstream.sources.slots import Slots
from textstream.stream.start import Start

ADDRESS = "192.0.2.1"


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """Have the generators that a test leaves open end here, where nobody holds a gate's lock."""
    yield
    gc.collect()


class Slow:
    """A source with one slot, whose streams wait for ever once they have it."""

    def __init__(self) -> None:
        self.slots = Slots("slow", 1, SourceShares(1, 2))
        self.source = Source(
            "slow", self._generate, blocking=False, needs_prompt=False, admit=self.slots.admit
        )

    def _generate(self, request: SourceRequest) -> Iterator[str | Wait]:
        slot = self.slots.enter(request, lambda _slot: None)
        try:
            yield Wait()
        finally:
            slot.leave()

    def start(
        self, bench: Bench, *, connection: str = "alice", request_id: str | None = None
    ) -> Reader:
        request = SourceRequest(caller=Caller(ADDRESS, connection))
        start = Start(self.source, request, format="chunk", request_id=request_id)
        return bench.hub.start(start, connection=connection, sink=RecordingSink(bench.clock))


def test_a_start_that_is_refused_makes_nothing(clock: ManualClock) -> None:
    bench, slow = Bench(clock), Slow()
    for _ in range(3):  # at once: no source was asked yet
        slow.start(bench)
    with pytest.raises(TooManyStreams, match="wait for the source slow") as refused:
        slow.start(bench)
    assert refused.value.to_wire()["scope"] == "source"
    bench.settle()
    assert (bench.hub.running_streams, slow.slots.running, slow.slots.waiting) == (3, 1, 2)


def test_one_that_is_refused_for_another_reason_does_not_count(clock: ManualClock) -> None:
    bench, slow = Bench(clock, Limits(max_streams_per_client=1)), Slow()
    slow.start(bench)
    for _ in range(9):
        with pytest.raises(TooManyStreams, match="already runs 1 stream"):
            slow.start(bench)
    slow.start(bench, connection="bob")
    slow.start(bench, connection="carol")
    with pytest.raises(TooManyStreams, match="wait for the source slow"):
        slow.start(bench, connection="dave")


def test_the_same_start_again_does_not_count(clock: ManualClock) -> None:
    bench, slow = Bench(clock), Slow()
    readers = {slow.start(bench, request_id="0123456789abcdef").stream for _ in range(9)}
    assert len(readers) == 1
    slow.start(bench)


@pytest.mark.parametrize("asked", [False, True], ids=["before it begins", "in the queue"])
def test_one_that_is_stopped_makes_room(clock: ManualClock, asked: bool) -> None:
    bench, slow = Bench(clock), Slow()
    readers = [slow.start(bench) for _ in range(3)]
    if asked:
        bench.settle()
    readers[-1].stream.stop("stopped")
    bench.settle()
    slow.start(bench)


def test_one_that_waits_ends_with_its_last_reader_if_it_is_to(clock: ManualClock) -> None:
    bench, slow = Bench(clock), Slow()
    request = SourceRequest(caller=Caller(ADDRESS, "alice"))
    start = Start(slow.source, request, on_disconnect="cancel")
    reader = bench.hub.start(start, connection="alice", sink=RecordingSink(clock))
    bench.run(1)
    assert slow.slots.running == 1
    bench.hub.disconnect("alice")
    bench.run(1)
    assert reader.stream.ending
    assert (reader.stream.ending.reason, slow.slots.running) == ("expired", 0)


def test_one_that_waits_too_long_expires(clock: ManualClock) -> None:
    bench, slow = Bench(clock, Limits(max_duration=60.0)), Slow()
    reader = slow.start(bench)
    bench.run(61)
    assert reader.stream.ending
    assert (reader.stream.ending.reason, slow.slots.running) == ("expired", 0)


def test_going_down_closes_all_that_wait(clock: ManualClock) -> None:
    bench, slow = Bench(clock), Slow()
    for _ in range(3):
        slow.start(bench)
    bench.settle()
    bench.hub.close(0.0)
    bench.settle()
    assert (slow.slots.running, slow.slots.waiting) == (0, 0)
