"""What the operator asks for is answered also when all threads are held."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.figures import TIMEOUT, Figures
from tests.support.local_app import local_app
from textstream.settings import Settings
from textstream.transport.http.dispatch import THREADS

pytestmark = pytest.mark.live


def test_it_is_answered_while_all_threads_are_held() -> None:
    more = 4
    held, let_go = threading.Semaphore(0), threading.Event()

    def hold() -> str:
        held.release()
        let_go.wait()
        return ""

    with local_app(Settings()) as (url, parts), ThreadPoolExecutor(THREADS + more) as pool:
        parts.app.add_url_rule("/hold", view_func=hold)
        most = THREADS * 3 // 4  # of one address
        asked = [pool.submit(requests.get, f"{url}/hold", timeout=TIMEOUT) for _ in range(20)]
        for _ in range(most):
            assert held.acquire(timeout=TIMEOUT)
        try:
            assert requests.get(f"{url}/healthz", timeout=TIMEOUT).json() == {"status": "ok"}
            assert requests.get(f"{url}/readyz", timeout=TIMEOUT).json() == {"status": "ready"}
            found = Figures.of(url)
            assert found.sum("textstream_pool_busy", pool="requests") == most
            # Some may be on their way yet.
            assert found.sum("textstream_pool_queue", pool="requests") <= len(asked) - most
        finally:
            let_go.set()
        assert all(one.result().ok for one in asked)
