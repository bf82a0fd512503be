"""What a user has, over all its connections, and when it may not have more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.clock import ManualClock
from textstream.access.account import Kind
from textstream.access.clients import Clients
from textstream.access.principal import Principal, principal_of, user
from textstream.access.quotas import Quota, Quotas, read_claim
from textstream.access.rates import SWEEP, parse_rate
from textstream.access.shares import Share, Shares
from textstream.access.visits import Visit
from textstream.errors import LimitReached, RateLimited, TooManyStreams

ALICE, BOB = user("alice"), user("bob")


class Door:
    """Clients, and a way in."""

    def __init__(self, clock: ManualClock, quota: Quota, share: Share | None = None) -> None:
        shares = Shares(of=lambda _: share or Share())
        self.clients = Clients(shares, clock, quotas=Quotas(lambda _: quota))

    def enter(self, principal: Principal, address: str = "a") -> Visit:
        visit = self.clients.enter(address)
        self.clients.sign_in(visit, principal)
        return visit

    def run(self, visit: Visit) -> Callable[[], None]:
        """Have a stream run; return what ends and forgets it."""
        self.clients.check_stream(visit)
        self.clients.started(visit)
        by = visit.user

        def end() -> None:
            self.clients.ended(visit, by)
            self.clients.forgotten(visit, by)

        return end

    @property
    def left(self) -> tuple[int, int, int]:
        """Connections, addresses and users of whom there is anything."""
        counters = self.clients.counters()
        return counters["connections"], counters["addresses"], counters["users"]


def refusal(error: pytest.ExceptionInfo[LimitReached]) -> tuple[str, str | None, float | None]:
    return error.value.code, error.value.scope, error.value.retry_after


def test_a_user_has_so_many_connections_wherever_they_come_from(clock: ManualClock) -> None:
    door = Door(clock, Quota(connections=2))
    first = door.enter(ALICE, "a")
    door.enter(ALICE, "b")
    late = door.clients.enter("c")
    with pytest.raises(RateLimited, match="TEXTSTREAM_CONNECTIONS_PER_PRINCIPAL") as error:
        door.clients.sign_in(late, ALICE)
    assert refusal(error) == ("rate_limited", "you", 5.0)
    assert late.user is None
    door.clients.sign_in(late, BOB)
    door.clients.sign_out(first)
    door.clients.sign_out(first)
    first.leave()
    door.enter(ALICE, "c")
    with pytest.raises(RateLimited):
        door.enter(ALICE, "a")


def test_a_client_key_is_nobody_and_counts_for_its_address_alone(clock: ManualClock) -> None:
    door = Door(clock, Quota(connections=1, streams=1), Share(streams=3))
    for key in ("x" * 32, "x" * 32, "y" * 32):
        visit = door.enter(principal_of({"client_key": key}))
        assert visit.user is None
        door.run(visit)
    assert door.left[2] == 0
    with pytest.raises(TooManyStreams) as error:
        door.run(door.enter(principal_of({"client_key": "z" * 32})))
    assert error.value.scope == "address"


def test_starts_count_for_the_user_and_beside_it_for_the_address(clock: ManualClock) -> None:
    share = Share(starts=parse_rate("4/minute"))
    door = Door(clock, Quota(starts=parse_rate("3/minute; 5/day")), share)
    here, there = door.enter(ALICE, "a"), door.enter(ALICE, "b")
    for visit in (here, there, there):
        door.clients.take_start(visit, "c")
    for visit in (here, there):
        with pytest.raises(RateLimited, match="You start") as error:
            door.clients.take_start(visit, "c")
        assert refusal(error) == ("rate_limited", "you", 60.0)
    bob = door.enter(BOB, "a")
    for _ in range(3):  # Alice's refused ones are not among those of her address
        door.clients.take_start(bob, "c")
    carol = door.enter(user("carol"), "a")
    with pytest.raises(RateLimited) as error:
        door.clients.take_start(carol, "c")
    assert refusal(error) == ("rate_limited", "address", 60.0)
    clock.advance(60)
    for _ in range(2):
        door.clients.take_start(here, "c")
    with pytest.raises(RateLimited) as error:
        door.clients.take_start(here, "c")
    assert refusal(error)[2] == 86_400 - 60


def test_a_user_runs_so_many_streams_also_when_its_connections_have_gone(
    clock: ManualClock,
) -> None:
    door = Door(clock, Quota(streams=2))
    here, there = door.enter(ALICE, "a"), door.enter(ALICE, "b")
    end, _ = door.run(here), door.run(there)
    here.leave()
    there.leave()
    again = door.enter(ALICE, "c")
    with pytest.raises(TooManyStreams, match="You run 2 streams") as error:
        door.clients.check_stream(again)
    assert refusal(error) == ("too_many_streams", "you", 5.0)
    door.clients.check_stream(again, ending=1)
    door.run(door.enter(BOB, "a"))
    end()
    door.clients.check_stream(again)


def test_what_a_claim_gives_by_name_holds_above_the_share_of_the_address(
    clock: ManualClock,
) -> None:
    share = Share(streams=1, starts=parse_rate("1/minute"), nbytes=50)
    door = Door(clock, Quota(streams=1, starts=parse_rate("1/minute")), share)
    claim = read_claim({"streams": 3, "starts": "2/minute", "bytes": 1000})
    visit = door.enter(user("alice", quota=claim))
    for _ in range(2):
        door.clients.take_start(visit, "c")
    with pytest.raises(RateLimited) as error:
        door.clients.take_start(visit, "c")
    assert error.value.scope == "you"
    door.clients.take_start(door.enter(BOB), "d")
    for _ in range(3):
        door.run(visit)
    with pytest.raises(TooManyStreams) as full:
        door.run(visit)
    assert full.value.scope == "you"
    other = door.enter(user("carol", quota=claim))
    other.account.add(Kind.TEXT, 50)
    with pytest.raises(TooManyStreams) as full:
        door.run(other)
    assert full.value.scope == "address", "what memory there is, is shared out by address"


def test_a_newer_token_says_what_it_may_from_now_on(clock: ManualClock) -> None:
    door = Door(clock, Quota(streams=1, nbytes=100))
    visit = door.enter(ALICE)
    door.run(visit)
    with pytest.raises(TooManyStreams):
        door.run(visit)
    door.clients.renew(visit, user("alice", quota=read_claim({"streams": 2, "bytes": 10})))
    door.run(visit)
    visit.account.add(Kind.TEXT, 10)
    assert visit.user
    assert visit.user.keeps_too_much
    door.clients.renew(visit, ALICE)
    assert not visit.user.keeps_too_much


def test_bytes_count_for_the_user_on_each_of_its_addresses(clock: ManualClock) -> None:
    door = Door(clock, Quota(nbytes=100), Share(nbytes=90))
    here, there = door.clients.enter("a"), door.enter(ALICE, "b")
    here.account.add(Kind.UNFINISHED, 60)  # before anybody has said who it is
    door.clients.sign_in(here, ALICE)
    there.account.add(Kind.TEXT, 39)
    door.clients.check_stream(here)
    there.account.add(Kind.TEXT, 1)
    with pytest.raises(TooManyStreams, match="TEXTSTREAM_BYTES_PER_PRINCIPAL") as error:
        door.clients.check_stream(here)
    assert refusal(error) == ("too_many_streams", "you", 5.0)
    door.clients.check_stream(door.enter(BOB, "a"))
    assert door.clients.account.total == 100, "once, not twice"


def test_who_comes_again_as_somebody_else_takes_what_is_kept_along(clock: ManualClock) -> None:
    door = Door(clock, Quota())
    visit = door.enter(ALICE)
    alice = visit.user
    visit.account.add(Kind.TEXT, 70)
    door.clients.sign_out(visit)
    door.clients.sign_in(visit, BOB)
    assert (alice, visit.user) != (None, alice)
    assert alice is not None
    assert visit.user is not None
    assert (alice.account.total, visit.user.account.total) == (0, 70)
    visit.account.add(Kind.TEXT, -70)
    assert (alice.account.total, visit.user.account.total) == (0, 0)
    visit.leave()
    assert door.left == (0, 0, 0)


def test_who_is_let_in_twice_on_one_connection_counts_once(clock: ManualClock) -> None:
    door = Door(clock, Quota(connections=1))
    visit = door.enter(ALICE)
    door.clients.sign_in(visit, ALICE)
    assert visit.user
    assert visit.user.connections == 1
    visit.leave()
    assert door.left == (0, 0, 0)


def test_of_ten_thousand_users_nothing_is_left(clock: ManualClock) -> None:
    door = Door(clock, Quota(starts=parse_rate("60/minute"), streams=2))
    for number in range(10_000):
        visit = door.enter(user(str(number)), f"10.0.{number % 200}.1")
        door.clients.take_start(visit, "c")
        end = door.run(visit)
        visit.account.add(Kind.TEXT, 10)
        if number % 2:
            visit.account.add(Kind.TEXT, -10)
            end()
            visit.leave()
        else:  # its text is kept when it has gone
            visit.leave()
            end()
            visit.account.add(Kind.TEXT, -10)
        if number % SWEEP == 0:
            clock.advance(120)
    assert door.left[0] == 0
    assert door.left[2] <= SWEEP + 1
    assert door.clients._rates.remembered <= 2 * SWEEP
    assert door.clients.account.total == 0
