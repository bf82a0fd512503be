"""Which pages may use a server that names origins: however the headers spell them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.conftest import StartServer
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live

POLLS = "/socket.io/?EIO=4&transport=polling"
NAMED = "https://Partner.example.org:443/, http://bücher.example, http://[::1]:8080"


@pytest.fixture(scope="module")
def strict(start_server: StartServer) -> Iterator[RunningServer]:
    """A server that names origins as a person spells them."""
    server = start_server("--cors-origins", NAMED, "--hosts", "stream.example.org,[::2]")
    yield server
    assert server.stop() == 0


def ask(server: RunningServer, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{server.url}{path}", headers=headers, timeout=10)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://stream.example.org", "stream.example.org"),
        ("https://stream.example.org", "stream.example.org:443"),
        ("http://stream.example.org", "stream.example.org:80"),
        ("https://stream.example.org", "Stream.Example.org"),
        ("https://stream.example.org", "stream.example.org."),
        ("http://[::2]:5002", "[0:0:0:0:0:0:0:2]:5002"),
        ("https://partner.example.org", "stream.example.org"),
        ("https://partner.example.org:443", "stream.example.org"),
        ("http://xn--bcher-kva.example", "stream.example.org"),
        ("http://[::1]:8080", "stream.example.org"),
    ],
)
def test_what_is_allowed_is_so_everywhere(strict: RunningServer, origin: str, host: str) -> None:
    for path in (POLLS, "/healthz", "/api/sources", "/nowhere"):
        answer = ask(strict, path, Origin=origin, Host=host)
        assert answer.status_code == (404 if path == "/nowhere" else 200), path
        assert answer.headers["Access-Control-Allow-Origin"] == origin, path
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert ask(strict, "/api/connection", Origin=origin, Host=host).json()["allowed"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "stream.example.org"),
        ("http://partner.example.org", "stream.example.org"),
        ("https://partner.example.org:8443", "stream.example.org"),
        ("https://partner.example.org.evil.example", "stream.example.org"),
        ("https://stream.example.org:8443", "stream.example.org"),
        ("https://stream.example.org", "127.0.0.1:5002"),
        ("null", "stream.example.org"),
        ("http://[", "stream.example.org"),
    ],
)
def test_what_is_refused_is_so_everywhere(strict: RunningServer, origin: str, host: str) -> None:
    forwarded = {"X-Forwarded-Host": "stream.example.org", "X-Forwarded-Proto": "https"}
    for path in (POLLS, "/healthz", "/api/sources", "/nowhere"):
        answer = ask(strict, path, Origin=origin, Host=host, **forwarded)
        assert answer.status_code == {POLLS: 400, "/nowhere": 404}.get(path, 200), path
        assert "Access-Control-Allow-Origin" not in answer.headers, path
        assert path == POLLS or answer.headers["Vary"] == "Origin", path
    assert not ask(strict, "/api/connection", Origin=origin, Host=host).json()["allowed"]


def test_a_browser_that_says_it_is_the_servers_own_page_is_believed(strict: RunningServer) -> None:
    """No page can write that; and a proxy may put a Host of its own in the place of the page's."""
    page = {"Origin": "https://stream.example", "Sec-Fetch-Site": "same-origin"}
    assert ask(strict, POLLS, **page).status_code == 200
    for site in ("cross-site", "same-site", "none"):
        assert ask(strict, POLLS, **{**page, "Sec-Fetch-Site": site}).status_code == 400


