"""The pool of threads: in order, no more than there may be, and a clean end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.timing import patient
from textstream.threads import ThreadPool

TIMEOUT = patient(10.0)


@pytest.fixture
def new_pool() -> Iterator[Callable[..., ThreadPool]]:
    pools: list[ThreadPool] = []

    def make(limit: int, **options: float) -> ThreadPool:
        pools.append(ThreadPool(limit, "test", cure="Get more.", **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close(time.monotonic() + TIMEOUT)


def test_jobs_run_on_as_many_threads_as_there_may_be(
    new_pool: Callable[..., ThreadPool], caplog: pytest.LogCaptureFixture
) -> None:
    pool = new_pool(3, late=0.0)
    together = threading.Barrier(3 + 1)
    release = threading.Event()
    running, most = [], []
    lock = threading.Lock()
    done = threading.Semaphore(0)

    def job() -> None:
        with lock:
            running.append(threading.current_thread())
            most.append(len(running))
        if not release.is_set():
            together.wait(TIMEOUT)
            release.wait(TIMEOUT)
        with lock:
            running.remove(threading.current_thread())
        done.release()

    for _ in range(10):
        pool.submit(job)
    together.wait(TIMEOUT)
    assert max(most) == 3
    release.set()
    for _ in range(10):
        assert done.acquire(timeout=TIMEOUT)
    assert max(most) == 3
    assert caplog.text.count("Get more.") == 1, "said once, with the cure"


def test_jobs_start_in_the_order_of_their_submission(
    new_pool: Callable[..., ThreadPool],
) -> None:
    pool = new_pool(1)
    order: list[int] = []
    done = threading.Event()
    for n in range(50):
        pool.submit(lambda n=n: order.append(n))  # type: ignore[misc]
    pool.submit(done.set)
    assert done.wait(TIMEOUT)
    assert order == list(range(50))


def test_an_idle_thread_is_used_again(new_pool: Callable[..., ThreadPool]) -> None:
    pool = new_pool(8)
    threads = set()
    for _ in range(20):
        done = threading.Event()

        def job(done: threading.Event = done) -> None:
            threads.add(threading.current_thread())
            done.set()

        pool.submit(job)
        assert done.wait(TIMEOUT)
    assert len(threads) <= 3, "a thread may still be on its way to idleness, but not each time"


def test_closing_waits_for_the_running_jobs_and_takes_no_more(
    new_pool: Callable[..., ThreadPool],
) -> None:
    pool = new_pool(2)
    started, release = threading.Event(), threading.Event()
    ran: list[str] = []

    def job() -> None:
        started.set()
        release.wait(TIMEOUT)
        ran.append("job")

    pool.submit(job)
    assert started.wait(TIMEOUT)
    pool.close(time.monotonic())  # no time to wait
    assert ran == []
    pool.submit(lambda: ran.append("late"))
    release.set()
    pool.close(time.monotonic() + TIMEOUT)
    assert ran == ["job"]
