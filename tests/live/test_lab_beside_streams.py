"""The connection lab on the server that people run: what it must not do to streams."""

from __future__ import annotations

import pytest
import requests
import socketio

from tests.conftest import Connect, StartServer
from tests.live.streams import finish, measured_rate, sha256, start
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live

TEXT = "On time, and each character once. " * 16


def test_a_hundred_requests_hold_up_no_stream(server: RunningServer, sio: Connect) -> None:
    reader = sio(server)
    workers = [
        sio(server, (transport,), "/testnamespace") for transport in ("websocket", "polling")
    ]
    start(reader, {"text": TEXT, "rate": 100})
    reader.wait_for_event("new_char")
    for worker in workers:
        for number in range(100):
            worker.emit("request_for_response", {"param": number})
    for worker in workers:
        worker.wait_for_event("response", count=116)  # 16 begin and end, 84 are refused
        codes = [event.data["code"] for event in worker.named("response")]
        assert (codes.count("200"), codes.count("429")) == (32, 84)
    end = finish(reader)
    assert reader.text == TEXT
    assert end["text_sha256"] == sha256(TEXT)
    assert measured_rate(reader) == pytest.approx(100, rel=0.05)


def test_who_floods_the_lab_holds_up_no_stream(server: RunningServer, sio: Connect) -> None:
    reader = sio(server)
    crowd = [sio(server, namespace="/test") for _ in range(10)]
    start(reader, {"text": TEXT, "rate": 100})
    reader.wait_for_event("new_char")
    for client in crowd:
        for number in range(200):
            client.emit("my_broadcast_event", {"data": number})
        client.emit("my_ping")
    for client in crowd:
        client.wait_for_event("my_pong")
    finish(reader)
    assert reader.text == TEXT
    assert measured_rate(reader) == pytest.approx(100, rel=0.05)


def test_a_large_message_is_answered(server: RunningServer, sio: Connect) -> None:
    client = sio(server, namespace="/test")
    answer = client.call("my_event", {"data": "x" * 3_000_000})
    assert answer["error"]["code"] == "invalid_request"
    assert "only start_stream may be larger" in answer["error"]["message"]
    assert client.call("my_event", {"data": "still here"})["ok"]


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_without_the_lab(start_server: StartServer, sio: Connect, how: str) -> None:
    server = (
        start_server("--no-lab") if how == "flag" else start_server(env={"TEXTSTREAM_LAB": "false"})
    )
    for namespace in ("/test", "/testnamespace"):
        client = socketio.Client(reconnection=False, handle_sigint=False)
        with pytest.raises(socketio.exceptions.ConnectionError, match="namespaces"):
            client.connect(server.url, namespaces=[namespace], transports=["websocket"])
    reader = sio(server)
    start(reader, {"text": TEXT, "rate": 0})
    finish(reader)
    assert reader.text == TEXT
    answer = requests.get(f"{server.url}/lab/", timeout=10)
    assert answer.status_code == 404
    assert "--lab" in answer.text
    assert requests.get(f"{server.url}/api/connection", timeout=10).json()["lab"] is False


def test_how_a_request_arrives(server: RunningServer, start_server: StartServer) -> None:
    own = requests.get(f"{server.url}/api/connection", timeout=10)
    assert own.json()["allowed"] is True
    assert own.json()["origin"] is None
    assert own.json()["host"] == server.url.removeprefix("http://")

    strict = start_server("--cors-origins", "https://a.example")
    for origin, allowed in [
        ("https://a.example", True),
        (strict.url, True),
        ("https://b.example", False),
        ("http://[", False),
        ("null", False),
    ]:
        headers = {"Origin": origin, "X-Forwarded-Proto": "https", "X-Forwarded-For": "x" * 1000}
        answer = requests.get(f"{strict.url}/api/connection", headers=headers, timeout=10)
        seen = answer.json()
        assert (seen["allowed"], seen["origin"]) == (allowed, origin)
        assert seen["forwarded"] == {"for": "x" * 256, "proto": "https", "host": None}
        # Also a page that may do nothing else must learn why.
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        # And the answer is what Socket.IO does.
        handshake = requests.get(
            f"{strict.url}/socket.io/?EIO=4&transport=polling", headers=headers, timeout=10
        )
        assert handshake.status_code == (200 if allowed else 400)
    assert "Traceback" not in strict.log_text()
