"""The same server under gunicorn's threaded worker."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.conftest import Connect
from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import finish, sha256, start
from tests.support.leaks import LeakGuard
from tests.support.timing import patient
from tests.transport.raw import RawWebSocket
from textstream.sources.text import SAMPLE_TEXT

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def gunicorn(leak_guard: LeakGuard) -> Iterator[str]:
    """The URL of a gunicorn with one worker."""
    server = RunningGunicorn(leak_guard=leak_guard)
    yield server.url
    assert server.stop() == 0


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_the_built_in_text(gunicorn: str, sio: Connect, transport: str) -> None:
    client = sio(gunicorn, (transport,))
    start(client, {"rate": 500})
    end = finish(client)
    assert client.text == SAMPLE_TEXT
    assert end["text_sha256"] == sha256(SAMPLE_TEXT)


def test_stop(gunicorn: str, sio: Connect) -> None:
    client = sio(gunicorn)
    stream = start(client, {"text": "x" * 1000, "rate": 100})
    client.wait_for_event("new_char", count=3)
    assert client.call("stop_stream", {"id": stream["id"]})["ok"]
    assert finish(client)["reason"] == "stopped"


HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"Sec-WebSocket-Version": "8"}, 426), ({"Sec-WebSocket-Key": "short"}, 400)],
)
def test_after_a_refused_handshake_its_connection_takes_a_good_one(
    gunicorn: str, wrong: dict[str, str], status: int
) -> None:
    path = "/socket.io/?EIO=4&transport=websocket"
    http = HTTPConnection(gunicorn.removeprefix("http://"), timeout=patient(10.0))
    try:
        http.request("GET", path, headers={**HANDSHAKE, **wrong})
        connected, refused = http.sock, http.getresponse()
        assert refused.status == status
        assert (refused.headers["Upgrade"] == "websocket") is (status == 426)
        assert (refused.headers["Sec-WebSocket-Version"] == "13") is (status == 426)
        assert refused.read()
        http.request("GET", path, headers=HANDSHAKE)
        assert http.sock is connected
        assert http.getresponse().status == 101
    finally:
        http.close()


def test_a_websocket_that_breaks_the_protocol_is_ended_at_once(gunicorn: str) -> None:
    """Not by a timer: that is 5 s; and by a FIN."""
    ws = RawWebSocket(int(gunicorn.rpartition(":")[2]))
    try:
        ws.send_frame("text", b"compressed?", rsv=0x40)
        assert ws.close_code() == 1002
        ws.sock.settimeout(patient(3.0))
        assert list(ws.frames()) == []
        assert not ws.was_reset
    finally:
        ws.close()
