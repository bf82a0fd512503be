"""For how long a session may go without a Socket.IO CONNECT."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.clock import ManualTimer
from textstream.transport.newcomers import Newcomers


@dataclass(eq=False)
class Session:
    """What is known of one."""

    connected: bool = False
    closed: bool = False


def newcomers(clock: ManualTimer, gone: list[Session]) -> Newcomers:
    return Newcomers(
        10,
        is_connected=lambda session: session.connected,
        close=gone.append,
        call_later=lambda seconds, job: clock.call_at(clock.now + seconds, job),
        clock=clock,
    )


def test_each_has_its_time_and_all_have_one_timer() -> None:
    clock, gone = ManualTimer(), list[Session]()
    coming = newcomers(clock, gone)
    sessions = []
    for _ in range(5):
        sessions.append(Session())
        coming.expect(sessions[-1])
        clock.advance(1)
        assert len(clock.calls) == 1
    clock.advance(4.5)
    assert gone == []
    for number in range(5):
        clock.advance(1)
        assert gone == sessions[: number + 1]
    assert not clock.calls
    coming.expect(sessions[0])
    clock.advance(10)
    assert gone == [*sessions, sessions[0]], "it begins anew"


def test_who_has_connected_or_gone_is_left_alone() -> None:
    clock, gone = ManualTimer(), list[Session]()
    coming = newcomers(clock, gone)
    here, away = Session(connected=True), Session(closed=True)
    coming.expect(here)
    coming.expect(away)
    coming.expect(Session())  # nobody keeps it
    clock.advance(10)
    assert gone == []
