"""What a user may have of the hub: its own goes first, on whatever address it was."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench
from textstream.access.clients import Clients
from textstream.access.principal import Principal, user
from textstream.access.quotas import Quota, Quotas, read_claim
from textstream.access.rates import parse_rate
from textstream.access.shares import Share, Shares
from textstream.access.visits import Visit
from textstream.errors import RateLimited, TooManyStreams, UnknownStream
from textstream.hub.hub import Limits

ALICE, BOB, CAROL = (user(name) for name in ("alice", "bob", "carol"))


class Users(Bench):
    """A bench with users."""

    def __init__(self, clock: ManualClock, quota: Quota, *, nbytes: int = 0) -> None:
        self.quotas = Quotas(lambda _: quota)
        super().__init__(clock, Limits(), Shares(of=lambda _: Share(), nbytes=nbytes))

    def new_clients(self) -> Clients:
        return Clients(self.shares, self.clock, quotas=self.quotas)

    def connect(self, connection: str, who: Principal, address: str = "a") -> Visit:
        visit = self.clients.enter(address)
        self.clients.sign_in(visit, who)
        self.hub.connect(connection, visit, who)
        return visit

    def ended(self, units: int, connection: str) -> str:
        """Start a stream that ends at once; return its id."""
        reader, _ = self.start("x" * units, connection=connection, rate=0)
        self.run(1)
        assert reader.stream.ending
        return reader.stream.id

    def crawl(self, connection: str) -> str:
        """Start a stream that runs on."""
        reader, _ = self.start("x" * 100, connection=connection, rate=0.001, format="chunk")
        return reader.stream.id

    def kept(self, *stream_ids: str) -> list[bool]:
        """Return which of them are still there."""
        self.hub.connect("operator", None, user("operator", frozenset({"admin"})))
        found = []
        for stream_id in stream_ids:
            try:
                self.hub.describe(stream_id, "operator")
                found.append(True)
            except UnknownStream:
                found.append(False)
        return found

    def gone(self, connection: str, visit: Visit) -> None:
        self.hub.disconnect(connection)
        visit.leave()


def test_who_keeps_too_much_loses_its_own_oldest_on_each_of_its_addresses(
    clock: ManualClock,
) -> None:
    bench = Users(clock, Quota(nbytes=1000))
    bench.connect("here", ALICE, "a")
    bench.connect("there", ALICE, "b")
    bench.connect("bob", BOB, "a")
    bobs = bench.ended(900, "bob")
    own = [bench.ended(300, one) for one in ("there", "here", "there", "here", "here")]
    assert bench.kept(*own) == [False, False, True, True, True]
    assert bench.kept(bobs) == [True]


def test_many_small_texts_push_out_nobody_elses(clock: ManualClock) -> None:
    bench = Users(clock, Quota(kept=2))
    bench.connect("alice", ALICE)
    bench.connect("bob", BOB)
    bobs = bench.ended(1, "bob")
    own = [bench.ended(1, "alice") for _ in range(5)]
    assert bench.kept(bobs, *own) == [True, False, False, False, True, True]


def test_where_all_is_full_the_user_who_keeps_most_loses_not_its_neighbour(
    clock: ManualClock,
) -> None:
    bench = Users(clock, Quota(), nbytes=1000)
    bench.connect("bob", BOB)  # behind one proxy, all of them
    bench.connect("alice", ALICE)
    bobs = bench.ended(200, "bob")
    own = [bench.ended(400, "alice") for _ in range(3)]
    assert bench.kept(bobs, *own) == [True, False, False, True]


def test_streams_whose_connections_have_gone_count_on(clock: ManualClock) -> None:
    bench = Users(clock, Quota(streams=2))
    for number in range(2):
        visit = bench.connect(f"c{number}", ALICE, f"{number}")
        bench.crawl(f"c{number}")
        bench.gone(f"c{number}", visit)
    bench.connect("again", ALICE, "2")
    bench.connect("bob", BOB, "2")
    with pytest.raises(TooManyStreams) as error:
        bench.crawl("again")
    assert error.value.scope == "you"
    bench.crawl("bob")
    bench.run(Limits().grace + 1)
    bench.crawl("again")


def test_one_that_takes_the_place_of_another_is_none_more(clock: ManualClock) -> None:
    bench = Users(clock, Quota(streams=1))
    bench.connect("alice", ALICE)
    for _ in range(3):
        bench.start("x" * 100, connection="alice", rate=0.001)  # in format char
        bench.run(1)
    assert bench.hub.running_streams == 1
    with pytest.raises(TooManyStreams):
        bench.crawl("alice")


def test_the_same_start_again_is_none_more(clock: ManualClock) -> None:
    bench = Users(clock, Quota(streams=1, starts=parse_rate("1/minute")))
    bench.connect("alice", ALICE)
    for _ in range(3):
        bench.start("x" * 100, connection="alice", rate=0.001, request_id="one")
    with pytest.raises(RateLimited):
        bench.start("x", connection="alice")


def test_what_a_token_says_counts_on_its_connection_and_a_newer_one_at_once(
    clock: ManualClock,
) -> None:
    bench = Users(clock, Quota(streams=1))
    bench.connect("alice", user("alice", quota=read_claim({"streams": 2})))
    for _ in range(2):
        bench.crawl("alice")
    with pytest.raises(TooManyStreams):
        bench.crawl("alice")
    bench.hub.connections.swap("alice", user("alice", quota=read_claim({"streams": 3})))
    bench.crawl("alice")
    bench.connect("bob", BOB)
    bench.crawl("bob")
    with pytest.raises(TooManyStreams):
        bench.crawl("bob")


def test_everything_is_given_back_in_the_end(clock: ManualClock) -> None:
    bench = Users(clock, Quota(nbytes=1000, streams=3))
    for who in (ALICE, BOB, CAROL):
        for address in "ab":
            name = f"{who.id}@{address}"
            visit = bench.connect(name, who, address)
            bench.ended(300, name)
            bench.start("x" * 50, connection=name, rate=0.01)
            bench.gone(name, visit)
    counters = bench.clients.counters()
    assert (counters["users"], counters["connections"]) == (3, 0)
    bench.run(Limits().grace + Limits().retention + 5)
    counters = bench.clients.counters()
    assert (counters["users"], counters["addresses"]) == (0, 0)
    assert bench.clients.account.total == 0
    assert not bench.hub.connections._table.unread._of_users
