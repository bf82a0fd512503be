"""Requests to gunicorn's threaded worker: no thread has one before all of it has come."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.client import HTTPConnection

import pytest
import requests

from tests.live.gunicorn import RunningGunicorn
from tests.support.leaks import LeakGuard
from tests.support.timing import patient
from tests.transport.http.serving import Client
from textstream.chaos.address import parse_address

pytestmark = pytest.mark.live

TIMEOUT = patient(20.0)

THREADS = 2

LIMIT = 20_000
"""Bytes of a message."""

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

Connect = Callable[[], Client]


@pytest.fixture(scope="module")
def gunicorn(leak_guard: LeakGuard) -> Iterator[RunningGunicorn]:
    env = {"TEXTSTREAM_MAX_MESSAGE_BYTES": str(LIMIT)}
    server = RunningGunicorn(
        *("--threads", str(THREADS)),
        app="tests.live.slow_answer:app",
        env=env,
        leak_guard=leak_guard,
    )
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log_text()


@pytest.fixture
def connect(gunicorn: RunningGunicorn) -> Iterator[Connect]:
    clients: list[Client] = []

    def connect_() -> Client:
        address = parse_address(gunicorn.url.removeprefix("http://"))
        sock = socket.create_connection(address, TIMEOUT)
        clients.append(Client(sock))
        return clients[-1]

    yield connect_
    for client in clients:
        client.close()


@pytest.fixture
def session(gunicorn: RunningGunicorn) -> str:
    """The path of a new Engine.IO session that polls."""
    path = "/socket.io/?EIO=4&transport=polling"
    opened = requests.get(gunicorn.url + path, timeout=TIMEOUT)
    sid = opened.text.split('"sid":"')[1].split('"')[0]
    return f"{path}&sid={sid}"


def post(path: str, body: bytes, *lines: str) -> bytes:
    fields = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(body)}", *lines))
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode() + body


def test_half_requests_hold_no_thread(connect: Connect, session: str) -> None:
    clients = [connect() for _ in range(40)]
    halves = (
        b"",
        HEALTH[:-2],
        HEALTH[:5],
        post(session, b"40")[:-1],
        post(session, b"x" * 999_999)[:-1],
    )
    for number, client in enumerate(clients):
        client.send(halves[number % len(halves)])
    for _ in range(3):
        assert connect().ask("/healthz")[0] == 200


def test_polls_and_the_health_check_need_none_of_the_threads(
    connect: Connect, session: str
) -> None:
    poller = connect()
    start = b'42["start_stream",{"text":"' + b"x" * 1000 + b'","rate":4}]'
    for body in (b"40", start):
        poller.send(post(session, body))
        assert poller.answer()[0] == 200
    held = [connect() for _ in range(THREADS)]
    for client in held:
        client.get("/endless")
        assert b"200" in client._file.readline()  # a thread answers it
    said = b""
    while said.count(b"new_char") < 2:
        client = connect()
        client.get(session)
        status, part, _ = client.answer()
        assert status == 200
        said += part
    assert connect().ask("/healthz")[0] == 200
    for client in held:
        client.reset()
    assert connect().ask("/api/sources")[0] == 200


def test_a_request_in_pieces_and_the_next(connect: Connect) -> None:
    client = connect()
    for _ in range(2):
        client.send(*(HEALTH[at : at + 7] for at in range(0, len(HEALTH), 7)))
        assert client.answer()[0] == 200
    client.send(HEALTH * 3 + HEALTH[:9], HEALTH[9:])
    assert [client.answer()[0] for _ in range(4)] == [200] * 4


def test_bodies(connect: Connect, session: str) -> None:
    client = connect()
    whole = post(session, b"40")
    client.send(whole[:-1], whole[-1:])
    assert client.answer()[:2] == (200, b"ok")
    head = f"POST {session} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send(head.encode(), b"1\r\n3\r\n", b"0\r\n\r\n" + HEALTH)
    assert client.answer()[:2] == (200, b"ok")
    assert client.answer()[0] == 200


def test_who_waits_to_be_told_is_told_once(connect: Connect, session: str) -> None:
    client = connect()
    head = post(session, b"3", "Expect: 100-continue")
    client.send(head[:-1])
    assert client.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(head[-1:])
    assert client._file.readline() == b"HTTP/1.1 200 OK\r\n"


def test_a_message_that_is_too_large_is_dropped_and_the_session_goes_on(
    connect: Connect, session: str
) -> None:
    client = connect()
    client.send(post(session, b"40"))
    assert client.answer()[0] == 200
    client.send(post(session, b'42["start_stream",{"text":"' + b"x" * 3 * LIMIT), HEALTH)
    assert client.answer()[:2] == (200, b"ok")
    assert client.answer()[0] == 200
    said = b""
    while b"stream_error" not in said:
        client.get(session)
        status, part, _ = client.answer()
        assert status == 200
        said += part
    assert str(3 * LIMIT).encode()[:2] in said


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (post("/healthz", b"x" * (LIMIT + 1)), 413),
        (post("/socket.io/", b"x" * 10 * LIMIT), 413),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
    ],
)
def test_what_is_refused(connect: Connect, request_: bytes, status: int) -> None:
    client = connect()
    client.send(request_)
    assert client.answer()[0] == status
    assert client.rest() == b""


def test_fields_come_as_they_were_sent(gunicorn: RunningGunicorn) -> None:
    address = parse_address(gunicorn.url.removeprefix("http://"))
    connection = HTTPConnection(*address, TIMEOUT)
    connection.request("GET", "/healthz", headers={"Origin": "http://localhost:5173"})
    assert connection.getresponse().headers["Access-Control-Allow-Origin"] in {
        "*",
        "http://localhost:5173",
    }
    connection.close()
