"""Fixtures for all tests.

- ``clock``: a manual clock.
- ``start_server(*flags, env=None)``: a server in its own process; the session stops it.
- ``server``: the one that tests share, with default flags.
- ``sio(server)``: a client that records events; closed after the test.
- ``leak_guard``: tells the check below what outlives a test by design.

After each test, threads, sockets and file descriptors that it left behind fail it.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest

from tests.support import ranked_locks
from tests.support.clock import ManualClock
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.tokens import SECRET

ranked_locks.install()

# A shell lets what it starts in the background ignore SIGINT, and that is inherited: what the tests
# start, and end with Ctrl-C, would not hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: a busy machine is no failure. In CI the same examples each time, so that a change is
# judged by what it changes; a person's machine searches on.
hypothesis.settings.register_profile(
    "textstream", deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis.settings.load_profile("textstream")


RANKED_LOCKS = Path(ranked_locks.__file__).with_name("ranked")
"""On a server's ``PYTHONPATH``, it lets its locks be ranked."""


def pytest_collection_finish() -> None:
    """Let the collector pass over what lives as long as the session: modules and 7,000 tests.

    Whoever looks for leaks collects, which took 0.4 s each time.
    """
    gc.freeze()


class StartServer(Protocol):
    """Starts a server with these flags, beside ``--port 0``, and this environment."""

    def __call__(self, *args: str, env: Mapping[str, str] | None = None) -> RunningServer: ...


class Connect(Protocol):
    """Connects a recording client to a server, or to the server at a URL."""

    def __call__(
        self,
        server: RunningServer | str,
        transports: Sequence[str] = ("websocket",),
        namespace: str = "/",
        headers: Mapping[str, str] | None = None,
        auth: Mapping[str, Any] | None = None,
    ) -> RecordingClient: ...


@pytest.fixture(scope="session")
def leak_guard() -> LeakGuard:
    """What outlives a test by design is registered here."""
    return LeakGuard()


@pytest.fixture(autouse=True)
def _nothing_left_behind(leak_guard: LeakGuard) -> Iterator[None]:
    before = leak_guard.snapshot()
    yield
    left = leak_guard.left_since(before)
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until it is advanced."""
    return ManualClock()


@pytest.fixture(scope="session")
def start_server(leak_guard: LeakGuard) -> Iterator[StartServer]:
    """Start servers; those that still run at the end of the session are stopped."""
    servers: list[RunningServer] = []

    def start(*args: str, env: Mapping[str, str] | None = None) -> RunningServer:
        server = RunningServer(*args, env=env, leak_guard=leak_guard)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> Iterator[RunningServer]:
    """The server that tests share: default flags. Whatever they do to it, it must not mind."""
    shared = start_server("--log-format", "json", env={"PYTHONPATH": str(RANKED_LOCKS)})
    yield shared
    code = shared.stop()
    log = shared.log_text()
    assert "traceback" not in log.lower(), log
    assert code == 0, log


@pytest.fixture(scope="module")
def guarded(start_server: StartServer) -> Iterator[RunningServer]:
    """A server that takes tokens of `tests.support.tokens`, and has everybody show one."""
    server = start_server(env={"TEXTSTREAM_AUTH_KEYS": SECRET})
    yield server
    code = server.stop()
    log = server.log_text()
    assert code == 0, log
    assert "traceback" not in log.lower(), log
    assert "eyJ" not in log, "that is how tokens begin"


@pytest.fixture
def sio() -> Iterator[Connect]:
    """Connect recording clients; closed after the test."""
    clients: list[RecordingClient] = []

    def connect(
        server: RunningServer | str,
        transports: Sequence[str] = ("websocket",),
        namespace: str = "/",
        headers: Mapping[str, str] | None = None,
        auth: Mapping[str, Any] | None = None,
    ) -> RecordingClient:
        url = server if isinstance(server, str) else server.url
        client = RecordingClient(url, transports, namespace, headers, auth)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()
