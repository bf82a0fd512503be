"""An operator's own callable, and a cookie."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import socketio.exceptions
import websocket

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.support.running_server import RunningServer
from tests.support.tokens import SECRET, make_token

pytestmark = pytest.mark.live

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])

ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def go_on(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """When this file is there, the callable goes on."""
    return tmp_path_factory.mktemp("authorize") / "go on"


@pytest.fixture(scope="module")
def asking(start_server: StartServer, go_on: Path) -> Iterator[RunningServer]:
    env = {
        "TEXTSTREAM_AUTHORIZE": "tests.live.known_by_key:authorize",
        "TEXTSTREAM_TRUSTED_PROXIES": "127.0.0.1",
        "GO_ON": str(go_on),
        "PYTHONPATH": str(RANKED_LOCKS),
    }
    server = start_server("--log-format", "json", env=env)
    yield server
    go_on.touch()
    assert server.stop() == 0
    assert "hunter2" not in server.log_text()


@BOTH
def test_who_is_known_is_in(asking: RunningServer, sio: Connect, transport: str) -> None:
    alice, bob = (
        sio(asking, (transport,), auth={"token": f"key-of-{name}"}) for name in ("alice", "bob")
    )
    by_proxy = sio(asking, (transport,), headers={"X-Forwarded-User": "alice"})
    stop = {"id": alice.call("start_stream", {"text": "x" * 500})["stream"]["id"]}
    assert bob.call("stop_stream", stop)["error"]["code"] == "forbidden"
    assert by_proxy.call("stop_stream", stop)["ok"]
    assert set(alice.told) == {"sid"}
    assert alice.call("authenticate", {"token": "key-of-alice"}) == {"ok": True}
    assert alice.call("authenticate", {"token": "key-of-bob"})["error"]["code"] == "forbidden"
    assert alice.call("authenticate", {"token": "boom"})["error"]["reason"] == "unavailable"


@BOTH
def test_who_is_not_known_is_not(asking: RunningServer, sio: Connect, transport: str) -> None:
    for auth in (None, {"token": "key-of-nobody"}, {"token": "boom"}):
        with pytest.raises(socketio.exceptions.ConnectionError):
            sio(asking, (transport,), auth=auth)


def test_the_api_asks_it_too(asking: RunningServer) -> None:
    url = f"{asking.url}/api/sources"

    def status(token: str) -> int:
        return requests.get(
            url, headers={"Authorization": f"Bearer {token}"}, timeout=20
        ).status_code

    assert [status(token) for token in ("key-of-alice", "key-of-nobody", "boom")] == [200, 401, 401]


def test_what_it_raises_is_one_line(asking: RunningServer) -> None:
    for _ in range(5):
        requests.get(
            f"{asking.url}/api/sources", headers={"Authorization": "Bearer boom"}, timeout=20
        )
    lines = [line for line in asking.log_text().splitlines() if "authorize has failed" in line]
    assert len(lines) == 1
    assert "ValueError" in json.loads(lines[0])["message"]


def test_nobody_waits_for_it_but_who_is_asked_for(
    asking: RunningServer, sio: Connect, go_on: Path
) -> None:
    beside = sio(asking, auth={"token": "key-of-alice"})
    connected = threading.Event()

    def connect() -> None:
        sio(asking, auth={"token": "wait"})
        connected.set()

    thread = threading.Thread(target=connect)
    thread.start()
    beside.call("start_stream", {"text": "y" * 100, "rate": 400})
    beside.wait_for_event("stream_end")
    sio(asking, auth={"token": "key-of-bob"})
    assert not connected.is_set()
    go_on.touch()
    thread.join()
    assert connected.is_set()


def test_guesses_are_limited_and_then_it_is_not_asked(asking: RunningServer) -> None:
    def ask(token: str, address: str = "198.51.100.9") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        return requests.get(f"{asking.url}/api/sources", headers=headers, timeout=20)

    assert [ask(f"guess {n}").status_code for n in range(12)] == [401] * 10 + [429] * 2
    locked = ask("key-of-alice")
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 60
    assert ask("key-of-alice", "198.51.100.10").status_code == 200


@pytest.fixture(scope="module")
def with_cookie(start_server: StartServer) -> RunningServer:
    env = {
        "TEXTSTREAM_AUTH_KEYS": SECRET,
        "TEXTSTREAM_AUTH_COOKIE": "session",
        "TEXTSTREAM_CORS_ORIGINS": ORIGIN,
    }
    return start_server(env=env)


def connects(server: RunningServer, transport: str, headers: dict[str, str]) -> bool:
    """Return whether a CONNECT with these headers, and nothing else, is accepted."""
    path = f"/socket.io/?EIO=4&transport={transport}"
    if transport == "polling":
        with requests.Session() as http:
            http.headers.update(headers)
            opened = http.get(server.url + path, timeout=20)
            if opened.status_code != 200:
                return False
            url = f"{server.url}{path}&sid={json.loads(opened.text[1:])['sid']}"
            http.post(url, data="40", timeout=20)
            return http.get(url, timeout=20).text.startswith("40")
    url = server.url.replace("http", "ws") + path
    try:
        handed = websocket.create_connection(url, 20, header=headers, suppress_origin=True)
    except websocket.WebSocketBadStatusException:
        return False
    try:
        handed.recv()
        handed.send("40")
        return str(handed.recv()).startswith("40")
    finally:
        handed.close()


@BOTH
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": ORIGIN}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
    ids=str,
)
def test_a_cookie_is_for_own_pages(
    with_cookie: RunningServer, transport: str, headers: dict[str, str], *, expected: bool
) -> None:
    cookie = f"other=1; session={make_token()}"
    assert connects(with_cookie, transport, {"Cookie": cookie, **headers}) is expected


def test_a_cookie_at_the_api(with_cookie: RunningServer, sio: Connect) -> None:
    def status(**headers: str) -> int:
        sent = {"Cookie": f"session={make_token()}", **headers}
        return requests.get(f"{with_cookie.url}/api/sources", headers=sent, timeout=20).status_code

    assert status() == 200, "a page's own GET names no origin"
    assert status(Origin=ORIGIN) == 200
    assert status(Origin="https://evil.example") == 401
    assert status(Cookie="session=wrong") == 401
    assert sio(with_cookie, auth={"token": make_token()}).call("stop_stream")["ok"]
