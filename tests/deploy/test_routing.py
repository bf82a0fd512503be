"""Three servers behind nginx as ``deploy/`` has it: a session finds its server without a cookie."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from reliability.cluster.cluster import NAMES
from reliability.cluster.nginx import Nginx
from tests.conftest import Connect, StartServer
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live

TEXT = "The quick brown fox jumps over the lazy dog. "

EACH = 6
"""Clients of each kind: two rounds of the servers."""

POLL = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture(scope="module")
def named(start_server: StartServer) -> Iterator[list[RunningServer]]:
    """Three servers, each with a name."""
    servers = [
        start_server("--name", name, "--trusted-proxies", "127.0.0.1", "--open") for name in NAMES
    ]
    yield servers
    for server in servers:
        code = server.stop()
        log = server.log_text()
        assert code == 0, log
        assert "Traceback" not in log, log
        assert "malformed" not in log, log


@pytest.fixture(scope="module")
def proxy(named: list[RunningServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of nginx, with the file of ``deploy/``."""
    nginx = Nginx(tmp_path_factory.mktemp("proxy"), [server.address[1] for server in named])
    yield nginx.url
    nginx.stop()


@pytest.mark.parametrize(
    "transports", [["websocket"], ["polling"], ["polling", "websocket"]], ids="+".join
)
def test_every_client_has_its_text(proxy: str, sio: Connect, transports: list[str]) -> None:
    clients = [sio(proxy, transports) for _ in range(EACH)]
    for client in clients:
        assert client.call("start_stream", {"source": "text", "text": TEXT, "rate": 0})["ok"]
    for client in clients:
        client.wait_for_event("stream_end")
        assert client.text == TEXT


def test_the_servers_have_sessions_of_their_own_names(proxy: str) -> None:
    names = set()
    for _ in range(EACH):
        opened = requests.get(proxy + POLL, timeout=20)
        names.add(opened.text.partition('"sid":"')[2].partition(".")[0])
    assert names == set(NAMES)


def test_a_page_is_compressed_and_a_poll_is_not(proxy: str) -> None:
    asked = {"Accept-Encoding": "gzip"}
    page = requests.get(proxy + "/app/", headers=asked, timeout=20)
    assert page.headers["Content-Encoding"] == "gzip"
    assert "<title>" in page.text
    opened = requests.get(proxy + POLL, headers=asked, timeout=20)
    assert "Content-Encoding" not in opened.headers


def test_who_meets_another_server_reads_what_the_proxy_must_do(
    named: list[RunningServer],
) -> None:
    first, second, _ = named
    sid = requests.get(first.url + POLL, timeout=20).text.partition('"sid":"')[2].partition('"')[0]
    answer = requests.get(f"{second.url}{POLL}&sid={sid}", timeout=20)
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert message.startswith("Session ID unknown: it is of the server 'a', and this is 'b'.")
    assert "deploy/nginx.conf" in message
