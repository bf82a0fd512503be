"""The reverse proxy of the tests does what it says, before anything is judged through it."""

from __future__ import annotations

import http.client

import pytest
import requests

from tests.conftest import Connect
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_it_carries_both_transports(server: RunningServer, sio: Connect, transport: str) -> None:
    with ReverseProxy(server.address) as proxy:
        client = sio(proxy.url, [transport])
        answer = client.call("start_stream", {"source": "text", "text": "hello", "rate": 0})
        assert answer["ok"]
        client.wait_for_event("stream_end")
        assert client.text == "hello"


def test_it_serves_what_is_under_its_prefix(server: RunningServer) -> None:
    with ReverseProxy(server.address, prefix="/stream") as proxy, requests.Session() as session:
        assert session.get(f"{proxy.url}/healthz", timeout=20).ok
        root = proxy.url.removesuffix("/stream")
        assert session.get(f"{root}/healthz", timeout=20).status_code == 404
        bare = session.get(f"{proxy.url}?x=1", timeout=20, allow_redirects=False)
        assert bare.headers["Location"] == "/stream/?x=1"
        assert proxy.outside == ["/healthz"]
        assert proxy.seen == ["GET /stream/healthz", "GET /healthz", "GET /stream"]


def test_it_keeps_a_connection_for_the_next_request(server: RunningServer) -> None:
    with ReverseProxy(server.address, prefix="/stream") as proxy:
        connection = http.client.HTTPConnection(*proxy.address, timeout=20)
        for _ in range(2):
            connection.request("GET", "/stream/healthz")
            first = connection.sock
            assert connection.getresponse().read()
            assert connection.sock is first is not None
        connection.close()


def test_it_cuts_what_is_open(server: RunningServer, sio: Connect) -> None:
    with ReverseProxy(server.address) as proxy:
        client = sio(proxy.url)
        proxy.cut_all()
        client.wait_for_event("disconnect")
        assert sio(proxy.url)
