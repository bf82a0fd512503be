"""The threads of a threaded gunicorn worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.support.timing import patient
from textstream.web.gthread_threads import Threads

PATIENCE = patient(10.0)
LIMIT = 4
HEALTH = "health"


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(LIMIT, is_health=lambda connection: connection == HEALTH)
    yield made
    made.shutdown()


def alive() -> int:
    return sum(thread.name == "request" for thread in threading.enumerate())


def test_the_worker_hears_what_came_of_a_request(threads: Threads) -> None:
    assert threads.submit(str.upper, "x").result(PATIENCE) == "X"
    failed = threads.submit(lambda _: 1 // 0, "x")
    assert isinstance(failed.exception(PATIENCE), ZeroDivisionError)
    assert isinstance(threads.submit(_leave, "x").exception(PATIENCE), SystemExit)
    assert threads.submit(str.upper, "y").result(PATIENCE) == "Y"


def _leave(_: object) -> None:
    raise SystemExit


def test_quick_requests_make_no_threads(threads: Threads) -> None:
    """Stock, as many as there may be, and they stay."""
    requests = [threads.submit(str.upper, str(number)) for number in range(100)]
    assert alive() <= 2
    assert [one.result(PATIENCE) for one in requests] == [str(number) for number in range(100)]


def test_health_is_answered_where_all_threads_are_held(threads: Threads) -> None:
    let_go = threading.Event()
    held = threading.Barrier(LIMIT + 1)

    def hold(_: object) -> bool:
        held.wait(PATIENCE)
        return let_go.wait(PATIENCE)

    requests = [threads.submit(hold, "x") for _ in range(LIMIT)]
    held.wait(PATIENCE)  # there are as many threads as there may be
    waiting = threads.submit(str.upper, "x")
    assert threads.submit(str.upper, HEALTH).result(PATIENCE) == "HEALTH"
    assert not waiting.done()
    let_go.set()
    assert all(one.result(PATIENCE) for one in requests)
    assert waiting.result(PATIENCE) == "X"


def test_a_request_waits_where_the_system_gives_no_thread(
    threads: Threads, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        waiting = threads.submit(str.upper, "x")
    assert not waiting.done()
    assert "the system gives none more" in caplog.text
    assert threads.submit(str.upper, "y").result(PATIENCE) == "Y"
    assert waiting.result(PATIENCE) == "X"
