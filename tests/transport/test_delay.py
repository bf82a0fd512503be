"""One timer for many that wait equally long."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_one_that_fails_does_not_take_the_call_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, called = ManualTimer(), list[Session]()

    def call(session: Session) -> None:
        if session is first:
            raise ValueError("closed meanwhile")
        called.append(session)

    waiting = Delay(
        call,
        call_later=lambda seconds, job: clock.call_at(clock.now + seconds, job),
        clock=clock,
    )
    first, second, third = Session(), Session(), Session()
    for session in (first, second, third):
        waiting.add(session, SECONDS)
    clock.advance(SECONDS)
    assert called == [second, third]
    assert "ValueError" in caplog.text


def test_one_that_comes_as_the_last_has_gone_makes_no_second_timer() -> None:
    clock, called = ManualTimer(), list[Session]()
    waiting = delay(clock, called)
    kept = Session()

    class Added:
        """The lock, behind which another thread adds one."""

        def __init__(self, lock: Any) -> None:
            self._lock = lock

        def __enter__(self) -> None:
            self._lock.__enter__()

        def __exit__(self, *what: object) -> None:
            self._lock.__exit__(*what)
            waiting._lock = self._lock
            waiting.add(kept, SECONDS)

    waiting.add(Session(), SECONDS)
    waiting._lock = Added(waiting._lock)  # type: ignore[assignment]
    clock.advance(SECONDS)
    assert len(clock.calls) == 1
