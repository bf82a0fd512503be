"""A source that waits holds no thread: it is left, and gone on with when it is told to."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.stream.line import Line
from tests.support.timing import patient
from textstream.access.caller import Caller
from textstream.sources.base import Source, SourceRequest, Wait
from textstream.stream.pools import Pools

TIMEOUT = patient(10.0)


class Told:
    """A source that says ``a``, waits, says ``b``, waits, says ``c``."""

    def __init__(self) -> None:
        self.waits = [Wait(), Wait()]
        self.closed = 0
        self.source = Source("told", self._generate)

    def _generate(self, _request: SourceRequest) -> Iterator[str | Wait]:
        try:
            yield "a"
            yield self.waits[0]
            yield "b"
            yield self.waits[1]
            yield "c"
        finally:
            self.closed += 1


def test_it_is_left_while_it_waits_and_gone_on_with_when_told() -> None:
    told = Told()
    line = Line(told.source, unit="token").run()
    assert (line.text, line.stream.life.state, told.closed) == ("a", "producing", 0)
    told.waits[0].over()
    assert len(line.pool.jobs) == 1
    assert line.run().text == "ab"
    told.waits[1].over()
    line.run()
    assert line.ended == ("completed", 3)


def test_a_wait_that_is_over_costs_no_trip_through_the_pool() -> None:
    told = Told()
    for wait in told.waits:
        wait.over()
    line = Line(told.source, unit="token")
    assert line.pool.run_one()
    assert (line.text, list(line.pool.jobs)) == ("abc", [])


def test_being_told_twice_is_being_told_once() -> None:
    told = Told()
    line = Line(told.source, unit="token").run()
    told.waits[0].over()
    told.waits[0].over()
    assert len(line.pool.jobs) == 1
    line.run()
    told.waits[0].over()
    assert not line.pool.jobs


@pytest.mark.parametrize("immediate", [False, True])
def test_whoever_starts_it_is_not_kept_by_it(immediate: bool) -> None:
    told = Told()
    source = Source("told", told._generate, immediate=immediate, live=False)
    line = Line(source, unit="token").run()
    assert line.text == "a"
    for wait in told.waits:
        wait.over()
    assert line.run().ended == ("completed", 3)


def test_several_may_wait_for_one() -> None:
    ready = Wait()

    def generate(_request: SourceRequest) -> Iterator[str | Wait]:
        yield ready
        yield "now"

    lines = [Line(Source("load", generate)).run() for _ in range(3)]
    ready.over()
    assert [line.run().text for line in lines] == ["now"] * 3


def test_cancelling_closes_one_that_waits(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    line = Line(told.source, unit="token").run()
    with caplog.at_level(logging.INFO):
        line.stream.stop("stopped")
        line.run()
    assert (told.closed, line.pool.jobs, caplog.records) == (1, line.pool.jobs, [])
    assert told.waits[0]._callbacks == [], "what outlives the stream does not keep it"
    told.waits[0].over()
    assert not line.pool.jobs


def test_told_and_cancelled_at_once_it_is_gone_on_with_once() -> None:
    told = Told()
    line = Line(told.source, unit="token").run()
    told.waits[0].over()
    line.stream.stop("stopped")
    assert len(line.pool.jobs) == 1
    line.run()
    assert (told.closed, line.text) == (1, "")


def test_cancelled_as_it_begins_to_wait() -> None:
    """The moment between the producer's look at the token and its registering."""

    def generate(_request: SourceRequest) -> Iterator[str | Wait]:
        yield "a"
        for _ in range(2):  # the second time, what resumes it is registered already
            wait = CancelledMeanwhile()
            waits.append(wait)
            yield wait
        yield "b"

    class CancelledMeanwhile(Wait):
        __slots__ = ()

        def then(self, callback: Callable[[], None]) -> None:
            if len(waits) == cancelled_in:
                line.stream.stop("stopped")
            super().then(callback)
            if len(waits) < cancelled_in:
                self.over()

    for cancelled_in in (1, 2):
        waits: list[Wait] = []
        line = Line(Source("race", generate))
        line.run()
        assert line.stream.ending
        assert len(waits) == cancelled_in, "it was closed, and not left for ever"
        assert all(wait._callbacks == [] for wait in waits)


def test_one_that_waits_is_held_like_any_other() -> None:
    told = Told()
    line = Line(told.source, unit="token", lookahead=1).run()
    assert (line.text, line.stream.life.state) == ("a", "held")
    line.stream.furthest = 1
    with line.stream.lock:
        line.stream.advance(1)
    line.run()
    told.waits[0].over()
    line.run()
    assert (line.text, line.stream.life.state) == ("ab", "held")


def test_streams_that_wait_need_no_threads_and_those_with_text_go_on() -> None:
    pools = Pools(1)
    waits: list[Wait] = []
    asked, ended = threading.Semaphore(0), threading.Semaphore(0)

    def wait(_request: SourceRequest) -> Iterator[str | Wait]:
        waits.append(Wait())
        asked.release()
        try:
            yield waits[-1]
        finally:
            ended.release()

    lines = [Line(Source("wait", wait), pools=pools) for _ in range(300)]
    for _ in lines:
        assert asked.acquire(timeout=TIMEOUT)
    before = threading.active_count()
    done = threading.Event()

    def other(_request: SourceRequest) -> Iterator[str]:
        yield "text"
        done.set()

    Line(Source("other", other), pools=pools)
    assert done.wait(TIMEOUT)
    assert threading.active_count() <= before
    for line in lines:
        line.stream.stop("shutdown")
    pools.close(time.monotonic() + TIMEOUT)
    for _ in lines:
        assert ended.acquire(blocking=False), "closed, although the pool was closing"


def test_told_from_many_threads_while_it_lets_go_nothing_is_lost_or_said_twice() -> None:
    pools, count, each = Pools(8), 20, 100
    waits: queue.SimpleQueue[Wait | None] = queue.SimpleQueue()
    done = threading.Semaphore(0)

    def generate(_request: SourceRequest) -> Iterator[str | Wait]:
        for number in range(each):
            wait = Wait()
            waits.put(wait)
            yield wait
            yield f"{number} "
        done.release()

    def tell() -> None:
        while wait := waits.get():
            wait.over()

    tellers = [threading.Thread(target=tell) for _ in range(3)]
    for teller in tellers:
        teller.start()
    lines = [
        Line(Source("told", generate), pools=pools, caller=Caller(connection=str(n)))
        for n in range(count)
    ]
    for _ in lines:
        assert done.acquire(timeout=TIMEOUT)
    for _ in tellers:
        waits.put(None)
    for teller in tellers:
        teller.join()
    pools.close(time.monotonic() + TIMEOUT)
    assert {line.text for line in lines} == {"".join(f"{number} " for number in range(each))}
