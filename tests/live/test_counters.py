"""SIGUSR1: a line of counters in the log, and nothing else happens."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import Connect, StartServer
from tests.live.conftest import StartGunicorn
from tests.live.streams import finish, start
from tests.support.timing import patient

pytestmark = pytest.mark.live


def dumps(log: str) -> list[dict[str, Any]]:
    """Return what the lines of counters say."""
    lines = [line for line in log.splitlines() if " counters {" in line]
    return [json.loads(line[line.index("{") :]) for line in lines]


def test_a_signal_writes_a_line(start_server: StartServer, sio: Connect) -> None:
    server = start_server()
    client = sio(server)
    start(client, {"text": "0123456789" * 20, "rate": 200})
    os.kill(server.pid, signal.SIGUSR1)
    server.wait_for_log(lambda log: len(dumps(log)) == 1)
    os.kill(server.pid, signal.SIGUSR1)
    server.wait_for_log(lambda log: len(dumps(log)) == 2)
    assert finish(client)["reason"] == "completed"
    found = dumps(server.log_text())[0]
    assert found["process"]["pid"] == server.pid
    assert found["sessions"] == {"polling": 0, "websocket": 1}
    assert sum(found["streams"].values()) == found["readers"] == 1
    assert server.stop() == 0


def test_under_gunicorn_it_is_the_workers(start_gunicorn: StartGunicorn) -> None:
    server = start_gunicorn(0)
    worker = int(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()[0])
    os.kill(server.pid, signal.SIGUSR1)  # its master tells it
    while not dumps(server.log_text()):
        requests.get(f"{server.url}/healthz", timeout=patient(10)).raise_for_status()
    assert dumps(server.log_text())[0]["process"]["pid"] == worker
    assert "Handling signal: usr1" in server.log_text()
    assert server.stop() == 0
