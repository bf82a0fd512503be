"""What a user may have, at real servers, over both transports: by its token, wherever it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import jwt
import pytest
import requests

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.slow_api import SlowApi
from tests.support.tokens import SECRET, make_token

pytestmark = pytest.mark.live

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])
STREAMS, STARTS, CONNECTIONS = 2, 5, 3

Visitor = Callable[..., RecordingClient]


@pytest.fixture(scope="module")
def api() -> Iterator[SlowApi]:
    one = SlowApi()
    yield one
    one.close()


@pytest.fixture(scope="module")
def guarded(start_server: StartServer, api: SlowApi) -> RunningServer:
    env = {"TEXTSTREAM_AUTH_KEYS": SECRET, "PYTHONPATH": str(RANKED_LOCKS), **api.env}
    return start_server(
        *("--trusted-proxies", "127.0.0.0/8", "--grace", "0.3", "--openai-slots", "1"),
        *("--connections-per-principal", str(CONNECTIONS)),
        *("--streams-per-principal", str(STREAMS)),
        *("--starts-per-principal", f"{STARTS}/minute"),
        *("--source-waiting-per-principal", "1"),
        env=env,
    )


@pytest.fixture
def visitor(guarded: RunningServer, sio: Connect, request: pytest.FixtureRequest) -> Visitor:
    """Connect as somebody, of this test, from an address."""

    def connect(
        name: str, address: str = "203.0.113.7", transport: str = "websocket", **claims: Any
    ) -> RecordingClient:
        token = make_token(f"{name} of {request.node.name}"[:128], **claims)
        headers = {"X-Forwarded-For": address}
        return sio(guarded, (transport,), headers=headers, auth={"token": token})

    return connect


def start(client: RecordingClient, **more: Any) -> dict[str, Any]:
    payload = {"text": "x" * 1000, "rate": 1, "format": "chunk", **more}
    answer: dict[str, Any] = client.call("start_stream", payload)
    return answer


def ask(client: RecordingClient, prompt: str) -> dict[str, Any]:
    payload = {"source": "openai", "prompt": prompt, "format": "chunk"}
    answer: dict[str, Any] = client.call("start_stream", payload)
    return answer


@BOTH
def test_a_user_runs_so_many_streams_on_all_its_addresses(visitor: Visitor, transport: str) -> None:
    here = visitor("alice", "203.0.113.7", transport)
    there = visitor("alice", "198.51.100.7", transport)
    running = [start(one) for one in (here, there)]
    refused = start(here)["error"]
    assert refused.pop("message").startswith("You run 2 streams, as many as you may")
    assert refused == {
        "code": "too_many_streams",
        "retryable": True,
        "retry_after": 5.0,
        "scope": "you",
    }
    told = here.wait_for_event("stream_error").data
    assert (told["code"], told["scope"]) == ("too_many_streams", "you")
    assert start(visitor("bob", "203.0.113.7", transport))["ok"], "of the same address"
    there.call("stop_stream", {"id": running[1]["stream"]["id"]})
    assert start(here)["ok"]


def test_those_of_a_connection_that_has_gone_count_until_they_have_ended(visitor: Visitor) -> None:
    gone = visitor("alice")
    for _ in range(STREAMS):
        assert start(gone)["ok"]
    gone.close()
    client = visitor("alice", "198.51.100.7", quota={"starts": "0"})
    answers = (start(client) for _ in range(10_000))
    refused = next(answers)
    assert refused["error"]["scope"] == "you"
    assert any(answer["ok"] for answer in answers), "their time of grace has passed"


@BOTH
def test_who_starts_too_often_is_told_when_to_come_again(visitor: Visitor, transport: str) -> None:
    client = visitor("alice", transport=transport)
    for _ in range(STARTS):
        assert client.call("start_stream", {"text": "x", "rate": 0, "format": "chunk"})["ok"]
    error = visitor("alice", "198.51.100.7").call("start_stream", {"text": "x"})["error"]
    assert (error["code"], error["scope"]) == ("rate_limited", "you")
    assert 0 < error["retry_after"] <= 60


def test_a_claim_gives_one_user_more_and_another_less(visitor: Visitor) -> None:
    less = visitor("alice", quota={"streams": 1})
    assert start(less)["ok"]
    assert start(less)["error"]["scope"] == "you"
    more = visitor("bob", quota={"streams": 4, "starts": "100/minute"})
    assert all(start(more)["ok"] for _ in range(4))
    assert start(more)["error"]["scope"] == "you"
    newer = make_token(quota={"streams": 5}, sub=_name(more))
    assert more.call("authenticate", {"token": newer})["ok"]
    assert start(more)["ok"]


def _name(client: RecordingClient) -> str:
    token = client.client.connection_auth["token"]
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


def knock(server: RunningServer, token: str, address: str = "203.0.113.7") -> str:
    """Connect by hand; return the packet that answers it."""
    base = f"{server.url}/socket.io/?EIO=4&transport=polling"
    with requests.Session() as http:
        opened = http.get(base, headers={"X-Forwarded-For": address}, timeout=20)
        url = f"{base}&sid={json.loads(opened.text[1:])['sid']}"
        http.post(url, data=f"40{json.dumps({'token': token})}", timeout=20)
        packet = http.get(url, timeout=20).text
        http.post(url, data="1", timeout=20)  # it closes
        return packet


@pytest.mark.parametrize("quota", [{"stream": 1}, {"streams": "1"}, {"starts": "often"}, 7])
def test_a_claim_that_makes_no_sense_opens_nothing(guarded: RunningServer, quota: object) -> None:
    packet = knock(guarded, make_token(quota=quota))
    assert packet.startswith("44")
    error = json.loads(packet[2:])["data"]
    assert error["code"] == "unauthorized"
    assert error["message"].startswith("The token's quota")
    assert "often" not in error["message"]


@BOTH
def test_a_connection_too_many_is_refused_at_its_connect(
    guarded: RunningServer, visitor: Visitor, transport: str
) -> None:
    clients = [visitor("alice", f"192.0.2.{n}", transport) for n in range(CONNECTIONS)]
    token = clients[0].client.connection_auth["token"]
    packet = knock(guarded, token, "192.0.2.9")
    assert packet.startswith("44")
    error = json.loads(packet[2:])["data"]
    assert error.pop("message").startswith("You have 3 connections, as many as you may")
    assert error == {
        "code": "rate_limited",
        "retryable": True,
        "retry_after": 5.0,
        "scope": "you",
    }
    visitor("bob", "192.0.2.0", transport)
    clients[0].close()
    packets = (knock(guarded, token, f"198.51.100.{n}") for n in range(200))
    assert any(packet.startswith("40") for packet in packets), "its disconnect is under way"


def places(client: RecordingClient) -> list[int]:
    return [event.data["position"] for event in client.named("stream_waiting")]


@BOTH
def test_who_waits_for_a_source_is_told_its_place_and_turns_go_round(
    visitor: Visitor, api: SlowApi, transport: str
) -> None:
    alice, bob = (visitor(name, transport=transport) for name in ("alice", "bob"))
    also_alice = visitor("alice", "198.51.100.7", transport)
    carol = visitor("carol", "198.51.100.7", transport)
    answers = [ask(alice, "first")]
    assert api.next_asked() == "first"
    answers += [ask(also_alice, "second"), ask(bob, "third"), ask(carol, "fourth")]
    assert [answer.get("position") for answer in answers] == [None, 1, 1, 2]
    also_alice.wait_for(lambda _: places(also_alice)[-1:] == [3])  # those who have none come first
    refused = ask(alice, "fifth")["error"]
    assert (refused["code"], refused["position"]) == ("too_many_streams", 4)
    viewer = visitor("carol", transport=transport)
    looked = viewer.call("resume_stream", {"id": answers[3]["stream"]["id"], "offset": 0})
    assert looked["position"] == viewer.wait_for_event("stream_waiting").data["position"] == 2
    for before, after in pairwise(["first", "third", "fourth", "second"]):
        api.finish(before)
        assert api.next_asked() == after
    api.finish("second")
    for client, text in ((also_alice, "SECOND"), (bob, "THIRD"), (carol, "FOURTH")):
        client.wait_for_event("stream_end")
        assert "".join(event.data["text"] for event in client.named("stream_chunk")) == text
    assert places(also_alice)[0] == 1
    assert places(alice) == []
