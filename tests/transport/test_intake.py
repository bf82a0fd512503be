"""When the socket of a connection is read, and when its client must wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from textstream.transport.bounds import Bounds
from textstream.transport.intake import Intake
from textstream.transport.reactor import Reactor


class AtOnce:
    """A reactor in whose thread everything is done."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        callback()


def test_it_closes_when_the_inbox_is_full_and_opens_when_it_is_half_empty() -> None:
    seen: list[bool] = []
    intake = Intake(
        Bounds(max_inbox=4), cast("Reactor", AtOnce()), lambda: seen.append(intake.open)
    )
    intake.arrived(4, waiting=0)
    assert (intake.open, seen) == (True, [])
    intake.arrived(1, waiting=4)
    assert (intake.open, seen) == (False, [False])
    intake.handled(waiting=3)
    assert (intake.open, seen) == (False, [False])
    intake.handled(waiting=2)
    assert (intake.open, seen) == (True, [False, True])
    intake.handled(waiting=1)
    assert seen == [False, True], "told once"
