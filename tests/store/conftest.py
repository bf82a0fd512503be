"""Fixtures for streams that processes share: a store, and three servers on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import RANKED_LOCKS, StartServer
from tests.support.running_server import RunningServer
from tests.support.store import Store, running_store

GRANT_SECRET = "for the links of all servers of these tests"

LEASE = "1.5"
"""Seconds: as short as a busy machine allows."""

Start = Callable[..., RunningServer]


def environment(store: Store, **more: str) -> dict[str, str]:
    """Return what makes a server share its streams in a store."""
    return {
        "PYTHONPATH": str(RANKED_LOCKS),
        "TEXTSTREAM_STORE": store.url,
        "TEXTSTREAM_LEASE": LEASE,
        "TEXTSTREAM_GRANT_SECRET": GRANT_SECRET,
        **more,
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("store")
    with running_store(folder) as running:
        yield running


@pytest.fixture(scope="module")
def servers(store: Store, start_server: StartServer) -> Iterator[list[RunningServer]]:
    """Three servers that share a store; whatever tests do to them, they do not mind."""
    three = [
        start_server("--sources", "drip=tests.store.drip:drip", env=environment(store))
        for _ in range(3)
    ]
    yield three
    for one in three:
        code = one.stop()
        log = one.log_text()
        assert code == 0, log
        assert "Traceback" not in log, log
        assert " ERROR " not in log, log
