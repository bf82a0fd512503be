"""The gate: bounded, goes round between clients, and calls back with no thread held."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from collections.abc import Callable
from functools import partial

import pytest

from tests.support import ranked_locks
from textstream.access.caller import Caller
from textstream.access.gate import Gate, Ticket


class Line:
    """Tickets of one gate by name, and who was let in, in order."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.let_in: list[str] = []
        self.tickets: dict[str, Ticket] = {}

    def enter(self, *names: str) -> None:
        """Enter callers: ``a1x`` is the ``x`` of connection 1 of the address a."""
        for name in names:
            caller = Caller(name[0], name[:2])
            self.tickets[name] = self.gate.enter(caller, partial(self._note, name))

    def _note(self, name: str, _ticket: Ticket) -> None:
        assert not ranked_locks.held(), "called under a lock"
        self.let_in.append(name)

    def leave_one_after_another(self) -> list[str]:
        """Let each leave as soon as it is in; return the order in which they came in."""
        for place in range(len(self.tickets)):
            self.tickets[self.let_in[place]].leave()
        return self.let_in


def test_lets_its_limit_in() -> None:
    line = Line(Gate(3))
    line.enter("a1a", "a1b", "a1c", "a1d")
    assert line.let_in == ["a1a", "a1b", "a1c"]
    assert (line.gate.inside(), line.gate.waiting()) == (3, 1)
    line.tickets["a1b"].leave()
    assert line.let_in[3:] == ["a1d"]


def test_without_a_limit_everybody_comes_in() -> None:
    line = Line(Gate(0))
    line.enter(*(f"a1{n}" for n in range(100)))
    assert len(line.let_in) == 100


def test_first_come_first_served_for_one_client() -> None:
    line = Line(Gate(1))
    line.enter("a1a", "a1b", "a1c")
    assert line.leave_one_after_another() == ["a1a", "a1b", "a1c"]


def test_one_place_goes_round_between_connections_and_between_addresses() -> None:
    line = Line(Gate(1))
    line.enter("a1a", "a1b", "a1c", "a2a", "b1a", "b1b", "c1a")
    assert line.leave_one_after_another() == ["a1a", "b1a", "c1a", "a2a", "b1b", "a1b", "a1c"]


def test_whoever_has_fewer_inside_comes_first() -> None:
    line = Line(Gate(3))
    line.enter("a1a", "a1b", "b1a", "a1c", "b1b", "b1c")
    line.tickets["a1a"].leave()
    assert line.let_in[3:] == ["a1c"], "one each, and its turn was longer ago"
    line.tickets["a1b"].leave()
    line.tickets["a1c"].leave()
    assert line.let_in[4:] == ["b1b", "b1c"]


def test_an_address_has_its_share_and_others_pass_it() -> None:
    line = Line(Gate(4, most_of=lambda caller: 2 if caller.who == "a" else 0))
    line.enter("a1a", "a2a", "a3a", "b1a", "b1b")
    assert line.let_in == ["a1a", "a2a", "b1a", "b1b"]
    line.tickets["b1a"].leave()
    assert len(line.let_in) == 4
    assert (line.gate.inside("a"), line.gate.waiting("a"), line.gate.room(Caller("a"))) == (2, 1, 0)
    assert line.gate.room(Caller("b")) == 1
    line.tickets["a2a"].leave()
    assert line.let_in[4:] == ["a3a"]


@pytest.mark.parametrize("give_up", [Ticket.leave, Ticket.withdraw], ids=["leave", "withdraw"])
def test_who_gives_up_waiting_is_never_called(give_up: Callable[[Ticket], object]) -> None:
    line = Line(Gate(1))
    line.enter("a1a", "b1a", "c1a")
    give_up(line.tickets["b1a"])
    give_up(line.tickets["b1a"])
    line.tickets["a1a"].leave()
    assert line.let_in == ["a1a", "c1a"]
    assert (line.gate.inside("b"), line.gate.waiting("b")) == (0, 0)


def test_withdrawing_keeps_a_place_for_its_holder_to_leave() -> None:
    line = Line(Gate(1))
    line.enter("a1a", "b1a")
    assert not line.tickets["a1a"].withdraw()
    assert line.let_in == ["a1a"]
    assert line.tickets["b1a"].withdraw()
    assert line.gate.inside() == 1


def test_nothing_is_remembered_of_those_who_have_gone() -> None:
    line = Line(Gate(1))
    line.enter("a1a", "b1a", "b2a")
    for ticket in line.tickets.values():
        ticket.leave()
        ticket.leave()
    assert (line.gate.inside(), line.gate.waiting(), line.gate._parties) == (0, 0, {})


def test_a_long_queue_of_those_who_leave_at_once_is_not_called_within_each_other() -> None:
    gate = Gate(1)
    first = gate.enter(Caller(), lambda _: None)
    called = []

    def leave_at_once(ticket: Ticket) -> None:
        called.append(ticket)
        ticket.leave()

    for _ in range(3000):
        gate.enter(Caller(), leave_at_once)
    first.leave()
    assert len(called) == 3000


def test_a_callback_that_fails_is_logged_and_keeps_nobody_else_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate, called = Gate(0), list[Ticket]()
    with caplog.at_level(logging.ERROR):
        gate.enter(Caller(), called.remove)
    gate.enter(Caller(), called.append)
    assert len(called) == 1
    assert "a callback of a gate failed" in caplog.text


def test_from_many_threads_nobody_is_lost_and_never_too_many_are_in() -> None:
    gate, threads, each = Gate(3), 6, 200
    inside: list[Ticket] = []
    most: list[int] = []
    done: list[None] = []

    def come_in(ticket: Ticket) -> None:
        inside.append(ticket)
        most.append(len(inside))

    def let_one_go() -> None:
        with contextlib.suppress(IndexError):
            ticket = inside.pop()
            ticket.leave()
            done.append(None)

    def visit(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(each):
            ticket = gate.enter(Caller(str(seed % 2), str(seed)), come_in)
            if choose.random() < 0.2 and ticket.withdraw():
                done.append(None)
            for _ in range(choose.randrange(4)):
                let_one_go()

    visitors = [threading.Thread(target=visit, args=(seed,)) for seed in range(threads)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    while inside:
        let_one_go()
    assert len(done) == threads * each
    assert max(most) <= 3
    assert (gate.inside(), gate.waiting(), gate._parties) == (0, 0, {})
