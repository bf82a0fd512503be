"""What every answer says about itself: one place has it, and no route is forgotten."""

from __future__ import annotations

import re
import socket

import pytest
import requests

from tests.conftest import StartServer
from tests.support.running_server import ROOT, RunningServer
from textstream.web.headers import CONTENT_POLICY

pytestmark = pytest.mark.live

PAGES = ["/", "/app/", "/app/?watch=abc", "/lab/"]
API = ["/api/sources", "/api/connection"]
OTHERS = ["/healthz", "/favicon.ico", "/nowhere", "/app", "/assets/nothing.js"]
CLIENT = ["/socket.io/socket.io.js"]
POLL = "/socket.io/?EIO=4&transport=polling"
SOCKET_IO = [
    POLL,
    "/socket.io/?EIO=3&transport=polling",
    "/socket.io/?EIO=4&transport=websocket",
    "/socket.io/?EIO=4&transport=polling&sid=unknown",
    "/socket.io/?transport=pigeon",
]


def get(server: RunningServer, path: str, method: str = "GET") -> requests.Response:
    return requests.request(method, f"{server.url}{path}", timeout=20, allow_redirects=False)


@pytest.mark.parametrize("path", [*PAGES, *API, *OTHERS, *CLIENT, *SOCKET_IO])
def test_no_answer_is_taken_for_something_else(server: RunningServer, path: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = get(server, path, method)
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", (method, answer)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_framed_by_nobody_and_tells_nobody_its_address(
    server: RunningServer, path: str
) -> None:
    headers = get(server, path).headers
    assert headers["Content-Security-Policy"] == CONTENT_POLICY
    assert "frame-ancestors 'none'" in CONTENT_POLICY
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", [*API, *SOCKET_IO])
def test_what_is_so_now_is_kept_by_nobody(server: RunningServer, path: str) -> None:
    assert get(server, path).raw.headers.getlist("Cache-Control") == ["no-store"]


def test_a_poll_that_has_waited(server: RunningServer) -> None:
    """It is answered by the reactor, and not by Engine.IO."""
    opened = get(server, POLL)
    sid = opened.text.split('"sid":"')[1].split('"')[0]
    url = f"{server.url}{POLL}&sid={sid}"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as poll:
        path = url.removeprefix(server.url)
        poll.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        posted = requests.post(url, data="40", timeout=20)
        assert posted.headers["X-Content-Type-Options"] == "nosniff"
        head = b"".join(iter(lambda: poll.recv(4096), b"")).partition(b"\r\n\r\n")[0].lower()
    assert b"x-content-type-options: nosniff" in head
    assert b"cache-control: no-store" in head
    requests.post(url, data="1", timeout=20)


def test_what_the_front_refuses(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
        client.sendall(b"NO HTTP\r\n\r\n")
        head = b"".join(iter(lambda: client.recv(4096), b"")).partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 400 ")
    assert b"x-content-type-options: nosniff" in head


def test_a_page_of_another_server_under_a_prefix(start_server: StartServer) -> None:
    server = start_server("--prefix", "/x")
    assert get(server, "/x/api/sources").headers["Cache-Control"] == "no-store"
    assert "frame-ancestors" in get(server, "/x/app/").headers["Content-Security-Policy"]


def test_the_page_says_the_same_of_itself() -> None:
    """But who may frame it, which a page cannot."""
    config = (ROOT / "frontend" / "vite.config.ts").read_text(encoding="utf-8")
    listed = config.split("const POLICY = [", 1)[1].split("].join", 1)[0]
    said = re.findall(r'^  "(.*)",$', listed, re.MULTILINE)
    assert [*said, "frame-ancestors 'none'"] == CONTENT_POLICY.split("; ")
