"""Bad input is answered with its code, leaves no traceback, and disturbs nobody."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Connect
from tests.live.streams import ended, finish, start
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.timing import patient
from tests.transport.raw import RawWebSocket
from textstream.settings import Settings
from textstream.web.app import create_app

pytestmark = pytest.mark.live

BAD_STARTS: list[tuple[Any, str]] = [
    (5, "invalid_request"),
    (True, "invalid_request"),
    (["a"], "invalid_request"),
    (b"binary", "invalid_request"),
    ({"foo": 1}, "invalid_request"),
    ({"text": 5}, "invalid_request"),
    ({"text": b"binary"}, "invalid_request"),
    ({"text": "a", "prompt": "b"}, "invalid_request"),
    ({"text": "NUL \0"}, "invalid_request"),
    ({"text": "\ud800"}, "invalid_request"),
    ("\udfff", "invalid_request"),
    ({"text": "x" * 500_001}, "invalid_request"),
    ({"prompt": "x" * 32_769, "source": "llm"}, "invalid_request"),
    ({"source": "llm", "prompt": " "}, "invalid_request"),
    ({"source": "llm", "text": "a"}, "invalid_request"),
    ({"source": "nowhere"}, "unknown_source"),
    ({"source": ""}, "invalid_request"),
    ({"rate": float("nan")}, "invalid_request"),
    ({"rate": float("inf")}, "invalid_request"),
    ({"rate": -1}, "invalid_request"),
    ({"rate": 100_001}, "invalid_request"),
    ({"rate": 10**99}, "invalid_request"),
    ({"rate": True}, "invalid_request"),
    ({"rate": "fast"}, "invalid_request"),
    ({"unit": "line"}, "invalid_request"),
    ({"format": "xml"}, "invalid_request"),
    ({"params": []}, "invalid_request"),
    ({"on_disconnect": "stop"}, "invalid_request"),
    ({"params": {"temperature": 1}}, "invalid_request"),
    ({"request_id": "r" * 129}, "invalid_request"),
]

BAD_OTHERS: list[tuple[str, Any, str]] = [
    ("stop_stream", {"id": "nowhere"}, "unknown_stream"),
    ("stop_stream", 5, "invalid_request"),
    ("pause_stream", None, "invalid_request"),
    ("pause_stream", {"id": "nowhere"}, "unknown_stream"),
    ("continue_stream", {"id": 7}, "invalid_request"),
    ("leave_stream", None, "invalid_request"),
    ("leave_stream", {"id": "nowhere"}, "unknown_stream"),
    ("describe_stream", None, "invalid_request"),
    ("describe_stream", {"id": "nowhere"}, "unknown_stream"),
    ("set_rate", {"id": "nowhere"}, "invalid_request"),
    ("set_rate", {"id": "nowhere", "rate": float("nan")}, "invalid_request"),
    ("set_rate", {"id": "nowhere", "rate": 1}, "unknown_stream"),
    ("resume_stream", {"id": "nowhere", "offset": 0}, "unknown_stream"),
    ("resume_stream", {"id": "nowhere", "offset": -1}, "invalid_request"),
    ("resume_stream", {"id": "nowhere", "offset": 2**60}, "invalid_request"),
    ("resume_stream", {"id": "nowhere", "offset": 0.5}, "invalid_request"),
    ("resume_stream", {"id": "n" * 5000, "offset": 0}, "invalid_request"),
]


@pytest.fixture
def bystander(server: RunningServer, sio: Connect) -> Iterator[RecordingClient]:
    """Somebody else's stream, which must not mind what the test does."""
    client = sio(server)
    stream = start(client, {"text": "ab" * 5000, "rate": 50})
    client.wait_for_event("new_char")
    yield client
    assert not ended(client.events)
    assert client.call("set_rate", {"id": stream["id"], "rate": 0})["ok"]
    assert finish(client)["reason"] == "completed"
    assert client.text == "ab" * 5000


