"""Who reads with a grant, and until when: real parts, a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, RecordingSink
from textstream.hub.hub import Hub
from textstream.reading.reader import Reader
from textstream.reading.sink import Event

TEXT = "x" * 600


@pytest.fixture
def bench(clock: ManualClock) -> Bench:
    return Bench(clock)


class Eager(RecordingSink):
    """Calls back in the moment in which it is told of the end."""

    def __init__(self, clock: ManualClock, told: Callable[[], object]) -> None:
        super().__init__(clock)
        self._told = told

    def write_units(self, *what: Any, after: Sequence[Event] = (), **more: Any) -> None:
        super().write_units(*what, after=after, **more)
        if after:
            self._told()


def shared(bench: Bench, seconds: float) -> tuple[str, str]:
    """Start a stream; return its id and a grant of it."""
    reader, _ = bench.start(TEXT, rate=10)
    share = bench.hub.sharing.share(reader.stream.id, "alice", key=None, expires=seconds)
    return reader.stream.id, share["grant"]


def codes(sink: RecordingSink) -> list[str]:
    return [entry.data["code"] for entry in sink.named("stream_error")]


def test_who_reads_with_a_grant_is_let_go_of_when_it_expires(bench: Bench) -> None:
    stream_id, grant = shared(bench, 10)
    _, sink = bench.resume(stream_id, 0, connection="bob", grant=grant)
    bench.run(9.9)
    assert codes(sink) == []
    bench.run(0.2)
    assert codes(sink) == ["forbidden"]


def test_who_shows_the_key_since_needs_no_grant(bench: Bench) -> None:
    stream_id, grant = shared(bench, 10)
    bench.resume(stream_id, 0, connection="bob", grant=grant)
    key = bench.hub.connections.find(stream_id).key
    _, sink = bench.resume(stream_id, 0, connection="bob", key=key)
    bench.run(20)
    assert codes(sink) == []
    assert len(sink.text) > 150


def test_who_reads_anew_in_the_moment_of_the_end_is_watched(bench: Bench) -> None:
    """The reader that was told of the end is let go of when the next one is there already."""
    stream_id, grant = shared(bench, 100)
    again: list[tuple[Reader, RecordingSink]] = []

    def resume() -> None:
        again.append(bench.resume(stream_id, 0, connection="bob", rate=1, grant=grant))

    hub: Hub = bench.hub
    sink = Eager(bench.clock, resume)
    hub.resume(stream_id, offset=0, connection="bob", sink=sink, rate=0, grant=grant)
    bench.run(61)
    ((_, anew),) = again
    assert codes(anew) == []
    bench.run(40)
    assert codes(anew) == ["forbidden"]
