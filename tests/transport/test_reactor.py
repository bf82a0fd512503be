"""The reactor: calls from any thread, timers in order, sockets, and a clean end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.clock import ManualClock
from tests.support.timing import patient
from textstream.transport.guest import SHARE
from textstream.transport.reactor import Reactor

TIMEOUT = patient(10.0)


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """A reactor, closed after the test."""
    reactor = Reactor()
    yield reactor
    reactor.close()


def test_calls_come_in_order_and_in_its_thread(reactor: Reactor) -> None:
    seen: list[int] = []
    names: set[str] = set()
    done = threading.Event()
    for number in range(100):
        reactor.call_soon(lambda number=number: seen.append(number))  # type: ignore[misc]
    reactor.call_soon(lambda: names.add(threading.current_thread().name))
    reactor.call_soon(done.set)
    assert done.wait(TIMEOUT)
    assert seen == list(range(100))
    assert names == {"reactor"}


def test_no_call_is_lost(reactor: Reactor) -> None:
    threads = 4
    each = 500
    count = 0
    done = threading.Event()

    def add() -> None:
        nonlocal count
        count += 1
        if count == threads * each:
            done.set()

    def call() -> None:
        for _ in range(each):
            reactor.call_soon(add)

    callers = [threading.Thread(target=call) for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert done.wait(TIMEOUT)


def test_timers_come_in_the_order_of_their_time(clock: ManualClock) -> None:
    reactor = Reactor(clock=clock)
    seen: list[str] = []
    done = threading.Event()
    reactor.call_later(3, lambda: seen.append("late"))
    reactor.call_later(4, done.set)
    reactor.call_later(1, lambda: seen.append("early"))
    cancelled = reactor.call_later(2, lambda: seen.append("never"))
    cancelled.cancel()
    clock.advance(4)
    reactor.call_soon(lambda: None)  # it does not see the clock move
    assert done.wait(TIMEOUT)
    reactor.close()
    assert seen == ["early", "late"]


def test_what_is_left_for_the_end_comes_when_all_that_is_ready_was_handled(
    reactor: Reactor,
) -> None:
    seen: list[str] = []
    done = threading.Event()

    def handle(name: str) -> None:
        seen.append(name)
        reactor.call_last(lambda: seen.append(f"last of {name}"))

    def begin() -> None:
        for name in "ab":
            reactor.call_soon(lambda name=name: handle(name))  # type: ignore[misc]
        reactor.call_soon(lambda: reactor.call_soon(done.set))

    reactor.call_soon(begin)
    assert done.wait(TIMEOUT)
    assert seen == ["a", "b", "last of a", "last of b"]


def test_the_guest_has_its_turn_behind_what_was_left_for_the_end(clock: ManualClock) -> None:
    reactor, seen, done = Reactor(clock=clock), list[str](), threading.Event()

    class Diner:
        def wait(self) -> float | None:
            return None

        def turn(self) -> None:
            seen.append("guest")

    def handle() -> None:
        seen.append("handled")
        reactor.call_last(lambda: seen.append("last"))
        clock.advance(SHARE)
        reactor.call_soon(done.set)

    reactor.host(Diner())
    reactor.call_soon(handle)
    assert done.wait(TIMEOUT)
    reactor.close()
    begin = seen.index("handled")
    assert seen[begin : begin + 3] == ["handled", "last", "guest"]


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0005, "0.001"), (0.0015, "0.0025")])
def test_each_turn_is_counted_by_what_it_took(
    clock: ManualClock, seconds: float, bucket: str
) -> None:
    reactor = Reactor(clock)
    done = threading.Event()
    reactor.call_soon(lambda: clock.advance(seconds))
    reactor.call_soon(done.set)
    assert done.wait(patient(5))
    reactor.close()
    counted, total = reactor.turn_seconds()
    below = 0.0
    for name, count in counted:
        if name == bucket:
            assert count - below >= 1
        below = count
    assert total == pytest.approx(seconds)


def test_a_failing_callback_does_not_end_it(
    reactor: Reactor, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def fail() -> None:
        raise RuntimeError("scripted")

    reactor.call_soon(fail)
    reactor.call_soon(done.set)
    assert done.wait(TIMEOUT)
    assert "fail > RuntimeError" in caplog.text


def test_a_readable_socket_is_reported(reactor: Reactor) -> None:
    ours, theirs = socket.socketpair()
    done = threading.Event()

    class Handler:
        def on_ready(self, readable: bool, writable: bool) -> None:
            if readable and not writable and ours.recv(10) == b"hello":
                done.set()

    with ours, theirs:
        reactor.call_soon(lambda: reactor.watch(ours, Handler(), read=True, write=False))
        theirs.send(b"hello")
        assert done.wait(TIMEOUT)
        forgotten = threading.Event()
        reactor.call_soon(lambda: reactor.forget(ours))
        reactor.call_soon(forgotten.set)
        assert forgotten.wait(TIMEOUT)


def test_closing_twice_is_closing_once(reactor: Reactor) -> None:
    reactor.call_soon(lambda: None)
    reactor.close()
    reactor.close()
    assert not reactor.running


def test_what_outlasts_its_closing_still_finds_everything_there(
    reactor: Reactor, caplog: pytest.LogCaptureFixture
) -> None:
    closed, begun = threading.Event(), threading.Event()

    class Handler:
        def on_ready(self, readable: bool, writable: bool) -> None:
            """Nothing comes."""

    forgotten, left = socket.socketpair()

    def watch() -> None:
        for sock in (forgotten, left):
            reactor.watch(sock, Handler(), read=True, write=False)

    def outlast() -> None:
        begun.set()
        closed.wait(TIMEOUT)
        reactor.forget(forgotten)

    with forgotten, left:
        reactor.call_soon(watch)
        reactor.call_soon(outlast)
        assert begun.wait(TIMEOUT)
        reactor.close(0.0)
        assert reactor.running
        assert left.fileno() >= 0
        closed.set()
        [thread] = (one for one in threading.enumerate() if one.name == "reactor")
        thread.join(TIMEOUT)
        assert not reactor.running
        assert caplog.records == []
        assert forgotten.fileno() >= 0
        assert left.fileno() < 0, "it was watched to the end"
