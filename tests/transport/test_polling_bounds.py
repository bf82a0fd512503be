"""What a client that polls may cost, over real requests."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from engineio.packet import PING, Packet

from tests.support.timing import patient
from tests.transport import passing
from tests.transport.conftest import LocalServer, StartLocal
from tests.transport.raw import RawWebSocket
from textstream.access.account import Account, Kind
from textstream.transport.bounds import Bounds, Limit
from textstream.transport.session import Session
from textstream.transport.waits import QueueWait

pytestmark = pytest.mark.live

PATIENCE = patient(10.0)


class Polling:
    """A client that polls with bare requests."""

    def __init__(self, server: LocalServer, *, connected: bool = True) -> None:
        self._http = requests.Session()
        self.url = f"{server.url}/socket.io/?EIO=4&transport=polling"
        self.sid = str(json.loads(self.poll().text[1:])["sid"])
        self.url += f"&sid={self.sid}"
        self.session: Session = server.socketio.server.eio.sockets[self.sid]
        if connected:
            assert self.post("40").status_code == 200
            assert self.poll().text.startswith("40")

    def poll(self) -> requests.Response:
        """Poll once."""
        return self._http.get(self.url, timeout=PATIENCE)

    def post(self, *packets: str) -> requests.Response:
        """Send packets in one request."""
        return self._http.post(self.url, "\x1e".join(packets).encode(), timeout=PATIENCE)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


Dial = Callable[..., Polling]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Connect clients that poll; closed after the test."""
    opened: list[Polling] = []

    def make(server: LocalServer, **options: Any) -> Polling:
        opened.append(Polling(server, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def echo(number: int, text: str = "") -> str:
    return f'42{number}["echo_text","{text}"]'


def test_who_never_fetches_its_answers_is_closed_as_too_slow(
    start_local: StartLocal, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    server = start_local(Bounds(max_buffered=20_000), async_handlers=False)
    client, everybody = dial(server), Account()
    client.session.account = Account(everybody)
    client.session.queue._window._answered = float("-inf")  # it has not polled for long
    refused = client.post(*(echo(n, "x" * 1000) for n in range(100)))
    assert refused.status_code == 400
    assert "poll while you send" in refused.json()["message"]
    wait_until(lambda: client.session.closed)
    said = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert [r.getMessage().split(":")[0] for r in said] == ["closed a reader that is too slow"]
    assert everybody.total == 0
    assert client.sid not in server.socketio.server.eio.sockets
    assert client.poll().status_code == 400
    server.record.wait_for("disconnect", *disconnected(server))


def disconnected(server: LocalServer) -> tuple[str, str]:
    """Return who was disconnected, and why."""
    wait_until(lambda: any(what[0] == "disconnect" for what in server.record._seen))
    [(_, sid, reason)] = [what for what in server.record._seen if what[0] == "disconnect"]
    assert reason == "transport error"
    return sid, reason


def test_an_answer_as_large_as_a_message_is_not_too_much(
    start_local: StartLocal, dial: Dial
) -> None:
    server = start_local(Bounds(max_buffered=1000), async_handlers=False)
    client = dial(server)
    assert client.post(echo(1, "x" * 100_000)).status_code == 200
    assert client.poll().text == '431["' + "x" * 100_000 + '"]'


def test_who_asks_faster_than_it_fetches_must_wait_and_is_not_cut_off(
    start_local: StartLocal, dial: Dial
) -> None:
    """A quarter of the bound waits for it, the rest of its request until it has polled."""
    server = start_local(Bounds(max_buffered=40_000), async_handlers=False)
    client, sender = dial(server), requests.Session()
    body = "\x1e".join(echo(n, "x" * 1000) for n in range(200)).encode()
    statuses: list[int] = []
    post = threading.Thread(
        target=lambda: statuses.append(sender.post(client.url, body, timeout=60).status_code)
    )
    post.start()
    got: list[str] = []
    most = 0
    while len(got) < 200:
        most = max(most, client.session.queue.nbytes)
        got += client.poll().text.split("\x1e")
    post.join(PATIENCE)
    sender.close()
    assert statuses == [200]
    assert [text.partition("[")[0] for text in got] == [f"43{n}" for n in range(200)]
    assert most < 20_000


def test_what_waits_for_polls_counts_against_its_client(local: LocalServer, dial: Dial) -> None:
    client, everybody = dial(local), Account()
    client.session.account = Account(everybody)
    client.post(echo(1, "x" * 5000))
    wait_until(lambda: everybody.count(Kind.QUEUED) >= 5000)
    client.post(echo(2, "x" * 5000))
    wait_until(lambda: everybody.count(Kind.QUEUED) >= 10_000)
    client.poll()
    assert everybody.total == 0
    client.post(echo(3, "x" * 5000), "1")
    wait_until(lambda: client.session.closed)
    assert everybody.total == 0


# The rate of events


def test_the_rest_of_a_request_waits_for_the_next_second(
    start_local: StartLocal, dial: Dial
) -> None:
    """And a second request ends the session, and the waiting with it."""
    server = start_local(Bounds(events_per_second=5), async_handlers=False)
    client, sender = dial(server), requests.Session()
    body = "\x1e".join(echo(n) for n in range(10_000)).encode()
    statuses: list[int] = []
    post = threading.Thread(
        target=lambda: statuses.append(sender.post(client.url, body, timeout=60).status_code)
    )
    post.start()
    server.record.wait_for("echoed", 4)  # with the CONNECT it is five
    assert client.post(echo(1)).status_code == 400
    post.join(PATIENCE)
    sender.close()
    assert statuses
    assert len([what for what in server.record._seen if what[0] == "echoed"]) < 100, "of 10,000"


def test_many_small_requests_are_one_rate(
    start_local: StartLocal, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[Session] = []
    begin = QueueWait.__init__

    def noted(wait: QueueWait, session: Session, *more: Any) -> None:
        waited.append(session)
        begin(wait, session, *more)

    monkeypatch.setattr(QueueWait, "__init__", noted)
    # So few that a busy machine has more of them in a second, too.
    server = start_local(Bounds(events_per_second=3), async_handlers=False)
    client, other = dial(server), dial(server)
    begun = time.monotonic()
    for n in range(7):
        assert client.post(echo(n)).status_code == 200
    assert time.monotonic() - begun > 1
    assert client.session in waited
    for n in range(2):
        assert other.post(echo(n)).status_code == 200
    assert other.session not in waited, "others have theirs"
    got: list[str] = []
    while len(got) < 7:
        got += client.poll().text.split("\x1e")
    assert [text.partition("[")[0] for text in got] == [f"43{n}" for n in range(7)]


# The heartbeat


def ping(session: Session) -> None:
    """Send the heartbeat, as the timer does."""
    session.last_ping, session.ping_due = time.time(), time.monotonic()
    session.send(Packet(PING))


def let_pass(session: Session, seconds: float) -> None:
    """Let so much time have passed since the ping."""
    assert session.last_ping
    session.last_ping -= seconds
    session.ping_due -= seconds


def test_a_pong_without_a_poll_does_not_keep_a_session(start_local: StartLocal, dial: Dial) -> None:
    client = dial(start_local(ping_interval=60))
    session = client.session
    ping(session)
    assert client.post("3").status_code == 200
    assert client.post("3probe").status_code == 200
    assert session.last_ping, "it is still awaited"
    assert client.poll().text == "2"
    assert client.post("3").status_code == 200
    assert session.last_ping is None


def test_who_leaves_in_the_moment_of_its_ping_is_no_failure(
    start_local: StartLocal, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = dial(start_local(ping_interval=60)).session

    def close_and_send(packet: Packet) -> None:
        session.close(wait=False)
        Session.send(session, packet)

    monkeypatch.setattr(session, "send", close_and_send)
    session.ping()
    assert session.closed


def test_a_request_of_who_is_overdue_ends_the_session(start_local: StartLocal, dial: Dial) -> None:
    client = dial(start_local(ping_interval=60, ping_timeout=60))
    session = client.session
    ping(session)
    let_pass(session, 59)
    assert client.post("3").status_code == 200  # which forgives it, once
    let_pass(session, 59)
    assert client.post("3").status_code == 200
    let_pass(session, 1)
    refused = client.post("3")
    assert (refused.status_code, "heartbeat" in refused.json()["message"]) == (400, True)
    assert session.closed


def test_a_session_that_nobody_polls_any_more_is_forgotten(
    start_local: StartLocal, dial: Dial
) -> None:
    """By Engine.IO's monitor: it goes round once in the time for a pong."""
    server = start_local(ping_interval=60, ping_timeout=0.05)
    client, everybody = dial(server, connected=False), Account()
    client.session.account = everybody
    ping(client.session)
    wait_until(lambda: client.session.closed)
    wait_until(lambda: client.sid not in server.socketio.server.eio.sockets)
    assert (everybody.total, client.session.queue.nbytes) == (0, 0)


def test_a_pong_that_waits_behind_a_request_has_its_time_anew(
    start_local: StartLocal, dial: Dial
) -> None:
    server = start_local(ping_interval=60, ping_timeout=60, async_handlers=False)
    client, sender = dial(server), requests.Session()
    session = client.session
    post = threading.Thread(
        target=lambda: sender.post(client.url, b'42["hold","it"]', timeout=PATIENCE)
    )
    post.start()
    server.record.wait_for("holding", "it")
    ping(session)
    let_pass(session, 61)
    assert client.poll().text == "2", "its pong waits for the request: it is not overdue"
    server.record.add("let go", "it")
    post.join(PATIENCE)
    sender.close()
    assert client.post("3").status_code == 200
    assert session.last_ping is None


def test_an_unasked_pong_over_a_websocket_means_nothing(start_local: StartLocal) -> None:
    server = start_local(ping_interval=60)
    with closing(RawWebSocket(server.port)) as ws:
        ws.send("40")
        messages = ws.messages()
        assert next(messages).startswith("0")
        assert next(messages).startswith("40")
        [session] = server.socketio.server.eio.sockets.values()
        session.last_ping = pinged = time.time()  # as if the ping could not be sent
        ws.send("3")
        ws.send("3x")
        ws.send('427["sum",1,2]')
        assert next(messages) == '437[3,"done"]'
        assert session.last_ping == pinged


# CONNECT


def test_a_session_that_does_not_connect_is_closed(start_local: StartLocal, dial: Dial) -> None:
    server = start_local()
    here = dial(server)
    idle = dial(server, connected=False)
    polled: list[str] = []
    polling = threading.Thread(target=lambda: polled.append(idle.poll().text))
    polling.start()
    queue = idle.session.queue
    wait_until(lambda: queue._window is not None and queue._window.waits)
    newcomers, seconds = server.socketio.server.eio.sockets._shared.newcomers, Bounds().connect + 1
    newcomers._clock = lambda: time.monotonic() + seconds
    passing.let_pass(server.transport.reactor, seconds)
    polling.join(PATIENCE)
    assert polled == ["1"]
    assert idle.poll().status_code == 400
    assert idle.sid not in server.socketio.server.eio.sockets
    assert here.post(echo(1)).status_code == 200


def test_an_upgrade_gives_it_no_more_time(start_local: StartLocal, dial: Dial) -> None:
    server = start_local()
    client = dial(server, connected=False)
    with closing(RawWebSocket(server.port, sid=client.sid)) as ws:
        ws.send("2probe")
        ws.send("5")
        wait_until(lambda: client.session.upgraded)
        client.session.turn_out()
        assert ws.close_code() == 1008
    wait_until(lambda: client.sid not in server.socketio.server.eio.sockets)


# Large bodies


def test_a_packet_that_is_too_large_is_told_and_the_others_are_handled(
    start_local: StartLocal, dial: Dial
) -> None:
    told: list[tuple[int, Limit]] = []
    server = start_local(
        Bounds(max_plain=1000),
        on_oversized=lambda _sid, _head, size, limit: told.append((size, limit)),
        async_handlers=False,
    )
    client = dial(server)
    large = echo(2, "x" * 1000)
    assert client.post(echo(1, "a"), large, echo(3, "b")).status_code == 200
    assert client.poll().text == '431["a"]\x1e433["b"]'
    assert told == [(len(large), Limit.PLAIN)]


def test_large_bodies_take_turns_and_none_is_taken_for_good(
    start_local: StartLocal, dial: Dial
) -> None:
    server = start_local(
        Bounds(large_at_once=1, large_in_all=1, stall=0.1, events_per_second=100_000),
        async_handlers=False,
    )
    client = dial(server)
    for _ in range(3):
        assert client.post(echo(1, "x" * 100_000)).status_code == 200
        assert client.post(*(echo(n, "x" * 100) for n in range(1000))).status_code == 200
        assert server.transport.turns.taken == 0
        while not client.session.queue.empty():
            client.poll()
    place = server.transport.turns.wait(client.session.caller, 1)
    assert place
    refused = client.post(echo(1, "x" * 100_000))
    place.leave()
    assert (refused.status_code, "large messages" in refused.json()["message"]) == (400, True)


def test_a_large_body_leaves_its_place_with_its_last_large_packet(
    start_local: StartLocal, dial: Dial
) -> None:
    server = start_local(Bounds(max_plain=70_000), async_handlers=False)
    client, sender = dial(server), requests.Session()
    large, too_large = echo(1, "\u00e9" * 34_000), echo(2, "x" * 80_000)
    body = f'{large}\x1e{too_large}\x1e42["hold","it"]'.encode()
    post = threading.Thread(target=lambda: sender.post(client.url, body, timeout=PATIENCE))
    post.start()
    server.record.wait_for("holding", "it")
    assert server.transport.turns.taken == 0
    server.record.add("let go", "it")
    post.join(PATIENCE)
    sender.close()


def test_attachments_are_few_bytes_until_all_have_come(
    start_local: StartLocal, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    server = start_local(Bounds(max_plain=1000), async_handlers=False)
    places = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(2))
    half = "b" + base64.b64encode(b"x" * 500).decode()
    client = dial(server)
    assert client.post(f'452-1["no such event",{places}]', half, half).status_code == 200
    more = "b" + base64.b64encode(b"x" * 501).decode()
    assert client.post(f'452-1["no such event",{places}]', half, more).status_code == 400
    assert "attachments of more than 1000 bytes" in caplog.text
    assert client.sid not in server.socketio.server._binary_packet


def test_a_body_that_does_not_come_ends_the_session(start_local: StartLocal, dial: Dial) -> None:
    server = start_local(Bounds(unfinished=0.05))
    client = dial(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as slow:
        path = client.url.removeprefix(server.url)
        slow.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n42[".encode())
        answer = b""
        while part := slow.recv(4096):
            answer += part
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"longer than 0.05 s" in answer
    assert client.session.closed
