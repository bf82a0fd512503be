"""What the lab refuses, and how: bad input, floods, too much work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Connect
from tests.lab.conftest import NEVER, LabServer, StartLab
from tests.lab.responding import wait_for_responses
from tests.support.sio_client import RecordingClient

pytestmark = pytest.mark.live

BAD: list[tuple[str, Any, str]] = [
    ("my_event", None, "invalid_request"),
    ("my_event", "text", "invalid_request"),
    ("my_event", {"dat": 1}, "invalid_request"),
    ("my_event", ({"data": 1}, {"data": 2}), "invalid_request"),
    ("my_event", {"data": "x" * 5000}, "invalid_request"),
    ("my_event", {"data": b"binary"}, "invalid_request"),
    ("my_event", {"data": float("nan")}, "invalid_request"),
    ("my_broadcast_event", {"data": float("inf")}, "invalid_request"),
    ("my_broadcast_event", [], "invalid_request"),
    ("join", {"room": ["a", "b"]}, "invalid_request"),
    ("join", {"room": ""}, "invalid_request"),
    ("join", {"room": "x" * 65}, "invalid_request"),
    ("join", {"room": None}, "invalid_request"),
    ("leave", {"room": {}}, "invalid_request"),
    ("close_room", {"room": "not mine"}, "forbidden"),
    ("close_room", 7, "invalid_request"),
    ("my_room_event", {"room": "a"}, "invalid_request"),
    ("my_room_event", {"data": "a"}, "invalid_request"),
    ("my_room_event", {"room": ["a"], "data": "a"}, "invalid_request"),
    ("message", tuple(range(17)), "invalid_request"),
    ("message", b"binary", "invalid_request"),
    ("json", {"n": float("nan")}, "invalid_request"),
]


def test_bad_input_is_answered(
    test_client: RecordingClient, caplog: pytest.LogCaptureFixture
) -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    bad = [*BAD, ("my_event", {"data": deep}, "invalid_request")]
    for count, (event, payload, code) in enumerate(bad, start=1):
        answer = test_client.call(event, payload)
        assert answer["ok"] is False, (event, ascii(payload)[:80])
        assert answer["error"]["code"] == code, (event, ascii(payload)[:80])
        said = wait_for_responses(test_client, count + 1)[count]
        assert said == {"data": answer["error"]["message"], "count": count, "error": said["error"]}
        assert said["error"] == answer["error"]
    assert test_client.call("my_event", {"data": "still here"}) == {"ok": True}
    assert "Traceback" not in caplog.text


def test_names_that_are_no_events_are_answered(
    lab: LabServer, sio: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    client = sio(lab.url, namespace="/test")
    assert client.call("join", {"room": "a"})["ok"]
    for name in ("no_such_event", "trigger_event", "error", "", "on_join"):
        answer = client.call(name, {"room": "a"})
        assert answer["error"]["code"] == "unknown_event", name
    client.client.eio.send("2/test,[5]")
    assert client.call("my_event", {"data": "still here"}) == {"ok": True}
    # It is still known, and in its room.
    assert client.call("my_room_event", {"room": "a", "data": "to the room"})["ok"]
    assert [said["data"] for said in wait_for_responses(client, 4)[2:]] == [
        "still here",
        "to the room",
    ]
    assert "Traceback" not in caplog.text


def test_one_client_cannot_flood_everybody(lab: LabServer, sio: Connect) -> None:
    loud, quiet = sio(lab.url, namespace="/test"), sio(lab.url, ("polling",), "/test")
    answers = [loud.call("my_broadcast_event", {"data": n}) for n in range(100)]
    refused = [answer["error"] for answer in answers if not answer["ok"]]
    assert {error["code"] for error in refused} == {"rate_limited"}
    assert all(error["retryable"] for error in refused)
    # A hundred took some seconds at most, on whatever machine; each of these allows five.
    assert 10 <= len(answers) - len(refused) < 90
    assert quiet.call("my_broadcast_event", {"data": "mine"})["ok"]
    taken = [n for n, answer in enumerate(answers) if answer["ok"]]
    said = [response["data"] for response in wait_for_responses(quiet, len(taken) + 2)]
    assert said == ["Connected", *taken, "mine"]


def test_who_does_not_fetch_is_not_answered(start_lab: StartLab, sio: Connect) -> None:
    server = start_lab(backlog=0, interval=NEVER)
    client = sio(server.url, ("polling",), "/test")
    namespace = server.parts.socketio.server.namespace_handlers["/test"]
    eio_sid = client.client.eio.sid
    queue = server.parts.socketio.server.eio.sockets[eio_sid].queue
    # What waits cannot be held still from outside: the client fetches it.
    namespace.backlog = lambda _sid: queue.qsize() + 1
    answer = client.call("my_event", {"data": "x"})
    assert answer["error"]["code"] == "rate_limited"
    del namespace.backlog
    client.wait_for(lambda _events: queue.qsize() == 0)
    assert wait_for_responses(client, 1) == [{"data": "Connected", "count": 0}]


def test_each_client_has_so_many_requests_in_work(start_lab: StartLab, sio: Connect) -> None:
    server = start_lab(works=3, work=NEVER)
    client, other = (sio(server.url, namespace="/testnamespace") for _ in range(2))
    answers = [client.call("request_for_response", {"param": n}) for n in range(5)]
    assert [answer["ok"] for answer in answers] == [True, True, True, False, False]
    assert answers[4]["error"]["code"] == "rate_limited"
    client.wait_for_event("response", 5)
    codes = [event.data["code"] for event in client.named("response")]
    assert codes == ["200"] * 3 + ["429"] * 2
    assert other.call("request_for_response", {"param": 1})["ok"]
