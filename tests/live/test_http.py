"""Plain HTTP, and the entry point's messages."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from flask import Flask

from tests.conftest import Connect, StartServer
from tests.support.running_server import ROOT, RunningServer
from tests.support.timing import patient
from tests.support.usage import usage
from textstream.web.client_files import CLIENT_FILES, serve_client
from textstream.web.routes import pages

pytestmark = pytest.mark.live


@pytest.mark.parametrize(("path", "status"), [("/healthz", "ok"), ("/readyz", "ready")])
def test_health_says_nothing_of_versions_and_numbers(
    server: RunningServer, path: str, status: str
) -> None:
    answer = requests.get(f"{server.url}{path}", timeout=10)
    assert answer.status_code == 200
    assert answer.json() == {"status": status}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_client_that_resets_behind_the_answer_leaves_no_descriptor(
    start_server: StartServer, sio: Connect
) -> None:
    """While it is being waited for what else the client has to say."""
    server = start_server()
    sio(server)  # from the first connection on, garbage is collected seldom
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    before = usage(server.pid).descriptors
    for _ in range(60):
        with socket.create_connection(address, timeout=10) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            answer = b""
            while b"status" not in answer:
                answer += client.recv(4096)
    deadline = time.monotonic() + patient(10)
    while usage(server.pid).descriptors > before:
        assert time.monotonic() < deadline, "descriptors are left"
        time.sleep(0.05)  # the kernel tells nobody that a descriptor was closed


def test_the_client_is_served(server: RunningServer, subtests: pytest.Subtests) -> None:
    page = {"Origin": "https://elsewhere.example"}
    for name in CLIENT_FILES:
        with subtests.test(name):
            answer = requests.get(f"{server.url}/socket.io/{name}", headers=page, timeout=10)
            assert answer.status_code == 200
            kind = "application/json" if name.endswith(".map") else "text/javascript"
            assert answer.headers["Content-Type"].startswith(kind)
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            etag = {"If-None-Match": answer.headers["ETag"]}
            again = requests.get(f"{server.url}/socket.io/{name}", headers=etag, timeout=10)
            assert again.status_code == 304
    assert "Socket.IO v4" in requests.get(f"{server.url}/socket.io/socket.io.js", timeout=10).text
    assert requests.get(f"{server.url}/socket.io/other.js", timeout=10).status_code == 400


def test_where_the_client_is_not_built_it_says_how(tmp_path: Path) -> None:
    app = Flask(__name__)
    serve_client(app, tmp_path)
    answer = app.test_client().get("/socket.io/socket.io.js")
    assert answer.status_code == 404
    assert "make run" in answer.text


def test_sources_are_described(server: RunningServer) -> None:
    described = requests.get(f"{server.url}/api/sources", timeout=10).json()
    assert described["default"] == "text"
    assert described["preferred"] in {"llm", "text"}
    by_name = {source["name"]: source for source in described["sources"]}
    assert {"text", "llm", "openai"} <= by_name.keys()
    assert by_name["llm"]["params"]["properties"].keys() >= {"temperature", "max_tokens", "seed"}
    assert by_name["openai"]["available"] is False
    assert "TEXTSTREAM_OPENAI_BASE_URL" in by_name["openai"]["error"]


@pytest.mark.parametrize("path", ["/api/sources", "/healthz"])
def test_other_origins_may_ask_but_never_with_credentials(server: RunningServer, path: str) -> None:
    answer = requests.get(
        f"{server.url}{path}", headers={"Origin": "http://localhost:5173"}, timeout=10
    )
    assert answer.headers["Access-Control-Allow-Origin"] in {"*", "http://localhost:5173"}
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_only_the_origins_that_are_named(start_server: StartServer) -> None:
    server = start_server("--cors-origins", "https://a.example, https://b.example/")
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    own = server.url
    for origin, status in [
        ("https://a.example", 200),
        ("https://b.example", 200),
        (own, 200),
        ("https://c.example", 400),
    ]:
        answer = requests.get(url, headers={"Origin": origin}, timeout=10)
        assert answer.status_code == status, origin
        assert "Access-Control-Allow-Credentials" not in answer.headers


PAGES = {"/": "demo.html", "/app/": "app/index.html", "/lab/": "lab/index.html"}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_is_not_built_says_how(tmp_path: Path, path: str) -> None:
    app = Flask(__name__)
    app.register_blueprint(pages(None, tmp_path))  # type: ignore[arg-type]
    answer = app.test_client().get(path)
    assert answer.status_code == 200
    assert "make run" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_a_built_page_is_asked_for_each_time(tmp_path: Path, path: str) -> None:
    page = tmp_path / PAGES[path]
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"<title>{path}</title>")
    app = Flask(__name__)
    app.register_blueprint(pages(None, tmp_path))  # type: ignore[arg-type]
    with app.test_client().get(path) as answer:
        assert answer.get_data(as_text=True) == f"<title>{path}</title>"
        assert answer.mimetype == "text/html"
        assert answer.headers["Cache-Control"] == "no-cache"
    if path != "/":
        moved = app.test_client().get(path.rstrip("/"))
        assert moved.status_code == 308
        assert moved.headers["Location"].endswith(path)


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    """Run the entry point with flags that make it end at once."""
    return subprocess.run(
        [sys.executable, str(ROOT / "stream_server.py"), *flags],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--port", "many"), "--port (TEXTSTREAM_PORT)"),
        (("--max-text", "0"), "--max-text (TEXTSTREAM_MAX_TEXT)"),
        (("--cors-origins", "app.example"), "https://example.org"),
        (("--prefix", "stream"), '"/stream"'),
        (("--sources", "shout"), "name=module:callable"),
        (("--sources", "shout=nowhere:shout"), "nowhere"),
        (("--source", "nowhere"), "TEXTSTREAM_SOURCE"),
        (("--log-level", "loud"), "loud"),
        (("--no-such-flag",), "--no-such-flag"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_wrong_setting_is_named(flags: tuple[str, ...], said: str) -> None:
    done = run(*flags)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_one_line(server: RunningServer) -> None:
    done = run("--port", server.url.rpartition(":")[2])
    assert done.returncode == 3
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_setting() -> None:
    done = run("--help")
    assert done.returncode == 0
    for flag in ("--host", "--port", "--cors-origins", "--source", "--preload", "--log-level"):
        assert flag in done.stdout
    assert "TEXTSTREAM_MAX_STREAMS_PER_CLIENT" in done.stdout
