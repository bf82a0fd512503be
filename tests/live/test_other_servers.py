"""On other WSGI servers: what each gives, and what it says where it gives less."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from tests.conftest import Connect
from tests.live.streams import endless, finish, sha256, start
from tests.live.test_gunicorn_workers import UPGRADE
from tests.support.leaks import LeakGuard
from tests.support.running_server import ROOT, RunningServer
from textstream.sources.text import SAMPLE_TEXT
from textstream.transport.sockets import NO_WEBSOCKET

pytestmark = pytest.mark.live

APP = "textstream.wsgi:app"
POLLS = "/socket.io/?EIO=4&transport=polling"
SOCKET = "/socket.io/?EIO=4&transport=websocket"


class OtherServer(RunningServer):
    """Another program that serves, until its end."""

    COMMAND: tuple[str, ...] = ("-m",)
    LISTENING = re.compile(r"\b(?:on|at) (http://127\.0\.0\.1:\d+)")


WITHOUT_SOCKETS = {
    "waitress": ("waitress", "--listen=127.0.0.1:0", "--threads=16", APP),
    "uvicorn": ("uvicorn", "--interface=wsgi", "--port=0", APP),
    "hypercorn": ("hypercorn", "--bind=127.0.0.1:0", f"wsgi:{APP}"),
}


@pytest.fixture(scope="module", params=WITHOUT_SOCKETS)
def pollable(request: pytest.FixtureRequest, leak_guard: LeakGuard) -> Iterator[OtherServer]:
    """A server that keeps its sockets to itself."""
    server = OtherServer(*WITHOUT_SOCKETS[request.param], leak_guard=leak_guard)
    yield server
    server.stop()
    log = server.log_text()
    assert "Traceback" not in log
    assert log.count("gives no application its socket") == 1


@pytest.mark.parametrize("transports", [("polling",), ("polling", "websocket")], ids="+".join)
def test_clients_poll(pollable: OtherServer, sio: Connect, transports: tuple[str, ...]) -> None:
    client = sio(pollable.url, transports)
    start(client, {"rate": 2000})
    assert finish(client)["text_sha256"] == sha256(SAMPLE_TEXT)
    assert client.client.transport() == "polling"


def test_no_websocket_is_offered(pollable: OtherServer) -> None:
    assert '"upgrades":[]' in requests.get(pollable.url + POLLS, timeout=10).text


def test_a_websocket_is_refused_with_a_sentence(pollable: OtherServer) -> None:
    for headers in ({}, UPGRADE):
        answer = requests.get(pollable.url + SOCKET, headers=headers, timeout=10)
        if answer.status_code != 403:  # Hypercorn's own, and it has no body
            assert (answer.status_code, answer.json()) == (501, NO_WEBSOCKET)


def test_an_upgrade_that_was_not_offered_leaves_the_session(pollable: OtherServer) -> None:
    with requests.Session() as session:
        opened = session.get(pollable.url + POLLS, timeout=10).text
        sid = opened.partition('"sid":"')[2].partition('"')[0]
        upgrade = session.get(f"{pollable.url}{SOCKET}&sid={sid}", headers=UPGRADE, timeout=10)
        assert upgrade.status_code in {501, 403}
        session.post(f"{pollable.url}{POLLS}&sid={sid}", data="40", timeout=10)
        assert session.get(f"{pollable.url}{POLLS}&sid={sid}", timeout=10).text.startswith("40")


def test_gevents_own_server_drains(leak_guard: LeakGuard, sio: Connect) -> None:
    env = {"TEXTSTREAM_DRAIN": "0.3"}
    server = OtherServer("tests.live.gevent_server", env=env, leak_guard=leak_guard)
    clients = [sio(server.url, (transport,)) for transport in ("websocket", "polling")]
    endless(*clients)
    server.terminate()
    for client in clients:
        client.wait_for_event("server_draining")
        assert finish(client)["reason"] == "shutdown"
        client.wait_for_event("disconnect")
    assert server.stop() == 0
    assert "Traceback" not in server.log_text()


@pytest.mark.parametrize(
    "command",
    [
        ("gunicorn", "--bind=127.0.0.1:0", "--no-control-socket", APP),
        ("gunicorn", "--bind=127.0.0.1:0", "--no-control-socket", "stream_server:app"),
        WITHOUT_SOCKETS["waitress"],
    ],
    ids=["gunicorn", "stream_server", "waitress"],
)
def test_what_cannot_be_made_is_one_sentence(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTSTREAM_CORS_ORIGINS", "https://example.org/app")
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.count("TEXTSTREAM_CORS_ORIGINS") == 1
    assert "no path" in done.stderr
    assert "Traceback" not in done.stderr
