"""Asking for one stream after the other that is not there."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live

MOST = 30
EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("describe_stream", {}),
    ("stop_stream", {}),
    ("resume_stream", {"offset": 0}),
    ("leave_stream", {}),
)


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Iterator[RunningServer]:
    env = {
        "TEXTSTREAM_WRONG_IDS_PER_ADDRESS": f"{MOST}/minute",
        "TEXTSTREAM_TRUSTED_PROXIES": "127.0.0.1",
        "PYTHONPATH": str(RANKED_LOCKS),
    }
    one = start_server("--log-format", "json", env=env)
    yield one
    one.stop()
    assert "traceback" not in one.log_text().lower()


@pytest.mark.parametrize(
    ("transport", "address"), [("websocket", "198.51.100.1"), ("polling", "198.51.100.2")]
)
def test_it_is_limited_by_address_and_hinders_nobody(
    server: RunningServer, sio: Connect, transport: str, address: str
) -> None:
    from_there = {"X-Forwarded-For": address}
    guessing = sio(server, (transport,), headers=from_there)
    beside = sio(server, (transport,), headers=from_there)
    stream = beside.call("start_stream", {"text": "y" * 60, "rate": 200})["stream"]["id"]
    told: Counter[str] = Counter()
    for number in range(200):
        event, more = EVENTS[number % len(EVENTS)]
        error = guessing.call(event, {"id": str(uuid.uuid4()), **more})["error"]
        told[error["code"]] += 1
    assert told == {"unknown_stream": MOST, "rate_limited": 200 - MOST}
    assert error["scope"] == "address"
    assert 0 < error["retry_after"] <= 60
    assert guessing.call("describe_stream", {"id": stream})["ok"], "a right id is answered"
    elsewhere = sio(server, (transport,))
    unknown = elsewhere.call("describe_stream", {"id": str(uuid.uuid4())})
    assert unknown["error"]["code"] == "unknown_stream"
    assert beside.wait_for_event("stream_end").data["reason"] == "completed"
    assert beside.text == "y" * 60
    lines = [line for line in server.log_text().splitlines() if address in line]
    assert [json.loads(line)["code"] for line in lines] == ["rate_limited"]


def test_one_that_is_there_and_not_read_is_no_wrong_one(
    server: RunningServer, sio: Connect
) -> None:
    owner, other = sio(server), sio(server)
    stream = owner.call("start_stream", {"text": "x" * 2000, "rate": 20})["stream"]["id"]
    for _ in range(MOST + 10):
        error = other.call("pause_stream", {"id": stream})["error"]
        assert error["code"] == "unknown_stream"
