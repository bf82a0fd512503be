"""SIGTERM: clients are told, what runs may end, no more is taken, sockets are closed with 1001."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.conftest import Connect, StartServer
from tests.live.careless_source import COMPLAINT, SETTING
from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import endless, finish, sha256, start
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.timing import SLACK
from tests.transport.raw import RawWebSocket

pytestmark = pytest.mark.live

AnyServer = RunningServer | RunningGunicorn


@pytest.fixture(params=["front", "gunicorn"])
def draining_server(
    request: pytest.FixtureRequest, start_server: StartServer, leak_guard: LeakGuard
) -> Iterator[AnyServer]:
    """A server that drains for 1.5 s."""
    env = {"TEXTSTREAM_DRAIN": "1.5"}
    if request.param == "front":
        yield start_server(env=env)
        return
    server = RunningGunicorn(env=env, leak_guard=leak_guard)
    yield server
    server.stop()


def assert_told(clients: list[RecordingClient]) -> None:
    """Assert that each was told, in order: going down, the end of its stream, good-bye."""
    for client in clients:
        end = finish(client)
        assert (end["reason"], end["text_sha256"]) == ("shutdown", sha256(client.text))
        client.wait_for_event("disconnect")
        order = names(client)
        assert order.index("server_draining") < order.index("stream_end")
        assert order.index("stream_end") < order.index("disconnect")


def names(client: RecordingClient) -> list[str]:
    """Return the names of its events, in order, each once."""
    return list(dict.fromkeys(event.name for event in client.events))


def test_what_ends_in_time_is_complete(draining_server: AnyServer, sio: Connect) -> None:
    clients = [sio(draining_server.url, (transport,)) for transport in ("websocket", "polling")]
    for client in clients:
        start(client, {"text": "x" * 60, "rate": 100})
        client.wait_for_event("new_char")
    begun = time.monotonic()
    draining_server.terminate()
    for client in clients:
        end = finish(client)
        assert (end["reason"], client.text) == ("completed", "x" * 60)
        assert names(client).index("server_draining") < names(client).index("stream_end")
        assert client.named("server_draining")[0].data == {"retry_after": 2}
    assert draining_server.stop() == 0
    assert time.monotonic() - begun < 1.5 + SLACK


def test_what_does_not_end_is_ended_and_everybody_told(
    draining_server: AnyServer, sio: Connect
) -> None:
    clients = [sio(draining_server.url, (("websocket", "polling")[n % 5 == 0],)) for n in range(50)]
    endless(*clients)
    begun = time.monotonic()
    draining_server.terminate()
    assert draining_server.stop() == 0
    assert time.monotonic() - begun < 1.5 + SLACK
    assert_told(clients)


def test_unfinished_requests_are_not_waited_for(draining_server: AnyServer, sio: Connect) -> None:
    clients = [sio(draining_server.url, (transport,)) for transport in ("websocket", "polling")]
    with ExitStack() as stack:
        for unfinished in (b"GET /hea", b"POST /socket.io/ HTTP/1.1\r\nContent-Le", b""):
            connection = socket.create_connection(draining_server.address)
            stack.enter_context(connection)
            connection.sendall(unfinished)
        kept_alive = stack.enter_context(requests.Session())
        # Answered, so those that came before it have been accepted.
        assert kept_alive.get(f"{draining_server.url}/healthz", timeout=10).ok
        endless(*clients)
        begun = time.monotonic()
        draining_server.terminate()
        assert draining_server.stop() == 0
        assert time.monotonic() - begun < 1.5 + SLACK
    assert_told(clients)


def test_who_takes_an_answer_slowly_is_not_waited_for(draining_server: AnyServer) -> None:
    """Nor is there a word of it in the log, though all the time for the end goes by."""
    with ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(draining_server.address)
            client.sendall(b"GET /socket.io/socket.io.js.map HTTP/1.1\r\nHost: here\r\n\r\n")
            assert client.recv(15) == b"HTTP/1.1 200 OK"
        begun = time.monotonic()
        draining_server.terminate()
        assert draining_server.stop() == 0
        assert time.monotonic() - begun < 1.5 + SLACK
    assert "ERROR" not in draining_server.log_text()


def test_a_client_that_polls_on_new_connections_is_told(
    draining_server: AnyServer, sio: Connect
) -> None:
    """Also where it begins to fetch when the others have been told already."""
    polls = f"{draining_server.url}/socket.io/?EIO=4&transport=polling"
    close = {"Connection": "close"}
    sid = json.loads(requests.get(polls, headers=close, timeout=10).text[1:])["sid"]
    polls += f"&sid={sid}"
    begin = '42["start_stream",{"text":"' + "x" * 10_000 + '","rate":30}]'
    requests.post(polls, data="40\x1e" + begin, headers=close, timeout=10)
    other = sio(draining_server.url)
    start(other, {"text": "x" * 10_000, "rate": 20})
    draining_server.terminate()
    assert other.wait_for_event("stream_end").data["reason"] == "shutdown"
    fetched = ""
    for _ in range(20):
        fetched += requests.get(polls, headers=close, timeout=10).text
        if "stream_end" in fetched:
            break
    assert fetched.index("server_draining") < fetched.index('"reason":"shutdown"')
    assert draining_server.stop() == 0


def test_the_socket_is_closed_with_1001(draining_server: AnyServer) -> None:
    ws = RawWebSocket(draining_server.address[1])
    try:
        ws.send("40")
        assert next(message for message in ws.messages() if message.startswith("40"))
        draining_server.terminate()
        assert ws.close_code() == 1001
        ws.send_frame("close", b"\x03\xe9")
    finally:
        ws.close()
    assert draining_server.stop() == 0


def test_starts_are_refused_and_newcomers_told(draining_server: AnyServer, sio: Connect) -> None:
    client = sio(draining_server.url)
    start(client, {"text": "x" * 10_000, "rate": 20})
    draining_server.terminate()
    client.wait_for_event("server_draining")
    answer = client.call("start_stream", {"text": "late", "format": "chunk"})
    assert (answer["error"]["code"], answer["error"]["retryable"]) == ("shutting_down", True)
    newcomer = sio(draining_server.url)
    assert newcomer.wait_for_event("server_draining").data["retry_after"] >= 1
    assert draining_server.stop() == 0


def test_nothing_to_wait_for_is_not_waited_for(start_server: StartServer, sio: Connect) -> None:
    server = start_server(env={"TEXTSTREAM_DRAIN": "600"})
    client = sio(server)
    start(client, {"text": "short", "rate": 0})
    finish(client)
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < SLACK


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tgkill(2) is Linux's")
def test_a_signal_that_another_thread_gets_is_heard(start_server: StartServer) -> None:
    """The kernel chooses which. Nothing wakes the main thread then: the server never ended."""
    server = start_server()
    requests.get(f"{server.url}/healthz", timeout=10)  # it waits for what comes
    server.terminate_another_thread()
    assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_ends_it_at_once(
    start_server: StartServer, sio: Connect, number: signal.Signals
) -> None:
    server = start_server(env={"TEXTSTREAM_DRAIN": "600"})
    client = sio(server)
    start(client, {"text": "x" * 10_000, "rate": 20})
    server.terminate(number)
    client.wait_for_event("server_draining")
    server.terminate(number)
    assert server.stop() == 128 + number


def test_a_resume_is_still_possible(start_server: StartServer, sio: Connect) -> None:
    """A connection that breaks while the server drains may come back for the rest."""
    server = start_server(env={"TEXTSTREAM_DRAIN": "30"})
    first = sio(server)
    stream = start(first, {"text": json.dumps(list(range(500))), "rate": 1000})
    first.wait_for_event("new_char", count=10)
    server.terminate()
    first.wait_for_event("server_draining")
    first.close()
    second = sio(server)
    offset = len(first.named("new_char"))
    assert second.call("resume_stream", {"id": stream["id"], "offset": offset})["ok"]
    assert finish(second)["reason"] == "completed"
    assert first.text + second.text == json.dumps(list(range(500)))
    assert server.stop() == 0


def test_a_source_that_cannot_be_given_up_keeps_nobody_waiting(
    start_server: StartServer, sio: Connect
) -> None:
    server = start_server("--sources", SETTING, env={"TEXTSTREAM_DRAIN": "0.5"})
    first, *others = [sio(server) for _ in range(4)]
    for client in (first, *others[:2]):
        start(client, {"source": "careless", "prompt": "go", "rate": 20})
        client.wait_for_event("new_char")
    endless(*others[2:])
    assert first.call("stop_stream")["ok"]
    assert finish(first)["reason"] == "stopped"
    server.wait_for_log(lambda log: "careless_source.py" in log)
    assert COMPLAINT not in server.log_text(), "it may hold a prompt"
    begun = time.monotonic()
    server.terminate()
    assert server.stop() == 0
    assert time.monotonic() - begun < 0.5 + SLACK
    assert_told(others)
