"""The pool of threads: in order, no more than there may be, and a clean end."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.support.timing import patient
from textstream.access.caller import Caller
from textstream.threads import ThreadPool

TIMEOUT = patient(10.0)


@pytest.fixture
def new_pool() -> Iterator[Callable[..., ThreadPool]]:
    pools: list[ThreadPool] = []

    def make(limit: int, **options: Any) -> ThreadPool:
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


def test_a_job_that_comes_as_a_thread_takes_another_gets_one_too(
    new_pool: Callable[..., ThreadPool],
) -> None:
    """A thread that has taken a job, and is not counted as busy yet, is not there for the next."""
    pool = new_pool(2)
    taken, submitted, release = threading.Event(), threading.Event(), threading.Event()
    done = threading.Event()

    class Slow(queue.SimpleQueue[Any]):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            job = super().get(block, timeout)
            if not submitted.is_set():
                taken.set()
                submitted.wait(TIMEOUT)
            return job

    def block() -> None:
        release.wait(TIMEOUT)

    pool._jobs = Slow()
    pool.submit(block)
    assert taken.wait(TIMEOUT)
    pool.submit(done.set)
    submitted.set()
    assert done.wait(TIMEOUT / 2)
    release.set()


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


def test_the_jobs_of_callers_go_round_between_them(new_pool: Callable[..., ThreadPool]) -> None:
    pool = new_pool(1, shares=lambda _address: (1, 1))
    release, done = threading.Event(), threading.Event()
    order: list[str] = []

    def block() -> None:
        release.wait(TIMEOUT)

    pool.submit(block)
    for name in ("a1a", "a1b", "a2a", "b1a", "c1a", "a1c"):
        pool.submit(partial(order.append, name), Caller(name[0], name[:2]))
    pool.submit(done.set, Caller("z", "z"))
    release.set()
    assert done.wait(TIMEOUT)
    pool.close(time.monotonic() + TIMEOUT)
    assert order == ["a1a", "b1a", "c1a", "a2a", "a1b", "a1c"]


def test_what_a_caller_has_no_room_for_waits_and_is_done_at_the_latest_when_closing(
    new_pool: Callable[..., ThreadPool],
) -> None:
    pool = new_pool(4, shares=lambda _address: (2, 1))
    began, release = threading.Semaphore(0), threading.Event()
    at_work, most = [0], [0]
    done: list[None] = []
    lock = threading.Lock()

    def job() -> None:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        began.release()
        release.wait(TIMEOUT)
        with lock:
            at_work[0] -= 1
            done.append(None)

    for n in range(9):
        pool.submit(job, Caller("a", str(n % 3)))
    for _ in range(2):
        assert began.acquire(timeout=TIMEOUT)
    other = threading.Event()
    pool.submit(other.set, Caller("b", "b"))
    assert other.wait(TIMEOUT)
    assert most == [2]
    closing = threading.Thread(target=pool.close, args=(time.monotonic() + TIMEOUT,))
    closing.start()
    release.set()
    closing.join()
    assert len(done) == 9


def without_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)


def test_where_the_system_gives_no_thread_more_those_there_are_do_the_work(
    new_pool: Callable[..., ThreadPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = new_pool(8)
    began, release, done = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def job() -> None:
        began.release()
        release.wait(TIMEOUT)
        done.release()

    pool.submit(job)
    assert began.acquire(timeout=TIMEOUT)
    without_more_threads(monkeypatch)
    for _ in range(3):
        pool.submit(job)
    release.set()
    for _ in range(4):
        assert done.acquire(timeout=TIMEOUT)
    for _ in range(3):
        assert began.acquire(timeout=TIMEOUT)
    monkeypatch.undo()
    release.clear()
    for _ in range(6):
        pool.submit(job)
    for _ in range(6):
        assert began.acquire(timeout=TIMEOUT)
    assert pool.counts()["threads"] >= 6, "it grows again"
    release.set()


def test_a_thread_that_never_started_is_none_of_the_pools(
    new_pool: Callable[..., ThreadPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, done = new_pool(8), threading.Event()
    without_more_threads(monkeypatch)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        pool.submit(done.set)
    assert pool.counts()["threads"] == 0
    monkeypatch.undo()
    done.clear()
    pool.submit(done.set)
    assert done.wait(TIMEOUT)
