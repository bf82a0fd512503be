"""Clients that poll hold no thread while they wait: many more of them than gunicorn has threads."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
import requests

from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import CLUSTERS, sha256
from tests.support.leaks import LeakGuard
from tests.support.timing import patient
from tests.support.usage import usage

pytestmark = pytest.mark.live

PATIENCE = patient(20.0)
CLIENTS = 24


class Poller:
    """A client that polls with bare requests, over whatever connections the server leaves it."""

    def __init__(self, url: str) -> None:
        self._http = HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
        self._path = "/socket.io/?EIO=4&transport=polling"
        self._path += f"&sid={json.loads(self.poll()[0][1:])['sid']}"
        self.post("40")
        assert self.poll()[0].startswith("40")

    def begin(self) -> None:
        """Send a poll."""
        self._http.request("GET", self._path)

    def end(self) -> list[str]:
        """Return the packets of its answer."""
        response = self._http.getresponse()
        assert response.status == 200
        return response.read().decode().split("\x1e")

    def poll(self) -> list[str]:
        """Poll once."""
        self.begin()
        return self.end()

    def post(self, packet: str) -> None:
        """Send a packet on a connection of its own."""
        http = HTTPConnection(self._http.host, self._http.port, timeout=PATIENCE)
        http.request("POST", self._path, packet.encode())
        assert http.getresponse().read() == b"ok"
        http.close()

    def read(self, text: str) -> tuple[str, str]:
        """Have a text streamed; return it, and its hash as the server says it."""
        self.post("42" + json.dumps(["start_stream", {"text": text, "rate": 100}]))
        units: list[str] = []
        while True:
            for packet in self.poll():
                name, payload = json.loads(packet[2:]) if packet[:2] == "42" else ("", {})
                if name == "new_char":
                    units.append(payload)
                elif name == "stream_end":
                    return "".join(units), payload["text_sha256"]

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module", params=[2, 1], ids=["two-threads", "sync-worker"])
def gunicorn(request: pytest.FixtureRequest, leak_guard: LeakGuard) -> Iterator[RunningGunicorn]:
    """A gunicorn with few threads."""
    server = RunningGunicorn("--threads", str(request.param), leak_guard=leak_guard)
    yield server
    assert server.stop() == 0


@pytest.fixture
def pollers(gunicorn: RunningGunicorn) -> Iterator[list[Poller]]:
    made = [Poller(gunicorn.url) for _ in range(CLIENTS)]
    yield made
    for one in made:
        one.close()


def is_healthy(gunicorn: RunningGunicorn) -> bool:
    return requests.get(f"{gunicorn.url}/healthz", timeout=PATIENCE).ok


def test_who_waits_keeps_nobody_from_being_answered(
    gunicorn: RunningGunicorn, pollers: list[Poller]
) -> None:
    before = usage(gunicorn.pid).threads
    for one in pollers:
        one.begin()
    assert is_healthy(gunicorn)
    assert usage(gunicorn.pid).threads <= before + 1
    for one in pollers:
        one.post('420["set_rate",{}]')
        assert any(packet.startswith("430") for packet in one.end())


def test_each_of_many_gets_its_text_exactly(
    gunicorn: RunningGunicorn, pollers: list[Poller]
) -> None:
    texts = [f"{number}: " + "".join(CLUSTERS) * 6 for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        reading = [pool.submit(one.read, text) for one, text in zip(pollers, texts, strict=True)]
        while not all(one.done() for one in reading):
            assert is_healthy(gunicorn)
    assert [one.result() for one in reading] == [(text, sha256(text)) for text in texts]


@pytest.mark.parametrize("gunicorn", [2], ids=["two-threads"], indirect=True)
def test_half_bodies_of_one_client_keep_nobody_from_being_answered(
    gunicorn: RunningGunicorn, pollers: list[Poller]
) -> None:
    """Stock, each keeps a thread for 5 s after it was refused, and all of the worker for 2."""
    half = "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n4"
    with ExitStack() as open_:
        for _ in range(20):
            sock = socket.create_connection(gunicorn.address, PATIENCE)
            open_.enter_context(sock).sendall(half.format(pollers[0]._path).encode())
        assert requests.get(f"{gunicorn.url}/healthz", timeout=patient(5.0)).ok
