"""The task that serves all readers. Its steps are driven by hand; its loop runs in a thread."""

from __future__ import annotations

import gc
import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.clock import ManualClock
from tests.support.timing import patient
from textstream.loggable import fingerprint
from textstream.reading.dispatcher import TICK, Dispatcher

TIMEOUT = patient(10.0)


class ScriptedReader:
    """Stands in for a `Reader`: `answer` is what its step returns or raises."""

    def __init__(self, answer: Callable[[float], float | None]) -> None:
        self.stream = SimpleNamespace(id="s")
        self.answer = answer
        self.served: list[float] = []
        self.dropped = False
        self.ticket = 0
        self.was_served = threading.Event()

    def step(self, now: float) -> float | None:
        self.served.append(now)
        self.was_served.set()
        return self.answer(now)

    def drop(self) -> None:
        self.dropped = True


def reader(answer: Callable[[float], float | None] = lambda now: None) -> Any:
    return ScriptedReader(answer)


def fail(now: float) -> float | None:
    raise RuntimeError("a reader broke")


def break_down() -> None:
    raise RuntimeError("a call broke")


@pytest.fixture
def dispatcher(clock: ManualClock) -> Dispatcher:
    return Dispatcher(clock=clock, sleep=lambda seconds: None)


# Steps


def test_nothing_to_do_is_nothing_due(dispatcher: Dispatcher) -> None:
    assert dispatcher.step(1.0) is None


def test_a_woken_reader_is_served_once_however_often_it_was_woken(dispatcher: Dispatcher) -> None:
    one = reader()
    dispatcher.wake(one)
    dispatcher.wake(one)
    assert dispatcher.step(1.0) is None
    assert one.served == [1.0]
    dispatcher.step(2.0)
    assert one.served == [1.0]


def test_a_reader_is_served_when_it_is_due(dispatcher: Dispatcher) -> None:
    slow, fast = reader(lambda now: now + 3), reader(lambda now: now + 1)
    dispatcher.wake(slow)
    dispatcher.wake(fast)
    due: float | None = 0.0
    while due is not None and due < 6:
        due = dispatcher.step(due)
    assert fast.served == [0, 1, 2, 3, 4, 5]
    assert slow.served == [0, 3]
    assert due == 6


def test_woken_readers_are_served_in_the_order_of_waking(dispatcher: Dispatcher) -> None:
    order: list[str] = []
    for name in "abc":
        dispatcher.wake(reader(lambda now, name=name: order.append(name)))  # type: ignore[misc]
    dispatcher.step(1.0)
    assert order == ["a", "b", "c"]


def test_only_the_latest_due_time_of_a_reader_counts(dispatcher: Dispatcher) -> None:
    due_times = iter([5.0, 9.0, math.inf])
    one = reader(lambda now: next(due_times))
    dispatcher.wake(one)
    assert dispatcher.step(0.0) == 5.0
    dispatcher.wake(one)  # its pace was changed
    assert dispatcher.step(1.0) == 9.0
    assert dispatcher.step(6.0) == 9.0
    assert one.served == [0.0, 1.0]


def test_a_reader_woken_during_a_step_is_served_in_the_next(dispatcher: Dispatcher) -> None:
    other = reader()
    dispatcher.wake(reader(lambda now: dispatcher.wake(other)))
    assert dispatcher.step(1.0) == 1.0
    assert other.served == []
    dispatcher.step(1.0)
    assert other.served == [1.0]


