"""Until when a connection may stay in a phase."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from textstream.transport.http.deadlines import Deadlines, Phase


@pytest.fixture
def deadlines(clock: ManualClock) -> Deadlines[str]:
    return Deadlines(clock)


@pytest.mark.parametrize("phase", [one for one in Phase if one is not Phase.WORKING])
def test_a_phase_has_its_time(deadlines: Deadlines[str], clock: ManualClock, phase: Phase) -> None:
    deadlines.enter("one", phase)
    clock.advance(phase.seconds - 0.1)
    assert list(deadlines.due()) == []
    clock.advance(0.1)
    assert list(deadlines.due()) == ["one"]
    assert list(deadlines.due()) == []


def test_work_has_no_end(deadlines: Deadlines[str], clock: ManualClock) -> None:
    deadlines.enter("one", Phase.WORKING)
    clock.advance(1e9)
    assert list(deadlines.due()) == []
    assert deadlines.counts()["working"] == 1


def test_whoever_leaves_is_not_due(deadlines: Deadlines[str], clock: ManualClock) -> None:
    deadlines.enter("one", Phase.HEAD)
    deadlines.enter("two", Phase.HEAD)
    deadlines.leave("one", Phase.HEAD)
    deadlines.leave("one", Phase.HEAD)
    clock.advance(11)
    assert list(deadlines.due()) == ["two"]


def test_whoever_enters_again_has_all_of_the_time(
    deadlines: Deadlines[str], clock: ManualClock
) -> None:
    deadlines.enter("one", Phase.WRITING)
    deadlines.enter("two", Phase.WRITING)
    clock.advance(10)
    deadlines.enter("one", Phase.WRITING)
    clock.advance(5)
    assert list(deadlines.due()) == ["two"]
    clock.advance(10)
    assert list(deadlines.due()) == ["one"]


def test_another_may_enter_or_leave_while_they_are_gone_through(
    deadlines: Deadlines[str], clock: ManualClock
) -> None:
    for name in ("one", "two", "three"):
        deadlines.enter(name, Phase.HEAD)
    clock.advance(10)
    ended = []
    for name in deadlines.due():
        ended.append(name)
        deadlines.leave("two", Phase.HEAD)
        deadlines.enter(name, Phase.LINGERING)
    assert ended == ["one", "three"]
    assert deadlines.counts()["lingering"] == 2
