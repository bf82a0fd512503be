"""The states of a stream, and every way between them."""

from __future__ import annotations

import itertools

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import new_life
from textstream.stream.life import Ending, Life, Outcome, State

ENDING = Ending("stopped", 3, "0" * 64)


def nothing() -> None: ...


def put(state: State) -> Life:
    """Return a life in `state`."""
    life = new_life()
    match state:
        case State.PRODUCING:
            life.begin()
        case State.HELD:
            life.begin()
            life.hold(nothing)
        case State.PRODUCED:
            life.produced(Outcome("completed"))
        case State.ENDED:
            life.end(ENDING)
        case State.FORGOTTEN:
            life.end(ENDING)
            life.forget()
    assert life.state is state
    return life


STEPS = {
    "begin": lambda life: life.begin(),
    "hold": lambda life: life.hold(nothing),
    "release": lambda life: life.release(),
    "produced": lambda life: life.produced(Outcome("completed")),
    "end": lambda life: life.end(ENDING),
    "forget": lambda life: life.forget(),
}
# From each state: where a step leads. Where nothing is said the step changes nothing; where it
# says None it would be a mistake of ours.
WAYS: dict[State, dict[str, State | None]] = {
    State.CREATED: {
        "begin": State.PRODUCING,
        "hold": None,
        "produced": State.PRODUCED,
        "end": State.ENDED,
        "forget": None,
    },
    State.PRODUCING: {
        "hold": State.HELD,
        "produced": State.PRODUCED,
        "end": State.ENDED,
        "forget": None,
    },
    State.HELD: {
        "hold": None,
        "release": State.PRODUCING,
        "produced": State.PRODUCED,
        "end": State.ENDED,
        "forget": None,
    },
    State.PRODUCED: {"hold": None, "end": State.ENDED, "forget": None},
    State.ENDED: {"hold": None, "end": None, "forget": State.FORGOTTEN},
    State.FORGOTTEN: {"hold": None, "end": None, "forget": None},
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, STEPS)))
def test_every_way_from_every_state(state: State, step: str) -> None:
    life = put(state)
    expected = WAYS[state].get(step, state)
    if expected is None:
        with pytest.raises(RuntimeError, match=f"a stream that is {state.value} cannot be"):
            STEPS[step](life)
    else:
        STEPS[step](life)
        assert life.state is expected


@pytest.mark.parametrize("way", ["release", "produced", "end"])
def test_a_held_source_is_let_go_once(way: str) -> None:
    life = new_life()
    life.begin()
    resumed = []
    life.hold(lambda: resumed.append(life.state))
    STEPS[way](life)
    assert len(resumed) == 1
    assert resumed[0] is not State.HELD
    if way != "end":
        life.end(ENDING)
    assert len(resumed) == 1


def test_only_the_first_outcome_counts() -> None:
    life = put(State.PRODUCED)
    life.produced(Outcome("error", {"code": "source_failed"}))
    assert life.outcome == Outcome("completed")


def test_an_outcome_after_the_end_does_not_count() -> None:
    life = put(State.ENDED)
    life.produced(Outcome("completed"))
    assert life.outcome is None


def test_when_it_is_due(clock: ManualClock) -> None:
    life = new_life(clock, grace=60, retention=300, longest=3600)
    created = clock.now
    assert life.due == created + 60, "nobody reads it yet"
    life.read()
    assert life.due is None
    clock.advance(5)
    life.unread()
    assert life.due == created + 65
    clock.advance(5)
    life.end(ENDING)
    assert life.due == created + 310, "its retention begins with its end"
    life.read()
    assert life.due is None
    clock.advance(5)
    life.unread()
    assert life.due == created + 315
    assert life.longest_until == created + 3600


def test_a_stream_that_ends_while_it_is_read_is_kept_from_its_last_reader_on(
    clock: ManualClock,
) -> None:
    life = new_life(clock, retention=300)
    life.read()
    life.end(ENDING)
    assert life.due is None
    clock.advance(50)
    life.unread()
    assert life.due == clock.now + 300
