"""A guest of the reactor: when it is asked for its turn, and what is said of long turns."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.support.clock import ManualClock
from tests.support.timing import patient
from textstream.transport.guest import LONG, QUIET, SHARE, LongTurns
from textstream.transport.reactor import Reactor

TIMEOUT = patient(10.0)


class Diner:
    """A guest: has work at `due`, and writes down when it was served."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.due: float | None = None
        self.served: list[float] = []
        self.threads: set[str] = set()
        self.came = threading.Event()

    def wait(self) -> float | None:
        return None if self.due is None else self.due - self.clock()

    def turn(self) -> None:
        if self.due is not None and self.clock() >= self.due:
            self.due = None
            self.served.append(self.clock())
            self.threads.add(threading.current_thread().name)
            self.came.set()


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    made = Reactor()
    yield made
    made.close()


def test_it_is_served_in_the_reactors_thread_when_it_is_woken(reactor: Reactor) -> None:
    guest = Diner(time.monotonic)
    reactor.host(guest)
    guest.due = 0.0
    reactor.wake()
    assert guest.came.wait(TIMEOUT)
    assert guest.threads == {"reactor"}


def test_it_is_served_when_it_is_due_without_being_woken(reactor: Reactor) -> None:
    guest = Diner(time.monotonic)
    due = guest.due = time.monotonic() + 0.02
    reactor.host(guest)
    assert guest.came.wait(TIMEOUT)
    assert guest.served[0] >= due


def test_timers_are_not_forgotten_beside_it(reactor: Reactor) -> None:
    guest = Diner(time.monotonic)
    guest.due = time.monotonic() + 3600
    reactor.host(guest)
    done = threading.Event()
    reactor.call_later(0.01, done.set)
    assert done.wait(TIMEOUT)
    assert guest.served == []


def test_many_calls_do_not_keep_it_waiting(clock: ManualClock) -> None:
    """It has its turn after every two milliseconds of a turn's work, not when all is done."""
    reactor = Reactor(clock=clock)
    guest = Diner(clock)
    begin = clock.now
    done = threading.Event()

    def work() -> None:
        if guest.due is None and not guest.served:
            guest.due = clock.now
        clock.advance(SHARE / 4)

    def begin_all() -> None:
        for _ in range(100):
            reactor.call_soon(work)
        reactor.call_soon(done.set)

    reactor.host(guest)
    reactor.call_soon(begin_all)
    assert done.wait(TIMEOUT)
    reactor.close()
    assert guest.served[0] - begin <= SHARE * 1.5


def test_many_sockets_do_not_keep_it_waiting(clock: ManualClock) -> None:
    reactor = Reactor(clock=clock)
    guest = Diner(clock)
    pairs = [socket.socketpair() for _ in range(40)]
    left = [ours for ours, _ in pairs]
    done = threading.Event()

    class Handler:
        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock

        def on_ready(self, readable: bool, writable: bool) -> None:
            if len(left) == len(pairs):
                guest.due = clock.now
            self.sock.recv(1)
            reactor.forget(self.sock)
            left.remove(self.sock)
            clock.advance(SHARE / 4)
            if not left:
                done.set()

    def begin_all() -> None:
        for ours, theirs in pairs:
            theirs.send(b"x")
            reactor.watch(ours, Handler(ours), read=True, write=False)

    begin = clock.now
    reactor.host(guest)
    reactor.call_soon(begin_all)
    assert done.wait(TIMEOUT)
    reactor.close()
    for pair in pairs:
        for one in pair:
            one.close()
    assert guest.served[0] - begin <= SHARE * 1.5


def test_one_that_breaks_ends_neither_the_reactor_nor_its_turns(
    reactor: Reactor, caplog: pytest.LogCaptureFixture
) -> None:
    guest = Diner(time.monotonic)
    turn = guest.turn

    def fail_once() -> None:
        guest.turn = turn  # type: ignore[method-assign]
        raise RuntimeError("scripted")

    guest.turn = fail_once  # type: ignore[method-assign]
    guest.due = 0.0
    reactor.host(guest)
    assert guest.came.wait(TIMEOUT)
    assert "fail_once > RuntimeError" in caplog.text


def test_a_long_turn_is_said_in_the_log_and_so_is_what_it_did(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns = LongTurns()
    turns.note(10.0, 10.0 + LONG * 0.9, 1, 1, 0.0)
    assert caplog.messages == []
    turns.note(10.0, 10.083, 31, 2, 0.069)
    assert caplog.messages == [
        "a turn of the reactor took 83 ms: 31 sockets, 2 calls; of it readers 69 ms"
    ]


def test_long_turns_are_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    turns = LongTurns()
    for second in range(int(2.5 * QUIET)):
        turns.note(second, second + 2 * LONG, 1, 1, 0.0)
    assert len(caplog.messages) == 3


def test_the_reactor_looks_at_its_own_turns(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    reactor = Reactor(clock=clock)
    done = threading.Event()
    reactor.call_soon(partial(clock.advance, 2 * LONG))
    reactor.call_soon(done.set)
    assert done.wait(TIMEOUT)
    reactor.close()
    (told,) = caplog.messages
    assert "took 100 ms: " in told
    assert told.endswith("calls; of it readers 0 ms")
