"""One timer for many that wait equally long."""

from __future__ import annotations

from tests.support.clock import ManualTimer
from textstream.transport.delay import Delay

SECONDS = 10.0


class Session:
    """Whoever waits."""


def delay(clock: ManualTimer, called: list[Session]) -> Delay:
    return Delay(
        called.append,
        call_later=lambda seconds, job: clock.call_at(clock.now + seconds, job),
        clock=clock,
    )


def test_each_has_its_time_and_all_have_one_timer() -> None:
    clock, called = ManualTimer(), list[Session]()
    waiting = delay(clock, called)
    sessions = []
    for _ in range(5):
        sessions.append(Session())
        waiting.add(sessions[-1], SECONDS)
        clock.advance(1)
        assert len(clock.calls) == 1
    clock.advance(4.5)
    assert called == []
    for number in range(5):
        clock.advance(1)
        assert called == sessions[: number + 1]
    assert not clock.calls
    waiting.add(sessions[0], SECONDS)
    clock.advance(10)
    assert called == [*sessions, sessions[0]], "it begins anew"


def test_who_has_gone_is_kept_by_nobody() -> None:
    clock, called = ManualTimer(), list[Session]()
    waiting = delay(clock, called)
    waiting.add(Session(), SECONDS)
    clock.advance(10)
    assert called == []
    assert not clock.calls


def test_one_that_is_called_for_may_wait_again_at_once() -> None:
    clock, called = ManualTimer(), list[Session]()

    def again(session: Session) -> None:
        called.append(session)
        waiting.add(session, SECONDS)

    waiting = Delay(
        again,
        call_later=lambda seconds, job: clock.call_at(clock.now + seconds, job),
        clock=clock,
    )
    session = Session()
    waiting.add(session, SECONDS)
    for times in range(1, 4):
        clock.advance(SECONDS)
        assert called == [session] * times
        assert len(clock.calls) == 1
