"""The states of a stream, and every way between them."""

from __future__ import annotations

import itertools

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import new_life
from textstream.protocol import StateName
from textstream.stream.life import Life, Outcome


def nothing() -> None: ...


def put(state: StateName) -> Life:
    """Return a life in `state`."""
    life = new_life()
    match state:
        case "producing":
            life.begin()
        case "held":
            life.begin()
            life.hold(nothing)
        case "produced":
            life.finish(Outcome("completed"))
        case "ended":
            life.end()
        case "forgotten":
            life.end()
            life.forget()
    assert life.state == state
    return life


STEPS = {
    "begin": lambda life: life.begin(),
    "hold": lambda life: life.hold(nothing),
    "release": lambda life: life.release(),
    "produced": lambda life: life.finish(Outcome("completed")),
    "end": lambda life: life.end(),
    "forget": lambda life: life.forget(),
}
# From each state: where a step leads. Where nothing is said the step changes nothing; where it
# says None it would be a mistake of ours.
WAYS: dict[StateName, dict[str, StateName | None]] = {
    "created": {
        "begin": "producing",
        "hold": None,
        "produced": "produced",
        "end": "ended",
        "forget": None,
    },
    "producing": {
        "hold": "held",
        "produced": "produced",
        "end": "ended",
        "forget": None,
    },
    "held": {
        "hold": None,
        "release": "producing",
        "produced": "produced",
        "end": "ended",
        "forget": None,
    },
    "produced": {"hold": None, "end": "ended", "forget": None},
    "ended": {"hold": None, "end": None, "forget": "forgotten"},
    "forgotten": {"hold": None, "end": None, "forget": None},
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(WAYS, STEPS)))
def test_every_way_from_every_state(state: StateName, step: str) -> None:
    life = put(state)
    expected = WAYS[state].get(step, state)
    if expected is None:
        with pytest.raises(RuntimeError, match=f"a stream that is {state} cannot be"):
            STEPS[step](life)
    else:
        STEPS[step](life)
        assert life.state == expected


@pytest.mark.parametrize("way", ["release", "produced", "end"])
def test_a_held_source_is_let_go_once(way: str) -> None:
    life = new_life()
    life.begin()
    resumed = []
    life.hold(lambda: resumed.append(life.state))
    STEPS[way](life)
    assert len(resumed) == 1
    assert resumed[0] != "held"
    if way != "end":
        life.end()
    assert len(resumed) == 1


def test_only_the_first_outcome_counts() -> None:
    life = put("produced")
    life.finish(Outcome("error", {"code": "source_failed"}))
    assert life.outcome == Outcome("completed")


def test_an_outcome_after_the_end_does_not_count() -> None:
    life = put("ended")
    life.finish(Outcome("completed"))
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
    life.end()
    assert life.due == created + 310, "its retention begins with its end"
    life.read()
    assert life.due == created + 3600, "it may be read for as long as it could have run"
    clock.advance(5)
    life.unread()
    assert life.due == created + 315
    assert life.longest_until == created + 3600


def test_a_stream_that_ends_while_it_is_read_is_kept_from_its_last_reader_on(
    clock: ManualClock,
) -> None:
    life = new_life(clock, retention=300)
    life.read()
    life.end()
    clock.advance(50)
    life.unread()
    assert life.due == clock.now + 300


def test_what_has_ended_is_read_for_as_long_as_it_could_have_run_at_most(
    clock: ManualClock,
) -> None:
    life = new_life(clock, retention=300, longest=3600)
    created = clock.now
    life.read()
    clock.advance(100)
    life.end()
    assert life.due == created + 3600
    short = new_life(clock, retention=300, longest=10)
    short.read()
    short.end()
    assert short.due == clock.now + 300, "and as long as one that nobody reads"
