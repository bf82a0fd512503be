"""What gunicorn adds to going down: a master that signals too, workers that wait for answers."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest
import requests

from tests.conftest import Connect
from tests.live.conftest import StartGunicorn
from tests.live.streams import endless, finish, sha256
from tests.sources.waiting import wait_until
from tests.support.timing import SLACK, patient

pytestmark = pytest.mark.live

AT_ONCE = patient(5.0)
"""Seconds on a busy machine; gunicorn would wait for 30."""


def test_the_whole_process_group_may_be_signalled(
    start_gunicorn: StartGunicorn, sio: Connect
) -> None:
    """The worker then gets a second SIGTERM, from the master."""
    server = start_gunicorn(1.5)
    clients = [sio(server.url, (transport,)) for transport in ("websocket", "polling")]
    endless(*clients)
    begun = time.monotonic()
    server.terminate_group()
    for client in clients:
        client.wait_for_event("server_draining")
    server.terminate_group()
    assert server.stop() == 0
    assert 1.5 < time.monotonic() - begun < 1.5 + SLACK
    for client in clients:
        end = finish(client)
        assert (end["reason"], end["text_sha256"]) == ("shutdown", sha256(client.text))
        client.wait_for_event("disconnect")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("draining", [True, False], ids=["draining", "running"])
def test_it_is_ended_at_once(
    start_gunicorn: StartGunicorn, sio: Connect, number: signal.Signals, *, draining: bool
) -> None:
    """Also where a poll waits, and half a request."""
    server = start_gunicorn(600)
    client = sio(server.url, ("polling",))
    endless(client)
    with socket.create_connection(server.address) as connection:
        connection.sendall(b"GET /hea")
        if draining:
            server.terminate()
            client.wait_for_event("server_draining")
        begun = time.monotonic()
        server.terminate(number)
        assert server.stop() == 0  # which sees whether the master had to kill it
        assert time.monotonic() - begun < AT_ONCE
    client.close()


def test_ctrl_c_ends_it_at_once(start_gunicorn: StartGunicorn, sio: Connect) -> None:
    """The worker then gets SIGINT from the terminal and SIGQUIT from the master."""
    server = start_gunicorn(600)
    client = sio(server.url, ("polling",))
    endless(client)
    begun = time.monotonic()
    server.terminate_group(signal.SIGINT)
    assert server.stop() == 0
    assert time.monotonic() - begun < AT_ONCE
    client.close()


def test_an_answer_that_is_being_written_is_complete(start_gunicorn: StartGunicorn) -> None:
    server = start_gunicorn(3, app="tests.live.slow_answer:app")
    with requests.get(f"{server.url}/slow", stream=True, timeout=10) as answer:
        pieces = answer.iter_content(1)
        begun = time.monotonic()
        received = next(pieces)
        server.terminate()
        received += b"".join(pieces)
    assert received == b"x" * 20
    assert server.stop() == 0
    assert time.monotonic() - begun < 3 + SLACK


HOOKS = """
def pre_request(worker, request):
    worker.log.info("before %s", request.path)

def post_request(worker, request):
    worker.log.info("after %s", request.path)

def worker_int(worker):
    worker.log.info("interrupted")

def worker_exit(server, worker):
    worker.log.info("gone")
"""


def test_hooks_of_ones_own_are_called(start_gunicorn: StartGunicorn, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks.py"
    hooks.write_text(HOOKS)
    server = start_gunicorn(0, GUNICORN_CMD_ARGS=f"--config {hooks}")  # asks for /healthz once
    wait_until(lambda: "after /healthz" in server.log_text())  # that comes behind the answer
    server.terminate(signal.SIGINT)
    assert server.stop() == 0
    said = [line.rpartition("] ")[2].strip() for line in server.log_text().splitlines()]
    hooked = ["before /healthz", "after /healthz", "interrupted", "gone"]
    assert [line for line in said if line in hooked] == hooked
