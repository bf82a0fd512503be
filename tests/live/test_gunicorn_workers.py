"""Several workers, or one without threads: said at the start, and to who meets the wrong one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.conftest import Connect
from tests.live.conftest import StartGunicorn
from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import start
from tests.support.leaks import LeakGuard
from textstream.transport.foreign import RUN_ONE_WORKER

pytestmark = pytest.mark.live

UNKNOWN = "/socket.io/?EIO=4&transport={}&sid=nowhere"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def wrong(leak_guard: LeakGuard) -> Iterator[RunningGunicorn]:
    """A gunicorn with all that one can do wrong."""
    env = {"WEB_CONCURRENCY": "2", "TEXTSTREAM_DRAIN": "9"}
    server = RunningGunicorn(
        *("--threads", "1", "--graceful-timeout", "10"),
        env=env,
        leak_guard=leak_guard,
    )
    yield server
    assert server.stop() == 0
    log = server.log_text()
    for words in ("several workers: gunicorn", "one thread", "--graceful-timeout is 10 s"):
        (line,) = [line for line in log.splitlines() if words in line]
        assert "WARNING" in line
    assert log.count(RUN_ONE_WORKER) == 2


@pytest.mark.parametrize(
    ("method", "transport", "headers"),
    [("GET", "polling", {}), ("POST", "polling", {}), ("GET", "websocket", UPGRADE)],
    ids=["poll", "post", "websocket"],
)
def test_a_session_of_another_worker(
    wrong: RunningGunicorn, method: str, transport: str, headers: dict[str, str]
) -> None:
    url = wrong.url + UNKNOWN.format(transport)
    page = {"Origin": "http://localhost:5173"}
    answer = requests.request(method, url, headers={**headers, **page}, timeout=10)
    assert answer.status_code == 400
    said = answer.json()["message"]
    assert said.startswith("Session ID unknown: it has ended, or another worker")
    assert said.endswith(RUN_ONE_WORKER)
    assert answer.headers["Access-Control-Allow-Origin"] == page["Origin"]


@pytest.mark.parametrize("event", ["resume_stream", "stop_stream", "describe_stream"])
def test_a_stream_of_another_worker(wrong: RunningGunicorn, sio: Connect, event: str) -> None:
    client = sio(wrong.url)
    payload = {"id": "nowhere"} | ({"offset": 0} if event == "resume_stream" else {})
    error = client.call(event, payload)["error"]
    assert error["code"] == "unknown_stream"
    assert "another worker process" in error["message"]
    assert error["message"].endswith(RUN_ONE_WORKER)


def test_a_stream_that_is_here_is_not_elsewhere(wrong: RunningGunicorn, sio: Connect) -> None:
    client = sio(wrong.url)
    stream = start(client, {"text": "x", "rate": 0})
    client.wait_for_event("stream_end")
    error = client.call("pause_stream", {"id": stream["id"]})["error"]
    assert "does not read" in error["message"]
    assert "worker" not in error["message"]


def test_one_worker_has_nothing_to_say(start_gunicorn: StartGunicorn, sio: Connect) -> None:
    server = start_gunicorn(10)
    error = sio(server.url).call("resume_stream", {"id": "nowhere", "offset": 0})["error"]
    assert "worker" not in error["message"]
    answer = requests.get(server.url + UNKNOWN.format("polling"), timeout=10)
    assert answer.status_code == 400
    assert answer.json() == {"code": 1, "message": "Session ID unknown"}
    assert server.stop() == 0
    assert "WARNING" not in server.log_text()
