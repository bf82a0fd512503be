"""Who comes in through a proxy, and under gunicorn, where nobody knows what is listened on."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import socketio.exceptions

from tests.conftest import Connect, StartServer
from tests.live.by_hand import ROUTES, TOKEN, refusal, shake_hands, streams
from tests.live.conftest import StartGunicorn
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])

RECIPES: dict[str, dict[str, str]] = {
    "nginx": {"Host": "stream.example.org", "X-Forwarded-For": "203.0.113.7"},
    "caddy": {
        "Host": "stream.example.org",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "stream.example.org",
    },
    "nginx on another port": {"Host": "stream.example.org:8443", "X-Forwarded-For": "203.0.113.7"},
    "nginx without the Host": {"X-Forwarded-For": "203.0.113.7"},
}


@BOTH
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_proxy_that_is_trusted_lets_in_whom_it_will(
    trusting: RunningServer, sio: Connect, recipe: str, transport: str
) -> None:
    with ReverseProxy(trusting.address, headers=RECIPES[recipe]) as proxy:
        assert streams(sio(proxy.url, (transport,)))
        assert requests.get(f"{proxy.url}/api/sources", timeout=20).ok
    assert "TEXTSTREAM_TRUSTED_PROXIES may use this server" in trusting.log_text()


@pytest.fixture(scope="module")
def trusting(start_server: StartServer) -> RunningServer:
    return start_server("--trusted-proxies", "127.0.0.1")


@BOTH
@pytest.mark.parametrize("recipe", [*RECIPES, "nothing but the Host"])
def test_who_comes_through_another_has_to_show_a_token(
    server: RunningServer, recipe: str, transport: str
) -> None:
    headers = RECIPES.get(recipe, {"Host": "stream.example.org"})
    sent = {name: value for name, value in headers.items() if name != "Host"}
    error = refusal(server, transport, {"token": "whatever"}, headers.get("Host"), **sent)
    assert error["code"] == "unauthorized"
    assert "TEXTSTREAM_TRUSTED_PROXIES" in error["message"]
    with ReverseProxy(server.address, headers=headers) as proxy:
        answer = requests.get(f"{proxy.url}/api/sources", timeout=20)
        assert answer.status_code == 401
        assert "TEXTSTREAM_TOKEN" in answer.json()["message"]
        for path in ("/", "/app/", "/healthz"):
            assert requests.get(proxy.url + path, timeout=20).ok


# Under gunicorn, which says nothing of where it listens.


@BOTH
def test_under_gunicorn_each_connection_says_where_it_comes_from(
    start_gunicorn: StartGunicorn, sio: Connect, transport: str
) -> None:
    server: Any = start_gunicorn(0)
    assert streams(sio(server.url, (transport,)))
    error = refusal(server, transport, None, **{"X-Forwarded-For": "203.0.113.7"})
    for cure in ("TOKEN", "AUTH_KEYS", "OPEN=true"):
        assert f"TEXTSTREAM_{cure}" in error["message"]
    port = server.address[1]
    for path in ROUTES:
        evil = {"Host": f"evil.example:{port}"}
        assert requests.get(server.url + path, headers=evil, timeout=20).status_code == 421, path
    assert shake_hands(server, f"evil.example:{port}") == "421"


@pytest.mark.parametrize(
    ("env", "auth"),
    [({"TEXTSTREAM_TOKEN": TOKEN}, {"token": TOKEN}), ({"TEXTSTREAM_OPEN": "true"}, None)],
)
def test_under_gunicorn_settings_let_others_in(
    start_gunicorn: StartGunicorn, sio: Connect, env: dict[str, str], auth: dict[str, str] | None
) -> None:
    server = start_gunicorn(0, **env)
    for headers in ({}, {"X-Forwarded-For": "203.0.113.7", "Host": "stream.example.org"}):
        with ReverseProxy(server.address, headers=headers) as proxy:
            assert streams(sio(proxy.url, ("polling",), auth=auth))
    if auth:
        with pytest.raises(socketio.exceptions.ConnectionError):
            sio(server.url)
