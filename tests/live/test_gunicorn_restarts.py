"""However a gunicorn worker comes to its end, its clients are told, and the next one serves."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
import requests

from tests.conftest import Connect
from tests.live.conftest import StartGunicorn
from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import endless, finish, sha256, start
from tests.support.running_server import START_TIMEOUT
from tests.support.sio_client import RecordingClient

pytestmark = pytest.mark.live

BOTH = ("websocket", "polling")
LIMIT = "300"
"""Requests: more than the clients make while they begin, and few for who floods."""


def flood(server: RunningGunicorn, client: RecordingClient) -> None:
    """Make requests until the worker has had enough, and the client is told."""
    with requests.Session() as session:
        while not client.named("server_draining"):
            session.get(f"{server.url}/healthz", timeout=START_TIMEOUT)


def assert_told(clients: list[RecordingClient], reason: str) -> None:
    for client in clients:
        end = finish(client)
        assert (end["reason"], end["text_sha256"]) == (reason, sha256(client.text))
        client.wait_for_event("disconnect")
        order = list(dict.fromkeys(event.name for event in client.events))
        assert order.index("server_draining") < order.index("stream_end")


def assert_serves(server: RunningGunicorn) -> None:
    """Assert that there is a worker that takes clients: a new one, which may take long to boot."""
    assert health(server) == "ok"


def health(server: RunningGunicorn) -> str:
    answer = requests.get(f"{server.url}/healthz", timeout=START_TIMEOUT)
    status: str = answer.json()["status"]
    return status


def _health_or_none(server: RunningGunicorn) -> str | None:
    try:
        return health(server)
    except requests.ConnectionError:
        return None


def test_max_requests_again_and_again(start_gunicorn: StartGunicorn, sio: Connect) -> None:
    server = start_gunicorn(0.3, "--max-requests", LIMIT, "--max-requests-jitter", "20")
    rounds = 2
    for _ in range(rounds):
        clients = [sio(server.url, (transport,)) for transport in BOTH]
        endless(*clients)
        flood(server, clients[0])
        assert_told(clients, "shutdown")
        assert_serves(server)
    log = server.log_text()
    assert log.count("Autorestarting worker") == rounds
    assert log.count("going down") == rounds
    assert log.count("stream ended") == 2 * rounds
    assert server.stop() == 0


def test_what_ends_in_time_is_complete(start_gunicorn: StartGunicorn, sio: Connect) -> None:
    server = start_gunicorn(600, "--max-requests", LIMIT)
    clients = [sio(server.url, (transport,)) for transport in BOTH]
    for client in clients:
        start(client, {"text": "x" * 100, "rate": 40})
    flood(server, clients[0])
    newcomer = sio(server.url)  # the worker that drains takes it, and says so
    assert newcomer.wait_for_event("server_draining").data["retry_after"] > 500
    assert newcomer.call("start_stream")["error"]["code"] == "shutting_down"
    assert_told(clients, "completed")
    assert_serves(server)
    assert server.stop() == 0


def reload(server: RunningGunicorn) -> None:
    server.reload()


def orphan(server: RunningGunicorn) -> None:
    server.terminate(signal.SIGKILL)


def terminate(server: RunningGunicorn) -> None:
    server.terminate()


@pytest.mark.parametrize(
    ("options", "end", "code"),
    [
        (("--preload",), terminate, 0),
        ((), reload, 0),
        ((), orphan, -signal.SIGKILL),
        (("-k", "gevent"), terminate, 0),
        (("-k", "gevent"), orphan, -signal.SIGKILL),
    ],
    ids=["preload", "reload", "orphan", "gevent", "gevent-orphan"],
)
def test_it_ends(
    start_gunicorn: StartGunicorn,
    sio: Connect,
    options: tuple[str, ...],
    end: Callable[[RunningGunicorn], None],
    code: int,
) -> None:
    server = start_gunicorn(0.3, *options)
    clients = [sio(server.url, (transport,)) for transport in BOTH]
    endless(*clients)
    end(server)
    assert_told(clients, "shutdown")
    if end is reload:
        assert_serves(server)
    assert server.stop() == code


def test_max_requests_under_gevent(start_gunicorn: StartGunicorn, sio: Connect) -> None:
    server = start_gunicorn(0.3, "-k", "gevent", "--max-requests", LIMIT)
    clients = [sio(server.url, (transport,)) for transport in BOTH]
    endless(*clients)
    flood(server, clients[0])
    assert_told(clients, "shutdown")
    deadline = time.monotonic() + START_TIMEOUT
    # A gevent worker looks once a second whether it is to end: who comes then is refused, or reset.
    while _health_or_none(server) != "ok":
        assert time.monotonic() < deadline
    assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_under_gevent_it_is_ended_at_once(
    start_gunicorn: StartGunicorn, sio: Connect, number: signal.Signals
) -> None:
    server = start_gunicorn(600, "-k", "gevent")
    client = sio(server.url)
    endless(client)
    server.terminate_group(number)
    client.wait_for_event("disconnect")
    assert client.named("server_draining") == []
    assert server.stop() == 0
    assert "BlockingSwitchOutError" not in server.log_text()