@pytest.mark.usefixtures("bystander")
def test_bad_starts(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    for count, (payload, code) in enumerate(BAD_STARTS, start=1):
        answer = client.call("start_stream", payload)
        assert answer["ok"] is False, ascii(payload)[:80]
        assert answer["error"]["code"] == code, ascii(payload)[:80]
        assert answer["error"]["message"], ascii(payload)[:80]
        # A plain client, which asks for no answer, learns of it too.
        assert client.wait_for_event("stream_error", count=count).data == answer["error"]


@pytest.mark.usefixtures("bystander")
def test_other_bad_events(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    for event, payload, code in BAD_OTHERS:
        answer = client.call(event, payload)
        assert answer["error"]["code"] == code, (event, ascii(payload)[:80])


def test_an_event_that_there_is_none_of(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    for name in ("start_streams", "x" * 1000, "trigger_event", "*", "\x1b[2J"):
        answer = client.call(name, {"text": "a"})
        assert (answer["ok"], answer["error"]["code"]) == (False, "unknown_event"), ascii(name)
        assert "start_stream," in answer["error"]["message"], "it names the cure"
        assert answer["error"]["message"].isprintable()
        assert len(answer["error"]["message"]) < 300
    assert client.call("start_stream", {"text": "a", "rate": 0})["ok"]
    assert not client.named("stream_error")


def test_an_offset_behind_the_text(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    stream = start(client, {"text": "12345", "rate": 0})
    finish(client)
    answer = client.call("resume_stream", {"id": stream["id"], "offset": 6})
    assert answer["error"]["code"] == "invalid_request"
    assert client.call("resume_stream", {"id": stream["id"], "offset": 5})["ok"]


def test_too_many_arguments(server: RunningServer, sio: Connect) -> None:
    answer = sio(server).call("start_stream", ("one", "two"))
    assert answer["error"]["code"] == "invalid_request"


FLOODS = {
    "keys": "{" + ",".join(f'"{n:x}":1' for n in range(6_000)) + "}",
    "long keys": "{" + ",".join(f'"{n:0100}":1' for n in range(20)) + "}",
    "keys within": '{"params":{"a":{' + ",".join(f'"{n:x}":1' for n in range(6_000)) + "}}}",
    "items": '{"params":{"stop":[' + "1," * 30_000 + "1]}}",
    "a list for an id": '{"id":[' + "[]," * 20_000 + "[]]}",
    "depth": '{"params":' + '{"a":[' * 200 + "]}" * 200 + "}",
    "no end of depth": '{"params":' + "[" * 30_000 + "]" * 30_000 + "}",
    "digits": '{"rate":' + "9" * 60_000 + "}",
}
EVENTS = [
    "start_stream", "resume_stream", "set_rate", "stop_stream", "pause_stream",
    "continue_stream", "leave_stream", "describe_stream",
]  # fmt: skip


@pytest.mark.usefixtures("bystander")
def test_a_payload_of_too_much(server: RunningServer) -> None:
    before = server.log_text()
    client = RawWebSocket(server.address[1])
    messages = client.messages()
    client.send("40")
    try:
        for number, (event, flood) in enumerate(itertools.product(EVENTS, FLOODS)):
            client.send(f'42{number}["{event}",{FLOODS[flood]}]')
            told = next(m for m in messages if m.startswith(f"43{number}["))
            error = json.loads(told[len(f"43{number}") :])[0]["error"]
            assert error["code"] == "invalid_request", (event, flood)
            assert len(error["message"]) <= 300, (event, flood)
    finally:
        client.close()
    assert "malformed" not in server.log_text().removeprefix(before)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_start_of_a_hundred_thousand_keys(
    server: RunningServer, sio: Connect, transport: str
) -> None:
    client = sio(server, (transport,))
    for payload in (dict.fromkeys(map(str, range(100_000)), 1), {"params": [0] * 500_000}):
        answer = client.call("start_stream", payload)
        assert answer["error"]["code"] == "invalid_request"
        assert "may have 512 JSON strings" in answer["error"]["message"]
    start(client, {"text": "still here", "rate": 0})
    finish(client)
    assert client.text == "still here"


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_ten_megabyte_prompt(server: RunningServer, sio: Connect, transport: str) -> None:
    client = sio(server, (transport,))
    answer = client.call("start_stream", "x" * 10_000_000)
    assert answer["error"]["code"] == "invalid_request"
    assert "TEXTSTREAM_MAX_MESSAGE_BYTES" in answer["error"]["message"]
    # The connection lives, and so would its streams.
    start(client, {"text": "still here", "rate": 0})
    finish(client)
    assert client.text == "still here"


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_many_starts_in_a_row(server: RunningServer, sio: Connect, transport: str) -> None:
    count = 2000
    client = sio(server, (transport,))
    for number in range(count):
        client.emit("start_stream", {"text": f"stream {number}", "rate": 0})
    client.wait_for_event("stream_start", count=count, timeout=patient(60))
    client.wait_for_event("stream_end", count=count, timeout=patient(60))
    assert client.text.endswith(f"stream {count - 1}")
    assert not client.named("stream_error")


def test_more_streams_than_a_connection_may_run(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    payload = {"text": "x" * 1000, "rate": 1, "format": "chunk"}
    answers = [client.call("start_stream", payload) for _ in range(20)]
    assert [answer["ok"] for answer in answers] == [True] * 16 + [False] * 4
    assert answers[-1]["error"]["code"] == "too_many_streams"
    assert answers[-1]["error"]["retryable"] is True
    assert len(client.call("stop_stream")["stopped"]) == 16
    assert client.call("start_stream", payload)["ok"]
    assert client.call("stop_stream")["ok"]


def test_a_post_for_a_session_that_timed_out_is_refused_without_a_traceback() -> None:
    """Engine.IO's monitor removes such a session only later, and raises until then."""
    app = create_app(Settings())
    server = app.extensions["textstream"]
    client = app.test_client()
    url = "/socket.io/?EIO=4&transport=polling"
    try:
        sid = json.loads(client.get(url).text[1:])["sid"]
        assert client.post(f"{url}&sid={sid}", data="40").status_code == 200
        server.socketio.server.eio.sockets[sid].closed = True
        answer = client.post(f"{url}&sid={sid}", data="41")
        assert answer.status_code == 400
    finally:
        server.close()


def _status(server: RunningServer, request: str) -> str:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=patient(10)) as sock:
        sock.sendall(request.encode())
        return sock.makefile("rb").readline().decode().split(" ")[1]


@pytest.mark.parametrize("target", ["http://[/", "http://[::x]/healthz"])
def test_a_request_target_that_is_no_url(server: RunningServer, target: str) -> None:
    logged = len(server.log_text())
    assert _status(server, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n") == "400"
    assert _status(server, "GET / HTTP/x\r\n\r\n") == "400"
    said = server.log_text()[logged:].splitlines()
    # Streams that other tests have stopped may end meanwhile.
    said = [line for line in said if '"logger": "textstream.streams"' not in line]
    assert said == [], "a client's mistake is none of the server's"


@pytest.mark.parametrize("target", ["/healthz", "http://x/healthz"])
def test_two_hosts(server: RunningServer, target: str) -> None:
    head = f"GET {target} HTTP/1.1\r\nHost: x\r\n"
    assert _status(server, f"{head}\r\n") == "200"
    assert _status(server, f"{head}Host: y\r\n\r\n") == "400"
    assert _status(server, f"{head}host: x\r\n\r\n") == "400"


def test_half_an_upgrade(server: RunningServer) -> None:
    path = "/socket.io/?EIO=4&transport=websocket"
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    assert _status(server, f"{head}\r\n") == "400"
    assert _status(server, f"{head}Connection: keep-alive\r\n\r\n") == "400"


def test_more_attachments_than_an_event_may_have(server: RunningServer) -> None:
    ws = RawWebSocket(int(server.url.rpartition(":")[2]))
    try:
        ws.send("40")
        ws.send('459999999999-1["start_stream",{"_placeholder":true,"num":0}]')
        assert ws.close_code() == 1008, "what follows would be taken for attachments, and kept"
    finally:
        ws.close()
