"""The operator's API, over real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import socketio.exceptions

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.support.running_server import RunningServer
from tests.support.tokens import SECRET, make_token

pytestmark = pytest.mark.live

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])
SLOW = {"text": "x" * 20_000, "rate": 20}


@pytest.fixture(scope="module")
def guarded(start_server: StartServer) -> Iterator[RunningServer]:
    env = {"TEXTSTREAM_AUTH_KEYS": SECRET, "PYTHONPATH": str(RANKED_LOCKS)}
    server = start_server("--log-format", "json", env=env)
    yield server
    server.stop()
    assert "traceback" not in server.log_text().lower()


class Operator:
    """Asks the API, with a token."""

    def __init__(self, server: RunningServer, token: str | None = None) -> None:
        self._server = server
        shown = make_token("root", scope="admin") if token is None else token
        self._headers = {"Authorization": f"Bearer {shown}"}

    def get(self, path: str) -> requests.Response:
        return requests.get(self._server.url + path, headers=self._headers, timeout=20)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return requests.post(self._server.url + path, json=body, headers=self._headers, timeout=20)


@pytest.mark.parametrize("path", ["streams", "streams/x/stop", "revoke"])
def test_nobody_else_is_answered(guarded: RunningServer, path: str) -> None:
    def ask(token: str) -> requests.Response:
        operator, method = Operator(guarded, token), "get" if path == "streams" else "post"
        answer: requests.Response = getattr(operator, method)(f"/admin/{path}")
        return answer

    for token in (make_token(), make_token(scope="start read control share")):
        answer = ask(token)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    for token in ("", "wrong", make_token(scope="admin", left=-60)):
        answer = ask(token)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["Cache-Control"] == "no-store"


def test_where_nobody_is_known_nobody_is_an_operator(server: RunningServer) -> None:
    answer = requests.get(f"{server.url}/admin/streams", timeout=20)
    assert answer.status_code == 403
    assert "TEXTSTREAM_AUTH_KEYS" in answer.json()["message"]


def test_all_streams_are_listed_with_whose_they_are(guarded: RunningServer, sio: Connect) -> None:
    alice = sio(guarded, auth={"token": make_token("alice of the list")})
    stream = alice.call("start_stream", SLOW)["stream"]["id"]
    listed = Operator(guarded).get("/admin/streams?sub=alice of the list&limit=5").json()
    assert listed["total"] == 1
    (one,) = listed["streams"]
    assert one["id"] == stream
    assert (one["sub"], one["source"], one["readers"]) == ("alice of the list", "text", 1)
    assert one["address"] == "127.0.0.1"
    assert "key" not in one
    assert Operator(guarded).get("/admin/streams?limit=0").status_code == 400
    for wrong in ("x", "00000000199999999", "9" * 5000, "-1", "1.5"):
        refused = Operator(guarded).get(f"/admin/streams?limit={wrong}")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request"), wrong


def test_a_stream_is_stopped_for_everyone(guarded: RunningServer, sio: Connect) -> None:
    alice = sio(guarded, auth={"token": make_token()})
    stream = alice.call("start_stream", SLOW)["stream"]["id"]
    answer = Operator(guarded).post(f"/admin/streams/{stream}/stop")
    assert answer.status_code == 200
    end = alice.wait_for_event("stream_end").data
    assert (end["reason"], end["units"] if "units" in end else end["offset"]) == (
        "stopped",
        answer.json()["offset"],
    )
    unknown = Operator(guarded).post("/admin/streams/none/stop")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_stream")


@BOTH
@pytest.mark.parametrize("what", ["sub", "jti"])
def test_what_is_taken_back_ends_at_once(
    guarded: RunningServer, sio: Connect, transport: str, what: str
) -> None:
    name = f"mallory {transport} {what}"
    old = {"token": make_token(name, iat=time.time() - 5, jti=name)}
    mallory = sio(guarded, (transport,), auth=old)
    beside = sio(guarded, (transport,), auth={"token": make_token()})
    stream = mallory.call("start_stream", SLOW)["stream"]["id"]
    beside.call("start_stream", {"text": "y" * 60, "rate": 60})
    began = time.monotonic()
    answer = Operator(guarded).post("/admin/revoke", {what: name})
    assert answer.json() == {"connections": 1}
    told = mallory.wait_for_event("stream_error").data
    assert time.monotonic() - began < 1.0
    assert told["code"] == "forbidden"
    mallory.wait_for_event("disconnect")
    with pytest.raises(socketio.exceptions.ConnectionError):
        sio(guarded, (transport,), auth=old)
    listed = Operator(guarded).get(f"/admin/streams?sub={name}").json()
    assert [(one["id"], one["reason"]) for one in listed["streams"]] == [(stream, "stopped")]
    new = {"token": make_token(name, iat=time.time() + 5, jti=f"{name} 2")}
    assert sio(guarded, (transport,), auth=new).call("stop_stream")["ok"]
    assert beside.wait_for_event("stream_end").data["reason"] == "completed"
    assert beside.text == "y" * 60


@pytest.mark.parametrize(
    "body",
    [None, {}, [], {"sub": "a", "jti": "b"}, {"sub": ""}, {"sub": 7}, {"sub": "a", "seconds": 0}],
    ids=str,
)
def test_what_makes_no_sense_is_told(guarded: RunningServer, body: Any) -> None:
    answer = Operator(guarded).post("/admin/revoke", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
