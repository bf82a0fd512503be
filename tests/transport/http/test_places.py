"""How many connections there may be, and which of them give way."""

from __future__ import annotations

import pytest

from textstream.access.address import Proxies, counted
from textstream.transport.http.places import FAR, FIRST, FREE, LOOKED_AT, MOST, Places

NEAR, ELSEWHERE, OTHER = "127.0.0.1", "203.0.113.7", "203.0.113.8"


class Guest:
    """One that notes that it has given way."""

    def __init__(self, table: Places, peer: str) -> None:
        self.table = table
        self.address = counted(peer)
        self.ended = False
        self.has_sent = False

    def give_way(self) -> bool:
        if not self.has_sent:
            self.ended = True
            self.table.leave(self)
        return self.ended


class Table:
    """Eight places, three of an address elsewhere."""

    def __init__(self) -> None:
        self.places = Places(trusts=Proxies(["10.0.0.0/8"]).trusts, most=8, far=3, max_bodies=1_000)

    def enter(self, peer: str) -> Guest | None:
        guest = Guest(self.places, peer)
        return guest if self.places.enter(guest, peer) else None

    def fill(self, peer: str, count: int, *, busy: bool = False) -> list[Guest]:
        entered = [self.enter(peer) for _ in range(count)]
        guests = [one for one in entered if one]
        assert len(guests) == count
        for guest in guests:
            if busy:
                self.places.busy(guest)
        return guests


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.mark.parametrize(
    ("peer", "share"),
    [(NEAR, 6), ("::1", 6), ("", 6), ("10.1.2.3", 6), (ELSEWHERE, 3), ("2001:db8::1", 3)],
)
def test_shares(table: Table, peer: str, share: int) -> None:
    table.fill(peer, share, busy=True)
    assert table.enter(peer) is None
    assert table.enter(OTHER), "there is room for others"


def test_an_ipv6_site_has_one_share(table: Table) -> None:
    table.fill("2001:db8:1:2::1", 2, busy=True)
    table.fill("2001:db8:1:2:ffff::2", 1, busy=True)
    assert table.enter("2001:db8:1:2::3") is None
    assert table.enter("2001:db8:1:3::1")


def test_all_together(table: Table) -> None:
    table.fill(NEAR, 6, busy=True)
    table.fill(ELSEWHERE, 2, busy=True)
    assert table.enter(OTHER) is None
    assert table.places.make_room(1) == 0
    assert table.places.counts() == {"connections": 8, "idle": 0, "addresses": 2, "bodies": 0}


def test_who_has_left_makes_room(table: Table) -> None:
    guests = table.fill(ELSEWHERE, 3, busy=True)
    table.places.leave(guests[0])
    assert table.enter(ELSEWHERE)
    assert not any(guest.ended for guest in guests)


def test_the_oldest_that_asks_for_nothing_gives_way_to_its_own_address(table: Table) -> None:
    (near,) = table.fill(NEAR, 1)
    guests = table.fill(ELSEWHERE, 3)
    table.places.busy(guests[0])
    assert table.enter(ELSEWHERE)
    assert [guest.ended for guest in (near, *guests)] == [False, False, True, False]


def test_one_of_which_something_has_come_does_not_give_way(table: Table) -> None:
    guests = table.fill(ELSEWHERE, 3)
    guests[0].has_sent = True
    assert table.enter(ELSEWHERE)
    assert [guest.ended for guest in guests] == [False, True, False]


def test_it_is_not_looked_for_without_end() -> None:
    table = Table()
    table.places = Places(most=10 * LOOKED_AT)
    guests = table.fill(NEAR, table.places.share(NEAR))
    for guest in guests[:LOOKED_AT]:
        guest.has_sent = True
    assert table.enter(NEAR) is None


def test_one_that_was_answered_may_give_way_again(table: Table) -> None:
    guests = table.fill(ELSEWHERE, 3)
    for guest in guests:
        table.places.busy(guest)
    table.places.idle(guests[1])
    assert table.enter(ELSEWHERE)
    assert [guest.ended for guest in guests] == [False, True, False]


def test_where_all_is_taken_the_largest_gives_way(table: Table) -> None:
    small, large = table.fill(OTHER, 2), table.fill(NEAR, 6)
    assert table.enter(ELSEWHERE)
    assert table.places.make_room(2) == 2
    assert [guest.ended for guest in large] == [True] * 3 + [False] * 3
    assert not any(guest.ended for guest in small)


def test_the_largest_that_can_give_way(table: Table) -> None:
    """One whose requests all are being answered does not keep others' idle ones."""
    table.fill(NEAR, 6, busy=True)
    idle = table.fill(OTHER, 2)
    assert table.enter(ELSEWHERE)
    assert [guest.ended for guest in idle] == [True, False]


def test_there_is_nobody_to_give_way(table: Table) -> None:
    assert table.places.make_room(3) == 0
    assert table.places.counts()["addresses"] == 0


def test_few_descriptors_are_few_places() -> None:
    few = Places(descriptors=lambda: 256)
    assert (few.most, few.share(NEAR), few.share(ELSEWHERE)) == (128, 96, FAR)
    many = Places(descriptors=lambda: 65_536)
    assert (many.most, many.share(NEAR), many.share(ELSEWHERE)) == (MOST, MOST * 3 // 4, FAR)


# Bodies.


def test_bodies_wait_where_there_is_no_room_for_more(table: Table) -> None:
    guests = table.fill(NEAR, FIRST + 2, busy=True)
    for guest in guests:
        table.places.keep(guest, 200)
    told = [table.places.has_room_for_body(guest, FREE) for guest in guests]
    # Those that have waited longest go on, or none would ever end.
    assert told.count(True) == FIRST
    for guest, goes_on in zip(guests, told, strict=True):
        if goes_on:
            table.places.has_body(guest)
            table.places.keep(guest, -200)
    assert all(table.places.has_room_for_body(guest, FREE) for guest in guests)


def test_an_address_has_three_quarters_of_the_bodies(table: Table) -> None:
    near = table.fill(NEAR, FIRST + 1, busy=True)
    (other,) = table.fill(OTHER, 1, busy=True)
    table.places.keep(near[0], 750)
    assert [table.places.has_room_for_body(guest, FREE) for guest in near] == [True] * FIRST + [
        False
    ]
    assert table.places.has_room_for_body(other, FREE)


def test_a_small_body_never_waits(table: Table) -> None:
    guests = table.fill(NEAR, FIRST + 1, busy=True)
    table.places.keep(guests[0], 10_000)
    for guest in guests:
        table.places.has_room_for_body(guest, FREE)
    assert table.places.has_room_for_body(guests[-1], FREE - 1)


def test_one_that_leaves_waits_no_longer(table: Table) -> None:
    guests = table.fill(NEAR, FIRST + 1, busy=True)
    table.places.keep(guests[0], 10_000)
    told = [table.places.has_room_for_body(guest, FREE) for guest in guests]
    assert told == [True] * FIRST + [False]
    table.places.leave(guests[1])
    assert table.places.has_room_for_body(guests[-1], FREE)


def test_whole_bodies_that_were_let_go_of_do_not_gather(table: Table) -> None:
    """They come in one piece with their heads: nobody has to ask for room."""
    for _ in range(1_000):
        table.places.hold(NEAR, 100).let_go()
        assert len(table.places._let_go) == 1
    assert table.places.counts()["bodies"] == 0
    assert table.places._bodies_of == {NEAR: 100}
    guest = table.enter(NEAR)
    assert guest
    assert table.places.has_room_for_body(guest, FREE)
    assert table.places._bodies_of == {}
