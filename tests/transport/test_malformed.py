"""Malformed input that Engine.IO alone would answer late, not at all, or with a traceback."""

from __future__ import annotations

import json
import logging
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.timing import patient
from tests.transport.conftest import LocalServer
from tests.transport.raw import RawWebSocket
from textstream.transport.session_queue import JOIN_SECONDS, SessionQueue

pytestmark = pytest.mark.live

PATIENCE = patient(10.0)
"""Seconds; stock, what is asked for here takes 45 at least."""

Dial = Callable[[], RawWebSocket]


@pytest.fixture
def dial(local: LocalServer) -> Iterator[Dial]:
    """Open raw WebSockets; closed after the test."""
    opened: list[RawWebSocket] = []

    def make() -> RawWebSocket:
        opened.append(RawWebSocket(local.port))
        return opened[-1]

    yield make
    for ws in opened:
        ws.close()


def request(url: str, body: str | None = None) -> int:
    """Get, or post `body`; return the status."""
    data = None if body is None else body.encode()
    try:
        with urllib.request.urlopen(url, data, timeout=PATIENCE) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            error.read()  # else its end is a reset, and Werkzeug's own handler leaves a selector
            return error.code


def open_session(local: LocalServer) -> str:
    """Make a polling handshake; return the session's URL."""
    url = f"{local.url}/socket.io/?EIO=4&transport=polling"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return f"{url}&sid={json.loads(answer.read()[1:])['sid']}"


@pytest.mark.parametrize("packet", ["4" + "[" * 100_000, "2" + '{"a":' * 100_000])
def test_json_that_is_nested_too_deep(
    dial: Dial, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    ws = dial()
    ws.send(packet)
    assert ws.close_code() == 1008
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("host", [b"\xff", b"xn--\x80"])
def test_a_handshake_whose_host_is_no_name(local: LocalServer, host: bytes) -> None:
    """wsproto decodes it, and raises what it does not say that it raises."""
    with socket.create_connection(("127.0.0.1", local.port), timeout=PATIENCE) as sock:
        sock.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: " + host + b"\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert sock.makefile("rb").readline().split()[1] == b"400"
    assert not local.socketio.server.eio.sockets


def test_a_burst_of_malformed_packets_is_logged_once(
    dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    ws = dial()
    for _ in range(200):
        ws.send("")
    assert ws.close_code() == 1008
    refused = [record for record in caplog.records if "empty packet" in record.getMessage()]
    assert len(refused) == 1


def test_a_post_with_a_packet_of_unknown_type_is_answered(local: LocalServer) -> None:
    """Engine.IO ends the session, and would wait for ever for its client to fetch the close."""
    url = open_session(local)
    assert request(url, "7\x1e7") == 400
    assert request(url) == 400, "the session should have ended"


def test_two_polls_at_a_time_both_end_with_their_session(local: LocalServer) -> None:
    url = open_session(local)
    session = local.socketio.server.eio.sockets[url.rpartition("=")[2]]
    with ThreadPoolExecutor(2) as pool:
        polls = [pool.submit(request, url) for _ in range(2)]
        # The first is answered with a CLOSE, the second refused. Neither may wait.
        assert {poll.result(PATIENCE) for poll in polls} == {200, 400}
    assert session.closed


def test_all_polls_that_wait_come_to_the_end() -> None:
    queue = SessionQueue()
    with ThreadPoolExecutor(3) as pool:
        polls = [pool.submit(queue.wait, PATIENCE) for _ in range(3)]
        queue.put(None)
        assert all(poll.result(PATIENCE) for poll in polls)
    assert queue.collect() == []
    queue.join()


def test_a_disconnect_waits_for_the_client_to_fetch_it_but_not_for_long() -> None:
    queue = SessionQueue()
    queue.put("close")
    thread = threading.Thread(target=queue.join)
    thread.start()
    thread.join(JOIN_SECONDS / 10)
    assert thread.is_alive()
    thread.join(PATIENCE)
    assert not thread.is_alive()
