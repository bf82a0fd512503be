"""Which place who waits has: as turns come, without a look at each."""

from __future__ import annotations

import random

import pytest

from textstream.access.caller import Caller
from textstream.access.gate import Gate, Ticket
from textstream.access.quotas import Quota


def nothing(_ticket: Ticket) -> None:
    """Be let in."""


def told(gate: Gate) -> list[str]:
    return [f"{ticket.what}{place}" for ticket, place in gate.places()]


def enter(gate: Gate, *names: str) -> list[Ticket]:
    """Enter callers: ``a1x`` is the ``x`` of connection 1 of the address a."""
    return [gate.enter(Caller(name[0], name[:2]), nothing, what=name) for name in names]


def test_the_line_is_as_the_turns_come() -> None:
    gate = Gate(1)
    enter(gate, "a1a", "a1b", "a1c", "a2a", "b1a", "b1b", "c1a")
    assert told(gate) == ["b1a1", "c1a2", "a2a3", "b1b4", "a1b5", "a1c6"]


def test_who_has_as_many_as_it_may_waits_for_its_own() -> None:
    gate = Gate(8, most_of=lambda caller: 1 if caller.who == "a" else 0)
    enter(gate, "a1a", "b1a", "a1b", "a1c")
    assert told(gate) == ["a1b1", "a1c2"]
    assert gate.place(Caller("a", "a2")) == 1, "its other connection is before the second of this"
    assert gate.place(Caller("b", "b1")) == 0


def test_without_a_limit_nobody_waits() -> None:
    gate = Gate(0)
    enter(gate, "a1a", "a1b")
    assert (gate.places(), gate.place(Caller("a", "a1"))) == ([], 0)


def test_turns_go_round_between_users_and_not_between_their_addresses() -> None:
    gate = Gate(1)
    quota = Quota()

    def ask(name: str, user: str, address: str) -> None:
        caller = Caller(address, f"{user}@{address}", f"user:{user}" if user else "", quota)
        gate.enter(caller, nothing, what=name)

    ask("first", "", "z")
    for number in range(3):
        ask(f"alice{number}", "alice", f"192.0.2.{number}")
    ask("bob", "bob", "192.0.2.0")
    ask("nobody", "", "192.0.2.0")
    assert told(gate) == ["alice01", "bob2", "nobody3", "alice14", "alice25"]
    assert (gate.waiting("user:alice"), gate.waiting("192.0.2.0")) == (3, 1)


@pytest.mark.parametrize("seed", range(40))
def test_what_one_is_told_before_it_comes_is_what_it_is_told_then(seed: int) -> None:
    chance = random.Random(seed)
    most = chance.choice([0, 1, 2])
    gate = Gate(chance.choice([1, 2, 3]), most_of=lambda _: most)
    tickets: list[Ticket] = []
    for step in range(120):
        if tickets and chance.random() < 0.4:
            tickets.pop(chance.randrange(len(tickets))).leave()
            continue
        coming = [
            Caller(chance.choice("abc"), chance.choice("12")) for _ in range(chance.randrange(4))
        ]
        foreseen = gate.place(coming[-1], coming[:-1]) if coming else 0
        tickets += [gate.enter(caller, nothing, what=step) for caller in coming]
        if coming:
            assert dict(gate.places()).get(tickets[-1], 0) == foreseen


@pytest.mark.parametrize("seed", range(20))
def test_whoever_is_first_is_let_in_next(seed: int) -> None:
    chance = random.Random(seed)
    gate = Gate(1)
    tickets = [
        gate.enter(Caller(chance.choice("abc"), chance.choice("12")), nothing) for _ in range(30)
    ]
    while waiting := gate.places():
        assert [place for _, place in waiting] == list(range(1, len(waiting) + 1))
        next(ticket for ticket in tickets if ticket.inside and not ticket.over).leave()
        assert waiting[0][0].inside
