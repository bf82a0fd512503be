"""Who comes in, as whom, and until when: over both transports, and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import socketio.exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.support.node import run_script
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from tests.support.tokens import OTHER_SECRET, SECRET, about_to_expire, make_token
from textstream.access.principal import LEEWAY

pytestmark = pytest.mark.live

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])

SLOW = {"text": "x" * 5000, "rate": 20, "format": "chunk"}


@pytest.fixture(scope="module")
def guarded(start_server: StartServer) -> Iterator[RunningServer]:
    """A server that takes tokens, and logs in JSON."""
    env = {
        "TEXTSTREAM_AUTH_KEYS": SECRET,
        "TEXTSTREAM_TRUSTED_PROXIES": "127.0.0.1",
        "PYTHONPATH": str(RANKED_LOCKS),
    }
    server = start_server("--log-format", "json", "--log-level", "debug", env=env)
    yield server
    server.stop()
    log = server.log_text()
    assert "traceback" not in log.lower(), log
    assert SECRET not in log
    assert "eyJ" not in log, "that is how tokens begin"


class Refused:
    """Connects by hand, to read the whole CONNECT_ERROR."""

    def __init__(self, server: RunningServer, auth: object = None, **headers: str) -> None:
        base = f"{server.url}/socket.io/?EIO=4&transport=polling"
        with requests.Session() as http:
            opened = http.get(base, headers=headers, timeout=20)
            url = f"{base}&sid={json.loads(opened.text[1:])['sid']}"
            packet = "40" + (json.dumps(auth) if auth is not None else "")
            http.post(url, data=packet, timeout=20)
            self.packet = http.get(url, timeout=20).text
        assert self.packet.startswith("44"), self.packet
        said = json.loads(self.packet[2:])
        self.error = said["data"]
        assert said["message"] == self.error["message"]
        self.code = self.error["code"]


def test_each_way_to_be_wrong_is_told_with_its_cure(guarded: RunningServer) -> None:
    cases = [
        (None, {}, "auth {token}"),
        ({}, {}, "auth {token}"),
        ({"token": ""}, {}, "auth {token}"),
        ({"client_key": "x" * 32}, {}, "auth {token}"),
        ({"token": 7}, {}, "is a text"),
        ({"token": "x"}, {}, "whoever runs it"),
        ({"token": make_token(secret=OTHER_SECRET)}, {}, "whoever runs it"),
        ({"token": make_token(aud="elsewhere")}, {}, "aud"),
        ({"token": "x" * 9000}, {}, "at most 8192"),
        (None, {"Authorization": "Bearer x"}, "whoever runs it"),
        (None, {"Authorization": f"Basic {make_token()}"}, "auth {token}"),
        (None, {"Cookie": f"token={make_token()}"}, "auth {token}"),
    ]
    for auth, headers, cure in cases:
        refused = Refused(guarded, auth, **headers)
        assert refused.code == "unauthorized", auth
        assert cure in refused.error["message"], refused.error
        assert refused.error["retryable"] is False
    expired = Refused(guarded, {"token": make_token(left=-60)}).error
    assert expired["retryable"] is True
    assert expired["reason"] == "expired"


def test_a_token_in_the_query_opens_nothing(guarded: RunningServer) -> None:
    base = f"{guarded.url}/socket.io/?EIO=4&transport=polling&token={make_token()}"
    with requests.Session() as http:
        url = f"{base}&sid={json.loads(http.get(base, timeout=20).text[1:])['sid']}"
        http.post(url, data="40", timeout=20)
        assert http.get(url, timeout=20).text.startswith("44")
    answer = requests.get(f"{guarded.url}/api/sources?token={make_token()}", timeout=20)
    assert answer.status_code == 401


@BOTH
@pytest.mark.parametrize("way", ["auth", "header"])
def test_with_a_token_one_is_in(
    guarded: RunningServer, sio: Connect, transport: str, way: str
) -> None:
    token = make_token()
    client = (
        sio(guarded, (transport,), auth={"token": token})
        if way == "auth"
        else sio(guarded, (transport,), headers={"Authorization": f"bearer {token}"})
    )
    assert client.call("start_stream", {"text": "abc", "rate": 0})["ok"]
    client.wait_for_event("stream_end")
    assert client.text == "abc"


@BOTH
def test_the_wrong_one_is_not_in(guarded: RunningServer, sio: Connect, transport: str) -> None:
    for auth in (None, {"token": "wrong"}):
        with pytest.raises(socketio.exceptions.ConnectionError):
            sio(guarded, (transport,), auth=auth)


@BOTH
def test_the_answer_to_connect_says_until_when(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    answer = sio(guarded, (transport,), auth={"token": make_token(left=900)}).told
    assert set(answer) == {"sid", "expires"}
    assert 890 < answer["expires"] <= 900


def test_streams_are_the_users_on_each_of_its_connections(
    guarded: RunningServer, sio: Connect
) -> None:
    mine, again, other = (
        sio(guarded, auth={"token": make_token(name)}) for name in ("alice", "alice", "bob")
    )
    root = sio(guarded, auth={"token": make_token("root", scope="admin")})
    ids = [mine.call("start_stream", SLOW)["stream"]["id"] for _ in range(2)]
    stop = {"id": ids[0]}
    assert other.call("stop_stream", stop)["error"]["code"] == "forbidden"
    assert again.call("stop_stream", stop)["ok"]
    assert root.call("stop_stream", {"id": ids[1]})["ok"]


@BOTH
def test_scopes_are_asked_for_on_each_event(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    token = make_token(scope="start:text")
    client = sio(guarded, (transport,), auth={"token": token})
    answer = client.call("start_stream", SLOW)
    assert answer["ok"]
    stream_id = answer["stream"]["id"]
    events = [
        ("start_stream", {"source": "llm", "prompt": "x"}),
        ("resume_stream", {"id": stream_id, "offset": 0}),
        ("stop_stream", {"id": stream_id}),
        ("stop_stream", None),
    ]
    for event, payload in events:
        error = client.call(event, payload)["error"]
        assert error["code"] == "forbidden", (event, error)
        assert "scope" in error["message"]
    # Its own reader is its own.
    for event in ("describe_stream", "pause_stream", "continue_stream", "leave_stream"):
        assert client.call(event, {"id": stream_id})["ok"], event
    assert client.call("describe_stream", {"id": stream_id})["error"]["code"] == "forbidden"
    more = make_token(scope="start:text read control")
    renewed = client.call("authenticate", {"token": more})
    assert renewed["ok"]
    assert 3590 < renewed["expires"] <= 3600
    for event, payload in events[1:3]:
        assert client.call(event, payload)["ok"], event
    less = make_token(scope="read")
    assert client.call("authenticate", {"token": less})["ok"]
    assert client.call("start_stream", SLOW)["error"]["code"] == "forbidden"


@BOTH
def test_another_users_token_does_not_swap(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    client = sio(guarded, (transport,), auth={"token": make_token(scope="start")})
    cases = [
        ({"token": make_token("bob")}, "forbidden"),
        ({"token": make_token("bob", left=-60)}, "unauthorized"),
        ({"token": "wrong"}, "unauthorized"),
        ({"token": ""}, "invalid_request"),
        ({"token": None}, "invalid_request"),
        ({}, "invalid_request"),
        (None, "invalid_request"),
    ]
    for payload, code in cases:
        assert client.call("authenticate", payload)["error"]["code"] == code, payload
    assert client.call("start_stream", SLOW)["ok"], "all stays as it was"


@BOTH
def test_a_token_that_expires_in_mid_stream(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(600))
    first = sio(guarded, (transport,), auth={"token": make_token()})
    answer = first.call("start_stream", {"text": text, "rate": 200})
    assert first.call("authenticate", {"token": about_to_expire()}) == {"ok": True, "expires": 0}
    told = first.wait_for_event("stream_error").data
    assert told["code"] == "unauthorized"
    assert told["reason"] == "expired"
    assert told["retryable"]
    assert "id" not in told
    assert first.call("start_stream", SLOW)["error"]["reason"] == "expired"
    first.wait_for_event("disconnect")
    got = first.text
    assert 0 < len(got) < len(text)
    second = sio(guarded, (transport,), auth={"token": make_token()})
    assert second.call("resume_stream", {"id": answer["stream"]["id"], "offset": len(got)})["ok"]
    end = second.wait_for_event("stream_end").data
    assert got + second.text == text
    assert end["reason"] == "completed"


@BOTH
def test_the_client_library_in_node_goes_on_with_the_next_token(
    guarded: RunningServer, transport: str
) -> None:
    left = patient(1.0)
    seen = run_script("tokens.mjs", guarded.url, transport, SECRET, str(left - LEEWAY))
    assert seen["text"] == seen["chunks"] == "0123456789 字 👩🏽‍🚀 " * 40
    assert (seen["reason"], seen["verified"]) == ("completed", True)
    # 560 units at 200/s take three of them.
    assert seen["resumes"] >= 2
    assert seen["given"] == seen["resumes"] + 1


@BOTH
def test_who_has_a_newer_token_at_hand_stays(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    clients = [sio(guarded, (transport,), auth={"token": make_token()}) for _ in range(3)]
    for client in clients:
        assert client.call("authenticate", {"token": about_to_expire()})["ok"]
    before, after, gone = clients
    assert before.call("authenticate", {"token": make_token()})["ok"]
    after.wait_for_event("stream_error")
    assert after.call("authenticate", {"token": make_token()})["ok"]
    gone.wait_for_event("disconnect")
    for client in (before, after):
        assert client.call("start_stream", {"text": "x", "rate": 0})["ok"]
        assert not client.named("disconnect")
    assert not before.named("stream_error")


def test_the_api_asks_the_same(guarded: RunningServer) -> None:
    url = f"{guarded.url}/api/sources"
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        refused = requests.get(url, headers=headers, timeout=20)
        assert refused.status_code == 401
        assert refused.json()["code"] == "unauthorized"
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert refused.headers["Cache-Control"] == "no-store"
    answer = requests.get(url, headers={"Authorization": f"Bearer {make_token()}"}, timeout=20)
    assert answer.json()["sources"]
    for path in ("/", "/app/", "/healthz", "/api/connection"):
        assert requests.get(guarded.url + path, timeout=20).status_code == 200, path


def test_a_page_may_ask_the_api_with_a_token(guarded: RunningServer) -> None:
    page = {"Origin": "https://page.example"}
    asked = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    url = f"{guarded.url}/api/sources"
    before = requests.options(url, headers=page | asked, timeout=20)
    assert before.status_code == 200
    assert "authorization" in before.headers["Access-Control-Allow-Headers"].lower()
    refused = requests.get(url, headers=page, timeout=20)
    assert refused.headers["Access-Control-Allow-Origin"], "a page can read why"


def test_where_no_tokens_are_taken_all_is_as_ever(server: RunningServer, sio: Connect) -> None:
    for auth in (None, {"token": "whatever"}, {"token": 7}):
        client = sio(server, auth=auth)
        assert client.call("start_stream", {"text": "x", "rate": 0})["ok"]
        assert client.call("authenticate", {"token": "whatever"}) == {"ok": True}
        assert set(client.told) == {"sid"}


def test_wrong_tokens_are_limited_and_the_log_is_not_flooded(
    guarded: RunningServer, sio: Connect
) -> None:
    beside = sio(guarded, auth={"token": make_token()})
    beside.call("start_stream", {"text": "y" * 400, "rate": 400})
    flood = FloodOfTokens(guarded, "198.51.100.7")
    codes = flood.send(2000)
    assert codes.count("unauthorized") == 10
    assert codes.count("rate_limited") == 1990
    assert flood.last["scope"] == "address"
    assert 0 < flood.last["retry_after"] <= 60
    # Who shares the address with them, and has a right one, is let in.
    forwarded = {"X-Forwarded-For": "198.51.100.7"}
    assert sio(guarded, auth={"token": make_token()}, headers=forwarded).call("stop_stream")["ok"]
    lines = [line for line in guarded.log_text().splitlines() if "198.51.100.7" in line]
    assert sorted(json.loads(line)["code"] for line in lines) == ["rate_limited", "unauthorized"]
    assert beside.wait_for_event("stream_end").data["reason"] == "completed"
    assert beside.text == "y" * 400


class FloodOfTokens:
    """Shows wrong tokens on one session after the other, each a different one."""

    def __init__(self, server: RunningServer, address: str) -> None:
        self._base = f"{server.url}/socket.io/?EIO=4&transport=polling"
        self._headers = {"X-Forwarded-For": address}
        self.last: dict[str, Any] = {}

    def send(self, count: int) -> list[str]:
        """Return the codes of the answers."""
        codes: list[str] = []
        wrong = jwt.encode({"sub": "x"}, OTHER_SECRET).rpartition(".")[0]
        with requests.Session() as http:
            http.headers.update(self._headers)
            opened = http.get(self._base, timeout=20).text
            url = f"{self._base}&sid={json.loads(opened[1:])['sid']}"
            while len(codes) < count:
                packets = (f'40{{"token":"{wrong}.{len(codes) + n}"}}' for n in range(100))
                http.post(url, data="\x1e".join(packets), timeout=20)
                got = 0
                while got < 100:
                    packets_back = http.get(url, timeout=20).text.split("\x1e")
                    errors = [json.loads(p[2:])["data"] for p in packets_back if p[:2] == "44"]
                    codes += [error["code"] for error in errors]
                    self.last = errors[-1] if errors else self.last
                    got += len(errors)
        return codes


@BOTH
def test_a_public_key_is_enough(
    start_server: StartServer,
    sio: Connect,
    transport: str,
    tmp_path: Path,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    path = tmp_path / "public.pem"
    path.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    server = start_server("--auth-keys-file", str(path), "--audience", "books")
    claims = {"sub": "alice", "aud": "books", "exp": 4102444800}
    client = sio(server, (transport,), auth={"token": jwt.encode(claims, key, "ES256")})
    assert client.call("stop_stream")["ok"]
    with pytest.raises(socketio.exceptions.ConnectionError):
        sio(server, (transport,), auth={"token": make_token()})
    assert server.stop() == 0