def test_a_preflight_agrees(strict: RunningServer) -> None:
    for origin, allowed in (("https://partner.example.org", True), ("https://evil.example", False)):
        for path in (POLLS, "/api/sources"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            answer = requests.options(f"{strict.url}{path}", headers=headers, timeout=10)
            assert ("Access-Control-Allow-Origin" in answer.headers) is allowed
            assert ("Access-Control-Allow-Methods" in answer.headers) is allowed


def test_each_refused_origin_is_one_line_with_the_cure(start_server: StartServer) -> None:
    server = start_server("--cors-origins", "https://partner.example.org")
    for _ in range(3):
        for origin in ("https://one.example", "https://two.example", "null"):
            assert ask(server, POLLS, Origin=origin).status_code == 400
            ask(server, "/api/connection", Origin=origin)
    assert server.stop() == 0
    lines = [line for line in server.log_text().splitlines() if "origin=" in line]
    assert [line.partition("origin=")[2].split()[0] for line in lines] == [
        "https://one.example",
        "https://two.example",
        "null",
    ]
    assert all("--cors-origins" in line and "WARNING" in line for line in lines)
    assert "accepted origin" not in server.log_text()


def test_made_up_origins_do_not_fill_the_log(start_server: StartServer) -> None:
    server = start_server("--cors-origins", "https://partner.example.org")
    with requests.Session() as session:
        for number in range(130):
            origin = {"Origin": f"https://{number}.example" + "x" * 1000}
            assert session.get(f"{server.url}{POLLS}", headers=origin).status_code == 400
    assert server.stop() == 0
    refused = [line for line in server.log_text().splitlines() if "origin=" in line]
    assert len(refused) == 100
    assert max(map(len, refused)) < 700


OWN = ("http://localhost:5173", "http://127.0.0.1:3000", "https://[::1]:8443", "http://a.localhost")
FOREIGN = (
    "https://evil.example",
    "http://192.168.1.20:5002",
    "http://localhost.evil.example",
    "null",
)

SOME_TOKEN = "0123456789abcdef-of-the-tests"


def may(server: RunningServer, origin: str, **headers: str) -> bool:
    """Return whether a page may use the server; for each route it has to be the same."""
    told = []
    for path in (POLLS, "/api/sources", "/healthz"):
        answer = ask(server, path, Origin=origin, **headers)
        told.append("Access-Control-Allow-Origin" in answer.headers)
        if path == POLLS:
            assert answer.status_code == (200 if told[0] else 400)
    told.append(ask(server, "/api/connection", Origin=origin, **headers).json()["allowed"])
    assert len(set(told)) == 1, told
    return told[0]


def test_by_default_a_browser_here_may_with_pages_of_this_machine(
    start_server: StartServer,
) -> None:
    """Any page that is open in it could start a paid model: nobody is asked for a token."""
    server = start_server()
    assert all(may(server, origin) for origin in (*OWN, server.url))
    assert not any(may(server, origin) for origin in FOREIGN)
    assert ask(server, "/socket.io/socket.io.js", Origin=FOREIGN[0]).ok, "that is no secret"
    assert server.stop() == 0


@pytest.mark.parametrize(
    "flags", [("--open",), ("--cors-origins", "*"), ("--token", SOME_TOKEN)], ids=lambda it: it[0]
)
def test_any_page_may_where_that_is_meant_or_a_token_is_asked_for(
    start_server: StartServer, flags: tuple[str, ...]
) -> None:
    server = start_server(*flags)
    for origin in (*OWN, *FOREIGN):
        answer = ask(server, POLLS, Origin=origin)
        assert answer.status_code == 200, origin
        assert answer.headers["Access-Control-Allow-Origin"] in {"*", origin}
    assert server.stop() == 0


def test_any_page_may_through_a_proxy(start_server: StartServer) -> None:
    """It is the proxy's to say who comes in; a page of its visitors' is on another machine."""
    server = start_server(env={"TEXTSTREAM_TRUSTED_PROXIES": "127.0.0.1"})
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    assert may(server, FOREIGN[0], **forwarded)
    assert not may(server, FOREIGN[0])
    # What a page may send only when it is allowed to is not what it is asked by.
    asked = {
        "Origin": FOREIGN[0],
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-forwarded-for",
    }
    answer = requests.options(f"{server.url}{POLLS}", headers=asked, timeout=10)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert server.stop() == 0
