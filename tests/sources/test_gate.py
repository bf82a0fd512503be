"""The gate: bounded, fair, and its waiting can be cancelled."""

from __future__ import annotations

import threading

from tests.sources.waiting import wait_until
from textstream.sources.base import CancelToken
from textstream.sources.gate import Gate


class Visitor(threading.Thread):
    """Enters a gate and takes note of it."""

    def __init__(self, gate: Gate, entered: list[Visitor]) -> None:
        super().__init__(daemon=True)
        self.cancel = CancelToken()
        self.refused = False
        self._gate = gate
        self._entered = entered
        self.start()
        wait_until(lambda: len(gate._queue) > 0 or not self.is_alive())

    def run(self) -> None:
        if self._gate.enter(self.cancel):
            self._entered.append(self)
        else:
            self.refused = True


def queue(gate: Gate, entered: list[Visitor], number: int) -> list[Visitor]:
    visitors = []
    for count in range(1, number + 1):
        visitors.append(Visitor(gate, entered))
        wait_until(lambda count=count: len(gate._queue) == count)  # type: ignore[misc]
    return visitors


def test_first_come_first_served() -> None:
    gate, entered = Gate(1), list[Visitor]()
    assert gate.enter(CancelToken())
    visitors = queue(gate, entered, 4)
    for count in range(1, 5):
        gate.leave()
        wait_until(lambda count=count: len(entered) == count)  # type: ignore[misc]
    assert entered == visitors


def test_cancelling_leaves_the_queue_to_the_others() -> None:
    gate, entered = Gate(1), list[Visitor]()
    assert gate.enter(CancelToken())
    first, second, third = queue(gate, entered, 3)
    first.cancel.cancel()
    first.join()
    assert first.refused
    gate.leave()
    wait_until(lambda: entered == [second])
    third.cancel.cancel()
    third.join()
    assert third.refused
    assert not gate._queue


def test_lets_its_limit_in() -> None:
    gate = Gate(3)
    assert all(gate.enter(CancelToken()) for _ in range(3))
    cancelled = CancelToken()
    cancelled.cancel()
    assert not gate.enter(cancelled)


def test_cancelled_beforehand_takes_no_place() -> None:
    gate = Gate(1)
    cancelled = CancelToken()
    cancelled.cancel()
    assert not gate.enter(cancelled)
    assert gate.enter(CancelToken())
