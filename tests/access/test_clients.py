"""What an address has, and when it may not have more."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from textstream.access.account import Kind
from textstream.access.clients import SWEEP, Clients
from textstream.access.rates import parse_rate
from textstream.access.shares import Share, Shares
from textstream.errors import LimitReached, RateLimited, TooManyStreams


def clients_of(share: Share, clock: ManualClock, **shares: int) -> Clients:
    return Clients(Shares(of=lambda _address: share, **shares), clock)


def refusal(error: pytest.ExceptionInfo[LimitReached]) -> tuple[str | None, float | None]:
    return error.value.scope, error.value.retry_after


def test_an_address_has_so_many_connections(clock: ManualClock) -> None:
    clients = clients_of(Share(connections=2), clock)
    first = clients.enter("a")
    clients.enter("a")
    with pytest.raises(RateLimited, match="TEXTSTREAM_CONNECTIONS_PER_ADDRESS") as error:
        clients.enter("a")
    assert refusal(error) == ("address", 5.0)
    clients.enter("b")
    first.leave()
    first.leave()
    clients.enter("a")
    with pytest.raises(RateLimited):
        clients.enter("a")


def test_all_together_have_so_many_connections(clock: ManualClock) -> None:
    clients = clients_of(Share(), clock, connections=2)
    clients.enter("a")
    visit = clients.enter("b")
    with pytest.raises(RateLimited, match="TEXTSTREAM_MAX_CONNECTIONS") as error:
        clients.enter("c")
    assert refusal(error)[0] == "server"
    visit.leave()
    clients.enter("c")


def test_an_address_connects_so_often(clock: ManualClock) -> None:
    clients = clients_of(Share(handshakes=parse_rate("2/minute")), clock)
    for _ in range(2):
        clients.enter("a").leave()
    clock.advance(15)
    with pytest.raises(RateLimited) as error:
        clients.enter("a")
    assert refusal(error) == ("address", 45.0)
    clock.advance(45)
    clients.enter("a")


def test_starts_count_for_the_connection_and_for_the_address(clock: ManualClock) -> None:
    share = Share(starts=parse_rate("3/minute"), connection_starts=parse_rate("2/minute"))
    clients = clients_of(share, clock)
    one, two, three = (clients.enter(address) for address in "aab")
    for _ in range(2):
        clients.take_start(one, "one")
    with pytest.raises(RateLimited) as error:
        clients.take_start(one, "one")
    assert refusal(error) == ("connection", 60.0)
    clients.take_start(two, "two")
    with pytest.raises(RateLimited) as error:
        clients.take_start(two, "two")
    assert refusal(error) == ("address", 60.0)
    clients.take_start(three, "three")


def test_an_address_runs_so_many_streams_also_when_its_connections_have_gone(
    clock: ManualClock,
) -> None:
    clients = clients_of(Share(streams=2), clock)
    visit = clients.enter("a")
    for _ in range(2):
        clients.check_stream(visit)
        clients.started(visit)
    visit.leave()
    again = clients.enter("a")
    with pytest.raises(TooManyStreams, match="TEXTSTREAM_STREAMS_PER_ADDRESS") as error:
        clients.check_stream(again)
    assert refusal(error)[0] == "address"
    clients.ended(visit)
    clients.check_stream(again)


def test_a_stream_is_refused_where_as_much_is_kept_as_may_be(clock: ManualClock) -> None:
    share = Share(nbytes=100, waiting=50, connection_bytes=80)
    clients = clients_of(share, clock)
    visit, other = clients.enter("a"), clients.enter("a")
    visit.account.add(Kind.WAITING, 50)
    with pytest.raises(TooManyStreams) as error:
        clients.check_stream(other)
    assert refusal(error)[0] == "address"
    visit.account.add(Kind.WAITING, -50)
    visit.account.add(Kind.TEXT, 80)
    with pytest.raises(TooManyStreams) as error:
        clients.check_stream(visit)
    assert refusal(error)[0] == "connection"
    clients.check_stream(other)
    clients.check_stream(clients.enter("b"))


def test_an_address_of_which_nothing_is_left_is_forgotten(clock: ManualClock) -> None:
    clients = clients_of(Share(), clock)
    visit = clients.enter("a")
    clients.started(visit)
    visit.leave()
    assert clients.counters()["addresses"] == 1, "its stream runs on"
    clients.ended(visit)
    clients.forgotten(visit)
    assert clients.counters()["addresses"] == 0


def test_what_was_kept_beyond_the_last_connection_does_not_keep_its_address(
    clock: ManualClock,
) -> None:
    clients = clients_of(Share(), clock)
    for number in range(2 * SWEEP):
        visit = clients.enter(str(number))
        visit.account.add(Kind.OUTGOING, 10)
        visit.leave()
        visit.account.add(Kind.OUTGOING, -10)
    assert clients.counters()["addresses"] <= SWEEP + 1


def test_the_counters_say_for_whom_most_is_kept(clock: ManualClock) -> None:
    clients = clients_of(Share(), clock)
    for number in range(20):
        visit = clients.enter(f"10.0.0.{number}")
        visit.account.add(Kind.TEXT, number)
    counters = clients.counters()
    assert counters["connections"] == counters["addresses"] == 20
    assert counters["bytes"]["text"] == sum(range(20))
    assert list(counters["largest"])[:2] == ["10.0.0.19", "10.0.0.18"]
    assert len(counters["largest"]) == 10