def test_a_reader_that_breaks_is_dropped_and_the_others_go_on(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    broken, fine = reader(fail), reader(lambda now: now + 1)
    dispatcher.wake(broken)
    dispatcher.wake(fine)
    assert dispatcher.step(0.0) == 1.0
    dispatcher.step(1.0)
    assert broken.dropped
    assert broken.served == [0.0]
    assert fine.served == [0.0, 1.0]
    (told,) = caplog.messages
    assert "Traceback: " in told


# Timed calls


def test_calls_are_made_in_the_order_of_their_times(dispatcher: Dispatcher) -> None:
    made: list[str] = []
    dispatcher.call_at(3.0, lambda: made.append("third"))
    dispatcher.call_at(1.0, lambda: made.append("first"))
    dispatcher.call_at(1.0, lambda: made.append("second"))
    assert dispatcher.step(0.0) == 1.0
    assert dispatcher.step(2.0) == 3.0
    assert made == ["first", "second"]
    assert dispatcher.step(3.0) is None
    assert made == ["first", "second", "third"]


def test_a_call_that_breaks_does_not_hinder_the_next(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[str] = []
    dispatcher.call_at(1.0, break_down)
    dispatcher.call_at(1.0, lambda: made.append("second"))
    dispatcher.step(1.0)
    assert made == ["second"]
    assert "a timed call failed" in caplog.text


def test_a_call_may_ask_for_another_step_at_once(dispatcher: Dispatcher) -> None:
    made: list[str] = []
    dispatcher.call_at(1.0, lambda: dispatcher.call_at(-math.inf, lambda: made.append("later")))
    due = dispatcher.step(1.0)
    assert due is not None
    assert due <= 1.0
    dispatcher.step(1.0)
    assert made == ["later"]


# Memory


@pytest.fixture
def busy(dispatcher: Dispatcher) -> Dispatcher:
    """A dispatcher with another reader, who is due before those of the test."""
    dispatcher.wake(reader(lambda now: now + 1e6))
    dispatcher.step(0.0)
    return dispatcher


def test_readers_that_change_their_pace_for_ever_pile_nothing_up(busy: Dispatcher) -> None:
    one = reader(lambda now: 1e12)
    for n in range(10_000):
        busy.wake(one)
        busy.step(n)
    entries = [e for e in gc.get_objects() if isinstance(e, tuple) and one in e[2:3]]
    assert len(entries) < 1000


def test_readers_that_are_over_are_let_go_before_they_would_have_been_due(
    busy: Dispatcher,
) -> None:
    gone = []
    for n in range(1000):
        due_times = iter([1e12])
        one = reader(lambda now, due_times=due_times: next(due_times, None))  # type: ignore[misc]
        busy.wake(one)
        busy.step(n)
        busy.wake(one)  # as a reader that leaves does
        busy.step(n)
        gone.append(weakref.ref(one))
    del one
    gc.collect()
    assert sum(ref() is not None for ref in gone) < 200


# The loop


@pytest.fixture
def running_loop() -> Iterator[Dispatcher]:
    """A dispatcher whose loop runs in a thread, in real time."""
    dispatcher = Dispatcher(clock=time.monotonic, sleep=time.sleep)
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    yield dispatcher
    dispatcher.close()
    thread.join(TIMEOUT)
    assert not thread.is_alive()


def test_the_loop_serves_whom_it_is_told_to(running_loop: Dispatcher) -> None:
    for _ in range(3):
        one = reader()
        running_loop.wake(one)
        assert one.was_served.wait(TIMEOUT)


def test_the_loop_serves_again_when_due(running_loop: Dispatcher) -> None:
    done = threading.Event()
    one = reader(lambda now: done.set() if len(one.served) == 5 else now + 2 * TICK)
    running_loop.wake(one)
    assert done.wait(TIMEOUT)
    gaps = [b - a for a, b in zip(one.served, one.served[1:], strict=False)]
    assert min(gaps) >= TICK


@pytest.mark.parametrize("due", [1e10, 1e300, math.inf], ids=str)
def test_the_loop_survives_a_due_time_that_no_timer_can_hold(
    running_loop: Dispatcher, due: float
) -> None:
    """A client may ask for one unit in ten thousand years. It must not stop all others."""
    absurd, sensible = reader(lambda now: due), reader()
    running_loop.wake(absurd)
    assert absurd.was_served.wait(TIMEOUT)
    running_loop.call_at(due, lambda: None)
    running_loop.wake(sensible)
    assert sensible.was_served.wait(TIMEOUT)


def test_closing_ends_the_loop_also_while_it_waits(running_loop: Dispatcher) -> None:
    running_loop.wake(reader(lambda now: now + 1000))
    running_loop.close()
    running_loop.close()


def test_there_are_never_two_steps_within_a_tick(clock: ManualClock) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)
        if len(slept) == 100:
            made.close()

    made = Dispatcher(clock=clock, sleep=sleep)
    always = reader(lambda now: now)
    made.wake(always)
    made.run()
    gaps = [b - a for a, b in zip(always.served, always.served[1:], strict=False) if b > a]
    assert len(gaps) == 99
    assert min(gaps) == pytest.approx(TICK)


def after(start: float, one: Any) -> list[float]:
    return [moment - start for moment in one.served]


def test_who_takes_the_turns_is_roused_for_a_call_that_comes_first(clock: ManualClock) -> None:
    made = Dispatcher(clock=clock, sleep=lambda _: None)
    roused: list[None] = []
    made.attach(lambda: roused.append(None))
    roused.clear()
    for due, count in ((9.0, 1), (9.0, 1), (12.0, 1), (5.0, 2), (7.0, 2), (-math.inf, 3)):
        made.call_at(due, lambda: None)
        assert len(roused) == count
        assert made.wait() is not None
    clock.advance(6.0)
    made.turn()
    made.call_at(6.5, lambda: None)
    assert len(roused) == 4


def test_one_that_begins_does_not_wait_for_the_tick_in_another_loop(clock: ManualClock) -> None:
    made = Dispatcher(clock=clock, sleep=lambda seconds: None)
    start = clock()
    roused: list[None] = []
    made.attach(lambda: roused.append(None))
    others = reader(lambda now: now + 1)
    made.wake(others)
    made.turn()
    clock.advance(TICK / 5)
    made.wake(others)
    assert made.wait() == pytest.approx(TICK * 4 / 5)
    begins = reader(lambda now: now + TICK / 10)
    made.begin(begins)
    assert made.wait() == 0
    assert len(roused) == 4
    made.turn()
    assert after(start, begins) == pytest.approx([TICK / 5], abs=1e-6)
    assert after(start, others) == pytest.approx([0], abs=1e-6), "they wait for theirs"
    made.turn()
    assert made.wait() == pytest.approx(TICK * 4 / 5)
    clock.advance(TICK * 4 / 5)
    made.turn()
    assert after(start, others) == pytest.approx([0, TICK], abs=1e-6)
    assert after(start, begins) == pytest.approx([TICK / 5, TICK], abs=1e-6)
    made.close()


def test_one_that_its_source_has_woken_before_is_due_once(dispatcher: Dispatcher) -> None:
    one = reader(lambda now: now + 3)
    dispatcher.wake(one)
    dispatcher.step(1.0)
    dispatcher.begin(one)
    dispatcher.step(2.0)
    dispatcher.step(4.0)
    assert one.served == [1.0, 2.0]


def test_a_broken_reader_is_logged_by_its_stream_not_by_its_text(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        dispatcher.wake(reader(fail))
        dispatcher.step(0.0)
    (told,) = caplog.messages
    assert told.startswith(f"stream {fingerprint('s')}: a reader failed and was dropped: ")
