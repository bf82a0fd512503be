"""The threads of sources: no client's sources that block stop those of another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

import pytest

from tests.sources.waiting import wait_until
from tests.stream.line import Line
from tests.support.timing import patient
from textstream.access.caller import Caller
from textstream.sources.base import Source, SourceRequest
from textstream.stream.pools import Pools

TIMEOUT = patient(10.0)


class Blocking:
    """A source that blocks until it is cancelled."""

    def __init__(self, pools: Pools) -> None:
        self.lines: list[Line] = []
        self._pools = pools
        self._began = threading.Semaphore(0)

    def start(self, callers: Iterable[Caller]) -> None:
        source = Source("blocking", self._generate)
        self.lines += [Line(source, pools=self._pools, caller=caller) for caller in callers]

    def block(self, count: int, *, of_all: int) -> None:
        """Check that `count` more have a thread, and `of_all` no other: the rest has no room."""
        for _ in range(count):
            assert self._began.acquire(timeout=TIMEOUT)
        wait_until(lambda: self._pools._blocking._owed == len(self.lines) - of_all)
        assert not self._began.acquire(blocking=False)

    def stop(self) -> None:
        for line in self.lines:
            line.stream.stop("stopped")

    def _generate(self, request: SourceRequest) -> Iterator[str]:
        self._began.release()
        request.cancel.wait(TIMEOUT)
        yield "x"


@pytest.fixture
def pools() -> Iterator[Pools]:
    made = Pools(16)
    yield made
    made.close(time.monotonic() + TIMEOUT)


@pytest.mark.parametrize(
    ("address", "of_one", "of_all"), [("127.0.0.1", 4, 12), ("192.0.2.1", 4, 4), ("", 4, 12)]
)
def test_whoever_blocks_all_it_may_leaves_threads_to_others(
    pools: Pools, address: str, of_one: int, of_all: int
) -> None:
    blocking = Blocking(pools)
    blocking.start([Caller(address, "first")] * 16)
    blocking.block(of_one, of_all=of_one)
    blocking.start(Caller(address, f"{n % 16}") for n in range(256))
    blocking.block(of_all - of_one, of_all=of_all)
    ran = threading.Event()

    def generate(_request: SourceRequest) -> Iterator[str]:
        yield "y"
        ran.set()

    Line(Source("other", generate), pools=pools, caller=Caller("127.0.0.2", "other"))
    assert ran.wait(TIMEOUT)
    blocking.stop()


@pytest.mark.parametrize("immediate", [True, False])
def test_sources_that_never_block_do_not_queue_behind_those_that_do(immediate: bool) -> None:
    pools = Pools(2)
    blocking = Blocking(pools)
    blocking.start(Caller(f"192.0.2.{n}", "x") for n in range(2))
    blocking.block(2, of_all=2)
    ran = threading.Event()

    def generate(_request: SourceRequest) -> Iterator[str]:
        for _ in range(9):
            yield "some words "
        ran.set()

    Line(
        Source("text", generate, immediate=immediate, blocking=False, live=False),
        pools=pools,
        caller=Caller("192.0.2.1", "x"),
    )
    assert ran.wait(TIMEOUT)
    blocking.stop()
    pools.close(time.monotonic() + TIMEOUT)
