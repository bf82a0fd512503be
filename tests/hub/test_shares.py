"""What an address may have of the hub: its own goes first, and nobody else's."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, RecordingSink, ScriptedSource
from textstream.access.account import Kind
from textstream.access.rates import parse_rate
from textstream.access.shares import Share, Shares
from textstream.access.visits import Visit
from textstream.errors import RateLimited, TooManyStreams, UnknownStream
from textstream.hub.hub import Limits
from textstream.protocol import UnitName
from textstream.sources.base import SourceRequest
from textstream.sources.text import text_source
from textstream.stream.start import Start


def bench_of(
    clock: ManualClock, share: Share, *, limits: Limits | None = None, nbytes: int = 0
) -> Bench:
    return Bench(clock, limits or Limits(), Shares(of=lambda _: share, nbytes=nbytes))


def connect(bench: Bench, connection: str, address: str) -> Visit:
    visit = bench.clients.enter(address)
    bench.hub.connect(connection, visit)
    return visit


def ended(bench: Bench, units: int, connection: str) -> str:
    """Start a stream that ends at once; return its id."""
    reader, _ = bench.start("x" * units, connection=connection, rate=0)
    bench.run(1)
    assert reader.stream.ending
    return reader.stream.id


def is_kept(bench: Bench, stream_id: str) -> bool:
    try:
        bench.hub.describe(stream_id, "c")
    except UnknownStream:
        return False
    return True


def test_who_keeps_too_much_loses_its_own_oldest(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(nbytes=1000))
    connect(bench, "alice", "a")
    connect(bench, "bob", "b")
    others = [ended(bench, 300, "bob") for _ in range(2)]
    own = [ended(bench, 300, "alice") for _ in range(6)]
    assert [is_kept(bench, one) for one in own] == [False] * 3 + [True] * 3
    assert all(is_kept(bench, one) for one in others)


def test_a_connection_has_a_share_of_its_address(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(nbytes=1000, connection_bytes=500))
    connect(bench, "alice", "a")
    connect(bench, "her other", "a")
    other = ended(bench, 300, "her other")
    own = [ended(bench, 200, "alice") for _ in range(4)]
    assert [is_kept(bench, one) for one in own] == [False, False, True, True]
    assert is_kept(bench, other)


def test_where_all_is_full_the_one_who_keeps_most_loses(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(), nbytes=1000)
    connect(bench, "alice", "a")
    connect(bench, "bob", "b")
    first = ended(bench, 200, "bob")
    own = [ended(bench, 300, "alice") for _ in range(2)]
    last = ended(bench, 250, "bob")
    assert [is_kept(bench, one) for one in own] == [False, True]
    assert is_kept(bench, first)
    assert is_kept(bench, last)


def test_many_small_texts_push_out_nobody_elses(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(kept=3), limits=Limits(max_streams=6))
    connect(bench, "alice", "a")
    connect(bench, "bob", "b")
    other = ended(bench, 1, "bob")
    own = [ended(bench, 1, "alice") for _ in range(12)]
    assert [is_kept(bench, one) for one in own] == [False] * 9 + [True] * 3
    assert is_kept(bench, other)


def test_what_runs_counts_until_it_has_ended_also_without_a_connection(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(streams=2))
    connect(bench, "alice", "a").leave()
    for _ in range(2):
        bench.start("x" * 100, connection="alice", rate=0.001, format="chunk")
    bench.hub.disconnect("alice")
    connect(bench, "alice again", "a")
    with pytest.raises(TooManyStreams) as error:
        bench.start("x", connection="alice again")
    assert error.value.scope == "address"
    connect(bench, "bob", "b")
    bench.start("x", connection="bob")
    bench.run(Limits().grace + 1)
    bench.start("x", connection="alice again")


def test_who_starts_too_often_is_told_when_to_come_again(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(starts=parse_rate("2/minute")))
    connect(bench, "alice", "a")
    for _ in range(2):
        bench.start("x", connection="alice", request_id="0123456789abcdef")
    bench.start("x", connection="alice")
    with pytest.raises(RateLimited) as error:
        bench.start("x", connection="alice")
    assert error.value.retry_after == 60
    assert bench.start("x", connection="alice", request_id="0123456789abcdef"), "it is no new one"


def test_a_text_that_waits_is_counted_for_who_sent_it(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(waiting=20_000))
    alice = connect(bench, "alice", "a")
    text = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(30_000))

    def start(connection: str) -> str:
        source, sink = text_source(), RecordingSink(bench.clock)
        start = Start(source, SourceRequest(text), rate=0.001, format="chunk")
        return bench.hub.start(start, connection=connection, sink=sink).stream.id

    stream_id = start("alice")
    assert alice.account.count(Kind.WAITING) > 20_000
    with pytest.raises(TooManyStreams, match="As much text") as error:
        start("alice")
    assert (error.value.scope, error.value.code) == ("address", "too_many_streams")
    connect(bench, "bob", "b")
    start("bob")
    bench.hub.stop(stream_id, "alice")
    bench.run(1)
    assert alice.account.count(Kind.WAITING) == 0
    start("alice")


def test_a_refused_start_leaves_nothing_counted(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(streams=1))
    alice = connect(bench, "alice", "a")
    bench.start("x" * 100, connection="alice", rate=0.001, format="chunk")
    before = alice.account.total
    with pytest.raises(TooManyStreams):
        bench.hub.start(
            Start(text_source(), SourceRequest("字" * 9_000), format="chunk"),
            connection="alice",
            sink=RecordingSink(bench.clock),
        )
    assert alice.account.total == before


def test_what_is_read_at_a_crawl_after_its_end_goes_when_room_is_needed(
    clock: ManualClock,
) -> None:
    bench = bench_of(clock, Share(nbytes=1000), limits=Limits(lookahead=10))
    connect(bench, "alice", "a")
    connect(bench, "her other", "a")
    crawled = ended(bench, 600, "alice")
    _, sink = bench.resume(crawled, 0, connection="her other", rate=0.001, format="chunk")
    bench.run(1)
    bench.start(ScriptedSource("y", repeat=True).source, connection="alice", rate=100)
    bench.run(5)
    assert sink.names[-1] == "stream_end"
    assert not is_kept(bench, crawled)


def test_what_is_read_at_a_crawl_is_not_kept_for_ever(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(), limits=Limits(max_duration=1000.0))
    connect(bench, "alice", "a")
    crawled = ended(bench, 600, "alice")
    _, sink = bench.resume(crawled, 0, connection="bob", rate=0.0001, format="chunk")
    bench.run(980)
    assert is_kept(bench, crawled)
    bench.run(30)
    assert sink.names[-1] == "stream_end"
    bench.run(Limits().retention + 1)
    assert not is_kept(bench, crawled)


def test_a_growing_stream_makes_room_among_its_own(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(nbytes=1000), limits=Limits(lookahead=10))
    connect(bench, "alice", "a")
    connect(bench, "bob", "b")
    own, other = ended(bench, 600, "alice"), ended(bench, 900, "bob")
    bench.start(ScriptedSource("y", repeat=True).source, connection="alice", rate=100)
    bench.run(5)
    assert not is_kept(bench, own)
    assert is_kept(bench, other)


def test_everything_is_given_back_in_the_end(clock: ManualClock) -> None:
    bench = bench_of(clock, Share(nbytes=1000, kept=2, streams=3))
    for name in ("alice", "bob"):
        visit = connect(bench, name, name)
        for _ in range(4):
            ended(bench, 300, name)
        bench.start("x" * 50, connection=name, rate=0.01)
        bench.hub.disconnect(name)
        visit.leave()
    bench.run(Limits().grace + Limits().retention + 5)
    assert bench.clients.account.total == 0
    counters = bench.clients.counters()
    assert (counters["connections"], counters["addresses"]) == (0, 0)


@pytest.mark.parametrize("unit", ["char", "word", "token"])
def test_a_text_that_waits_is_not_far_ahead_in_bytes(clock: ManualClock, unit: UnitName) -> None:
    """A word may be 4,096 emoji: 2,000 of them would be 32 MB."""
    bench = bench_of(clock, Share())
    alice = connect(bench, "alice", "a")
    start = Start(
        text_source(),
        SourceRequest("\U0001f600" * 100_000, unit=unit),
        rate=0.001,
        format="chunk",
    )
    bench.hub.start(start, connection="alice", sink=RecordingSink(bench.clock))
    bench.run(1)
    assert 0 < alice.account.count(Kind.TEXT) < 100_000


def test_the_hub_itself_is_no_connection(clock: ManualClock) -> None:
    """As one it would be all there may be with ``TEXTSTREAM_MAX_CONNECTIONS=1``."""
    bench = Bench(clock, Limits(), Shares(connections=1))
    connect(bench, "alice", "a")
    with pytest.raises(RateLimited, match="1 connection, as many"):
        connect(bench, "bob", "b")
    bench.start("x", connection="nobody announced this one")
