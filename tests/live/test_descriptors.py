"""A server that may have few descriptors, and clients that take them all."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import Connect, StartServer
from tests.live.conftest import StartGunicorn
from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import finish, sha256, start
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from tests.support.usage import usage
from tests.transport.raw import RawWebSocket

pytestmark = pytest.mark.live

MOST = 256
TIMEOUT = patient(10.0)
TEXT = "0123456789" * 30


@dataclass
class Poor:
    """A server with few descriptors."""

    server: RunningServer | RunningGunicorn
    pid: int

    def health(self) -> int:
        return requests.get(f"{self.server.url}/healthz", timeout=TIMEOUT).status_code


@pytest.fixture(params=["front", "gunicorn"])
def poor(
    request: pytest.FixtureRequest, start_server: StartServer, start_gunicorn: StartGunicorn
) -> Iterator[Poor]:
    server: RunningServer | RunningGunicorn
    if request.param == "front":
        server = start_server()
        pid = server.pid
    else:
        server = start_gunicorn(0)
        pid = int(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()[0])
    # The hard one too: the server has raised the soft one to it.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (MOST, MOST))
    yield Poor(server, pid)
    assert server.stop() == 0
    log = server.log_text()
    assert "traceback" not in log.lower(), log
    assert log.count("turned away") <= 2, log


def test_connections_that_say_nothing_keep_nobody_out(poor: Poor, sio: Connect) -> None:
    client = sio(poor.server.url)
    start(client, {"text": TEXT, "rate": 150})
    before, began = usage(poor.pid).cpu, time.monotonic()
    with ExitStack() as silent:
        for _ in range(MOST + 44):
            silent.enter_context(socket.create_connection(poor.server.address, timeout=TIMEOUT))
        assert [poor.health() for _ in range(10)] == [200] * 10
        assert finish(client)["text_sha256"] == sha256(TEXT)
        assert client.text == TEXT
        assert usage(poor.pid).cpu - before < 0.5 * (time.monotonic() - began)
    assert poor.health() == 200


def test_a_full_table_is_said_and_whoever_is_in_is_served(poor: Poor, sio: Connect) -> None:
    client = sio(poor.server.url)
    start(client, {"text": TEXT, "rate": 150})
    with ExitStack() as others:
        inside: list[RawWebSocket] = []
        while not inside or inside[-1].response.startswith("HTTP/1.1 101"):
            inside.append(others.enter_context(closing(RawWebSocket(poor.server.address[1]))))
        assert inside[-1].response.startswith("HTTP/1.1 503")
        assert "Retry-After: 2" in inside[-1].response
        assert len(inside) > MOST / 2
        assert finish(client)["text_sha256"] == sha256(TEXT)
        assert client.text == TEXT
        inside[0].send("40")
        messages = inside[0].messages()
        assert [next(messages)[:2] for _ in range(2)] == ["0{", "40"]
    deadline = time.monotonic() + TIMEOUT
    while poor.health() != 200:
        assert time.monotonic() < deadline
    assert "descriptors run out" in poor.server.log_text()
