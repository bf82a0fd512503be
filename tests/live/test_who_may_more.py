"""What else the table of docs/access.md means: scopes, grants of others, ids of no stream."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.conftest import Connect
from tests.support.running_server import RunningServer
from tests.support.sio_client import TIMEOUT, RecordingClient
from tests.support.tokens import about_to_expire, make_token

pytestmark = pytest.mark.live

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])

SLOW = {"text": "x" * 5000, "rate": 20, "format": "chunk"}

OWN = ("stop_stream", "share_stream", "unshare_stream")
READ = ("resume_stream", "describe_stream")

OK, NO, OVER = "ok", "forbidden", "unauthorized"

TABLE: dict[str, tuple[str, str, str, str]] = {
    # who: start, read by the id, read with a grant, what is the owner's
    "owner": (OK, OK, OK, OK),
    "another": (OK, NO, OK, NO),
    "guest": (NO, NO, OK, NO),
    "reader": (NO, NO, OK, NO),
    "admin": (OK, OK, OK, OK),
}


def outcome(answer: dict[str, Any]) -> str:
    return OK if answer["ok"] else str(answer["error"]["code"])


def shown_by(who: str, grant: str) -> dict[str, str]:
    """Return what somebody shows at CONNECT."""
    makes: dict[str, Callable[[], str]] = {
        "owner": lambda: make_token("alice"),
        "another": lambda: make_token("bob"),
        "reader": lambda: make_token("carol", scope="read"),
        "admin": lambda: make_token("root", scope="admin"),
    }
    return {"grant": grant} if who == "guest" else {"token": makes[who]()}


def started(client: RecordingClient, count: int) -> list[str]:
    return [client.call("start_stream", SLOW)["stream"]["id"] for _ in range(count)]


@BOTH
@pytest.mark.parametrize("who", TABLE)
def test_each_event(guarded: RunningServer, sio: Connect, transport: str, who: str) -> None:
    alice = sio(guarded, (transport,), auth={"token": make_token("alice")})
    ids = started(alice, 3)
    grant = alice.call("share_stream", {"id": ids[0]})["grant"]
    client = sio(guarded, (transport,), auth=shown_by(who, grant))
    start, by_id, by_grant, own = TABLE[who]
    assert outcome(client.call("start_stream", SLOW)) == start
    for event in READ:
        more = {"offset": 0} if event == "resume_stream" else {}
        assert outcome(client.call(event, {"id": ids[1], **more})) == by_id, event
        shown = {"id": ids[0], "grant": grant, **more}
        assert outcome(client.call(event, shown)) == by_grant, event
        assert outcome(client.call(event, {"id": "nowhere", **more})) == "unknown_stream"
    for event in ("pause_stream", "continue_stream", "leave_stream"):
        assert outcome(client.call(event, {"id": ids[0]})) == OK, "its own reading"
    assert outcome(client.call("pause_stream", {"id": ids[2]})) == "unknown_stream"
    for event, stream_id in zip(OWN, ids, strict=True):
        assert outcome(client.call(event, {"id": stream_id})) == own, event


@BOTH
def test_each_event_of_who_has_expired(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    client = sio(guarded, (transport,), auth={"token": make_token("alice")})
    (stream_id,) = started(client, 1)
    assert client.call("authenticate", {"token": about_to_expire("alice")})["ok"]
    client.wait_for_event("stream_error")
    events = ("start_stream", *READ, *OWN, "pause_stream", "leave_stream")
    answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    for event in events:  # all at once: in a second it is closed
        named = {} if event == "start_stream" else {"id": stream_id}
        more = {"offset": 0} if event == "resume_stream" else {}
        client.client.emit(event, named | more, callback=answers.put)
    outcomes = [outcome(answers.get(timeout=TIMEOUT)) for _ in events]
    assert outcomes == [OVER] * len(events)


@pytest.mark.parametrize("who", ["nobody", "wrong", "expired", "user"])
def test_each_route(guarded: RunningServer, who: str) -> None:
    token = {"wrong": "wrong", "expired": make_token(left=-60), "user": make_token()}.get(who)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def status(path: str) -> int:
        return requests.get(guarded.url + path, headers=headers, timeout=20).status_code

    known = who == "user"
    assert status("/api/sources") == (200 if known else 401)
    assert status("/api/nothing") == (404 if known else 401)
    for path in ("/", "/app/", "/healthz", "/api/connection"):
        assert status(path) == 200, path


@BOTH
def test_where_nobody_is_asked(server: RunningServer, sio: Connect, transport: str) -> None:
    alice, bob = (sio(server, (transport,)) for _ in range(2))
    ids = started(alice, 2)
    grant = alice.call("share_stream", {"id": ids[0]})["grant"]
    assert outcome(bob.call("resume_stream", {"id": ids[1], "offset": 0})) == OK
    assert outcome(bob.call("resume_stream", {"id": ids[0], "offset": 0})) == NO
    shown = {"id": ids[0], "offset": 0, "grant": grant}
    assert outcome(bob.call("resume_stream", shown)) == OK
    for event in OWN:
        assert outcome(bob.call(event, {"id": ids[0]})) == NO, event
    assert outcome(alice.call("stop_stream", {"id": ids[0]})) == OK
