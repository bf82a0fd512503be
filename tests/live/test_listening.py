"""Who comes in by where the server listens, and by the name that it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.live.by_hand import POLLS, ROUTES, TOKEN, refusal, shake_hands, streams
from tests.support.leaks import LeakGuard
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])

# The name that is asked for.


def test_a_name_that_is_not_the_servers_is_refused_everywhere(server: RunningServer) -> None:
    port = server.address[1]
    for host in (f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "evil.example:5002"):
        for path in ROUTES:
            answer = requests.get(server.url + path, headers={"Host": host}, timeout=20)
            assert answer.status_code == 421, (host, path)
            assert answer.json()["code"] == "forbidden"
            assert host in answer.json()["message"]
            assert "TEXTSTREAM_HOSTS" in answer.json()["message"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/socket.io/", "//socket.io/"):
            assert shake_hands(server, host, path) == "421", host
    for host in (f"localhost:{port}", f"app.localhost:{port}", f"127.0.0.2:{port}"):
        assert requests.get(server.url, headers={"Host": host}, timeout=20).ok, host
        assert shake_hands(server, host) == "101", host


def test_no_session_comes_of_it(start_server: StartServer) -> None:
    server = start_server("--connections-per-address", "1")
    evil = {"Host": f"evil.example:{server.address[1]}"}
    url = f"{server.url}{POLLS}"
    for _ in range(5):
        assert requests.get(url, headers=evil, timeout=20).status_code == 421
        assert shake_hands(server, evil["Host"]) == "421"
    assert requests.post(f"{url}&sid=x", headers=evil, timeout=20).status_code == 421
    assert requests.options(url, headers=evil, timeout=20).status_code == 421
    assert requests.get(url, timeout=20).status_code == 200, "the one place is free"
    refused = [line for line in server.log_text().splitlines() if "evil.example" in line]
    assert len(refused) == 1, "one line a minute"
    assert "code=forbidden" in refused[0]
    assert server.stop() == 0


def test_a_person_who_meets_it_reads_a_sentence(server: RunningServer) -> None:
    headers = {"Host": "den.example:5002", "Accept": "text/html,*/*"}
    answer = requests.get(server.url, headers=headers, timeout=20)
    assert answer.status_code == 421
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "(--hosts)" in answer.text


@BOTH
def test_names_that_the_settings_have_are_the_servers(
    start_server: StartServer, sio: Connect, transport: str
) -> None:
    server = start_server(env={"TEXTSTREAM_HOSTS": "Den.example, box.internal"})
    named = ("den.example", "BOX.internal:8443", f"box.internal:{server.address[1]}")
    for host in named:
        headers = {"Host": host}
        assert requests.get(f"{server.url}/api/sources", headers=headers, timeout=20).ok, host
        assert shake_hands(server, host) == "101"
        with ReverseProxy(server.address, headers=headers) as proxy:
            assert streams(sio(proxy.url, (transport,)))
    assert shake_hands(server, "other.internal:8443") == "421"
    assert server.stop() == 0


# Beyond loopback.


@pytest.fixture(scope="module", params=["text", "json"])
def beyond(
    request: pytest.FixtureRequest, leak_guard: LeakGuard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, str]]:
    """A server on all addresses, and what it has printed; its log must not have the token."""
    path = tmp_path_factory.mktemp("beyond") / "stdout"
    flags = ("--host", "0.0.0.0", "--log-format", request.param, "--log-level", "debug")
    env = {"PYTHONPATH": str(RANKED_LOCKS)}
    with path.open("wb") as stdout:
        server = RunningServer(*flags, env=env, leak_guard=leak_guard, stdout=stdout)
    server.url = server.url.replace("0.0.0.0", "127.0.0.1")
    printed = path.read_text()
    yield server, printed
    assert server.stop() == 0
    log = server.log_text()
    assert token_of(printed) not in log
    assert "traceback" not in log.lower()
    assert path.read_text() == printed, "once"


def token_of(printed: str) -> str:
    found = re.search(r"#token=(\S+)", printed)
    assert found, printed
    return found[1]


def test_one_link_is_printed_that_a_browser_can_open(beyond: tuple[RunningServer, str]) -> None:
    server, printed = beyond
    links = re.findall(r"(http://\S+)#token=(\S+)", printed)
    assert links[-1][0] == f"{server.url}/app/"
    assert len({token for _, token in links}) == 1
    for link, _ in links:
        assert requests.get(link, timeout=20).ok, link


@BOTH
def test_with_its_token_all_works(
    beyond: tuple[RunningServer, str], sio: Connect, transport: str
) -> None:
    server, printed = beyond
    token = token_of(printed)
    client = sio(server, (transport,), auth={"token": token})
    assert streams(client)
    assert set(client.told) == {"sid"}, "it does not expire"
    bearer = {"Authorization": f"Bearer {token}"}
    assert streams(sio(server, (transport,), headers=bearer))
    assert requests.get(f"{server.url}/api/sources", headers=bearer, timeout=20).json()["sources"]


@BOTH
@pytest.mark.parametrize("host", [None, "evil.example:5002"])
def test_without_it_nothing_does(
    beyond: tuple[RunningServer, str], transport: str, host: str | None
) -> None:
    server, printed = beyond
    for auth in (
        None,
        {},
        {"token": ""},
        {"token": token_of(printed)[:-1]},
        {"client_key": "k" * 32},
    ):
        error = refusal(server, transport, auth, host)
        assert error["code"] == "unauthorized"
        assert "token" in error["message"]
        assert error["retryable"] is False
    named = {"Host": host} if host else {}
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = requests.get(f"{server.url}/api/sources", headers=named | headers, timeout=20)
        assert answer.status_code == 401
    for path in ("/", "/app/", "/healthz", "/api/connection"):
        assert requests.get(server.url + path, headers=named, timeout=20).ok, path
    query = f"{server.url}/api/sources?token={token_of(printed)}"
    assert requests.get(query, headers=named, timeout=20).status_code == 401


def test_a_token_that_is_given_survives_a_restart_and_is_not_printed(
    leak_guard: LeakGuard, sio: Connect, tmp_path: Path
) -> None:
    for host in ("0.0.0.0", "127.0.0.1"):
        path = tmp_path / host
        env = {"TEXTSTREAM_TOKEN": TOKEN}
        with path.open("wb") as stdout:
            server = RunningServer("--host", host, env=env, leak_guard=leak_guard, stdout=stdout)
        server.url = server.url.replace("0.0.0.0", "127.0.0.1")
        try:
            assert streams(sio(server, auth={"token": TOKEN}))
            for auth in (None, {"token": "another-token-than-that"}):
                assert refusal(server, "polling", auth)["code"] == "unauthorized"
        finally:
            assert server.stop() == 0
        assert path.read_text() == ""
        assert TOKEN not in server.log_text()
        assert "everybody is asked for the token" in server.log_text()


@BOTH
def test_open_is_for_who_means_it(leak_guard: LeakGuard, sio: Connect, transport: str) -> None:
    server = RunningServer("--host", "0.0.0.0", "--open", leak_guard=leak_guard)
    server.url = server.url.replace("0.0.0.0", "127.0.0.1")
    try:
        assert streams(sio(server, (transport,)))
        assert streams(sio(server, (transport,), headers={"X-Forwarded-For": "203.0.113.7"}))
    finally:
        assert server.stop() == 0
    assert re.search(r"WARNING open: .*TEXTSTREAM_OPEN", server.log_text())
