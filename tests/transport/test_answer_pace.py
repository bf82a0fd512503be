"""Polls are answered at a pace: at once where few are, with more at once where many are."""

from __future__ import annotations

from functools import partial

import pytest

from tests.transport.manual_reactor import ManualReactor
from textstream.transport.answer_pace import TICK, AnswerPace


class Polls:
    """Polls that come to a pace of one in each tick, and when they were answered."""

    def __init__(self, per_tick: float = 1.0) -> None:
        self.reactor = ManualReactor()
        self.answered: list[str] = []
        self.full: set[str] = set()
        self.pace = AnswerPace(
            self.reactor.as_reactor, per_second=per_tick / TICK, saved=2.0, clock=self.reactor.clock
        )

    def come(self, *names: str) -> None:
        for name in names:
            self.pace.enter(partial(self.answered.append, name), partial(self._is_full, name))

    def _is_full(self, name: str) -> bool:
        return name in self.full

    def ticks(self, count: float) -> None:
        self.reactor.advance(count * TICK)


@pytest.fixture
def polls() -> Polls:
    made = Polls()
    made.come("saved", "saved")
    assert made.answered == ["saved"] * 2, "two may be saved"
    made.answered.clear()
    return made


def test_who_is_alone_is_answered_at_once() -> None:
    polls = Polls()
    for name in "abcdef":
        polls.come(name)
        polls.ticks(1.5)
    assert polls.answered == list("abcdef")
    assert not polls.reactor.waiting


def test_of_many_so_many_are_answered_in_a_second_the_first_first(polls: Polls) -> None:
    polls.come(*"abcd")
    assert polls.pace.busy
    assert polls.answered == []
    polls.ticks(2.01)
    assert polls.answered == ["a", "b"]
    polls.come("e")
    polls.ticks(10)
    assert polls.answered == list("abcde")
    assert not polls.pace.busy
    assert not polls.reactor.waiting, "no timer while nobody waits"


def test_nobody_overtakes_who_waits(polls: Polls) -> None:
    polls.come("a")
    polls.reactor.clock.advance(10)  # the timer is late
    polls.come("b")
    assert polls.answered == []
    polls.ticks(3)
    assert polls.answered == ["a", "b"]


def test_a_full_poll_is_not_kept_and_neither_are_those_behind_it(polls: Polls) -> None:
    polls.come(*"abcd")
    polls.full = set("abc")
    polls.ticks(1.01)
    assert polls.answered == ["a", "b", "c"], "with more it would not go"
    polls.ticks(10)
    assert polls.answered == list("abcd")


def test_those_that_did_not_ask_count(polls: Polls) -> None:
    polls.ticks(2)
    polls.pace.count()
    assert not polls.pace.busy
    polls.pace.count()
    assert polls.pace.busy


def test_at_the_end_nobody_waits(polls: Polls) -> None:
    polls.come(*"ab")
    polls.pace.lift()
    polls.come("c")
    assert polls.answered == list("abc")
    polls.ticks(2)
    assert polls.answered == list("abc")


def test_however_many_did_not_ask_nobody_waits_for_them(polls: Polls) -> None:
    """Full polls go as they come: those that wait must not pay for them later on."""
    for _ in range(1_000):
        polls.pace.count()
    polls.come("a")
    polls.ticks(1.01)
    assert polls.answered == ["a"]


def test_full_polls_take_no_turns_of_those_that_wait(polls: Polls) -> None:
    polls.come(*"abc")
    for due in ("a", "ab", "abc"):
        polls.ticks(0.5)
        for _ in range(10):
            polls.pace.count()
        polls.ticks(0.51)
        assert polls.answered == list(due)


def test_many_full_ones_in_a_tick_are_no_debt(polls: Polls) -> None:
    polls.full = {f"full {n}" for n in range(100)}
    polls.come(*sorted(polls.full))
    polls.ticks(1.01)
    assert len(polls.answered) == 100
    polls.come("a")
    polls.ticks(1.01)
    assert polls.answered[-1] == "a"
