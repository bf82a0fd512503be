"""The front, from the listening socket to the answers: a real reactor, a clock of the test's."""

from __future__ import annotations

import select
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.sources.waiting import wait_until
from tests.transport.http.serving import MAX_BODY, SAID, TIMEOUT, App, Serving, ServingMaker
from textstream.transport.http import dispatch
from textstream.transport.http.connection import HttpConnection
from textstream.transport.http.deadlines import Phase
from textstream.transport.http.dispatch import THREADS
from textstream.transport.http.front import TOLD
from textstream.transport.http.head import MAX_HEAD
from textstream.transport.http.places import Places

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


# Requests, however they come.


def test_a_head_in_pieces_of_one_byte(front: Serving) -> None:
    client = front.connect()
    client.send(*(bytes([byte]) for byte in GET))
    assert client.answer()[:2] == (200, SAID)


def test_a_connection_serves_one_request_after_the_other(front: Serving) -> None:
    client = front.connect()
    for _ in range(3):
        assert client.ask()[:2] == (200, SAID)


def test_requests_that_come_all_at_once_are_answered_in_order(front: Serving) -> None:
    client = front.connect()
    posts = [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d" % n for n in range(50)]
    client.send(b"".join(posts))
    assert [client.answer()[1] for _ in posts] == [b"%02d" % n for n in range(50)]


def test_a_head_that_is_split_behind_another_request(front: Serving) -> None:
    client = front.connect()
    client.send(GET + GET[:20])
    assert client.answer()[1] == SAID
    front.wait_for(head=1)
    client.send(GET[20:])
    assert client.answer()[1] == SAID


def test_a_body_in_pieces(front: Serving) -> None:
    client = front.connect()
    body = b"0123456789" * 5_000
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n")
    front.wait_for(body=1)
    for at in range(0, 50_000, 7_001):
        client.send(body[at : at + 7_001])
    assert client.answer()[1] == body
    front.settle()
    assert front.front.places.counts()["bodies"] == 0


def test_a_body_in_chunks(front: Serving, app: App) -> None:
    client = front.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"3\r\nabc\r\n", b"2\r\nde\r", b"\n0\r\n", b"\r\n" + GET)
    assert client.answer()[1] == b"abcde"
    assert client.answer()[1] == SAID
    assert app.environs[0]["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in app.environs[0]


def test_who_waits_to_be_told_is_told_to_send_its_body(front: Serving) -> None:
    client = front.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert client.sock.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"abc")
    assert client.answer()[1] == b"abc"


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(front: Serving) -> None:
    client = front.connect()
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n"
    client.send(f"{head}Expect: 100-continue\r\n\r\n".encode())
    status, _, fields = client.answer()
    assert (status, fields["connection"]) == (413, "close")


@pytest.mark.parametrize(
    ("lines", "version", "kept"),
    [
        ((), "HTTP/1.1", True),
        (("Connection: close",), "HTTP/1.1", False),
        ((), "HTTP/1.0", False),
        (("Connection: keep-alive",), "HTTP/1.0", True),
    ],
)
def test_whether_a_connection_is_kept(
    front: Serving, lines: tuple[str, ...], version: str, kept: bool
) -> None:
    client = front.connect()
    client.get("/", *lines, version=version)
    status, body, fields = client.answer()
    assert (status, body) == (200, SAID)
    said = fields.get("connection", "keep-alive" if version == "HTTP/1.1" else "close")
    assert said == ("keep-alive" if kept else "close")
    if kept:
        assert client.ask()[0] == 200
    else:
        assert client.rest() == b""


# Ends.


def test_a_client_that_ends_its_half_is_answered(front: Serving) -> None:
    client = front.connect()
    client.send(GET)
    client.sock.shutdown(socket.SHUT_WR)
    assert client.answer()[:2] == (200, SAID)
    assert client.rest() == b""


@pytest.mark.parametrize(
    ("sent", "phase"),
    [
        (b"", "fresh"),
        (GET[:20], "fresh"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123", "body"),
        (GET.replace(b"/ ", b"/slow "), "working"),
        (GET.replace(b"/ ", b"/slow ") + GET, "working"),
    ],
)
def test_resets_leave_nothing(front: Serving, app: App, sent: bytes, phase: str) -> None:
    client = front.connect()
    client.send(sent)
    front.wait_for(**{phase: 1})
    client.reset()
    app.may.set()
    wait_until(lambda: not front.front.places.counts()["connections"])
    assert front.connect().ask()[0] == 200


def test_a_reset_of_one_that_is_kept_alive(front: Serving) -> None:
    client = front.connect()
    assert client.ask()[0] == 200
    client.reset()
    wait_until(lambda: not front.front.places.counts()["connections"])


# Refusals.


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * MAX_HEAD + b"\r\n\r\n", 431),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
    ],
)
def test_what_is_refused(front: Serving, app: App, head: bytes, status: int) -> None:
    client = front.connect()
    client.send(head)
    code, body, fields = client.answer()
    assert (code, fields["connection"]) == (status, "close")
    assert b'"message"' in body
    assert client.rest() == b""
    assert not app.environs


def test_a_refusal_is_read_by_one_that_goes_on_sending(front: Serving) -> None:
    client = front.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n")
    front.wait_for(lingering=1)
    client.send(b"x" * 500_000)  # more than a kernel keeps: who closed would have sent a reset
    assert client.answer()[0] == 413
    assert client.rest() == b""


def test_what_follows_a_refusal_is_bounded(front: Serving) -> None:
    client = front.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n")
    with pytest.raises(OSError, match=r"reset|[Pp]ipe"):
        client.send(b"x" * (100 << 20))


@pytest.mark.parametrize(
    ("sent", "phase"),
    [
        (b"", Phase.FRESH),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", Phase.FRESH),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123", Phase.BODY),
        (GET + GET[:9], Phase.HEAD),
    ],
)
def test_who_is_too_slow_is_told(front: Serving, sent: bytes, phase: Phase) -> None:
    client = front.connect()
    client.send(sent)
    if phase is Phase.HEAD:
        assert client.answer()[0] == 200
    front.wait_for(**{phase.value[1]: 1})
    front.advance(phase.seconds / 2)
    if phase is Phase.BODY:
        client.send(b"4")  # it is from the beginning on
        front.settle()
    front.advance(phase.seconds / 2 + 1)
    status, body, fields = client.answer()
    assert (status, fields["connection"]) == (408, "close")
    assert f"{phase.seconds:g} s" in body.decode()
    assert client.rest() == b""


def test_who_asks_for_no_more_is_closed_without_a_word(front: Serving) -> None:
    client = front.connect()
    assert client.ask()[0] == 200
    front.wait_for(idle=1)
    front.advance(61)
    assert client.rest() == b""


def test_half_requests_hold_no_thread(front: Serving) -> None:
    clients = [front.connect() for _ in range(100)]
    for client in clients:
        client.send(GET[:-2])
    front.wait_for(fresh=100)
    assert front.front.counts()["requests"]["threads"] == 0
    assert front.connect().ask()[0] == 200
    front.advance(11)
    assert [client.answer()[0] for client in clients] == [408] * 100


def test_one_that_fails_when_it_is_late_keeps_no_other_from_its_end(
    front: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse, failed = HttpConnection.refuse, threading.Event()

    def fail_once(self: HttpConnection, *what: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError("scripted")
        refuse(self, *what)

    monkeypatch.setattr(HttpConnection, "refuse", fail_once)
    clients = [front.connect() for _ in range(3)]
    front.wait_for(fresh=3)
    front.advance(11)
    told = sorted(client.rest()[:12] for client in clients)
    assert told == [b"", b"HTTP/1.1 408", b"HTTP/1.1 408"]


def test_many_who_are_late_share_no_turn(front: Serving) -> None:
    clients = [front.connect() for _ in range(3 * TOLD)]
    front.wait_for(fresh=3 * TOLD)
    left: list[int] = []

    def look() -> None:
        left.append(front.front.deadlines.counts()["fresh"])
        if left[-1]:
            front.reactor.call_soon(look)

    front.settle()
    front.clock.advance(11)
    front.reactor.call_soon(look)
    assert [client.answer()[0] for client in clients] == [408] * (3 * TOLD)
    wait_until(lambda: left[-1:] == [0])
    assert max(before - after for before, after in pairwise([3 * TOLD, *left])) == TOLD


# Threads.


def test_health_is_answered_while_all_threads_are_held(serve: ServingMaker, app: App) -> None:
    one = serve()
    for number in range(THREADS):
        one.connect(f"127.0.0.{1 + number % 2}").get("/slow")
    for _ in range(THREADS):
        app.begun.acquire()
    waiting = one.connect()
    waiting.get()
    assert one.connect().ask("/healthz")[0] == 200
    app.may.set()
    assert waiting.answer()[0] == 200


def test_an_address_has_three_quarters_of_the_threads(front: Serving, app: App) -> None:
    for _ in range(THREADS):
        front.connect().get("/slow")
    for _ in range(THREADS * 3 // 4):
        app.begun.acquire()
    assert front.connect("127.0.0.2").ask()[0] == 200
    assert not app.begun.acquire(blocking=False)


def test_where_too_many_requests_wait_the_next_is_refused(
    front: Serving, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MAX_QUEUE", 0)
    status, body, fields = front.connect().ask()
    assert (status, fields["retry-after"], fields["connection"]) == (503, "2", "close")
    assert b"too_busy" in body
    assert not app.environs


def test_a_request_that_was_refused_is_not_run_later(
    front: Serving, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_: object) -> None:
        raise RuntimeError("can't start new thread")

    pool = front.front.dispatch._pool
    with monkeypatch.context() as patch:
        patch.setattr(pool, "_add_thread", lambda: none_left(pool))
        assert front.connect().ask("/first")[0] == 503
    assert front.connect().ask("/second")[0] == 200
    assert [environ["PATH_INFO"] for environ in app.environs] == ["/second"]


# Places.


def test_who_asks_for_nothing_gives_way(serve: ServingMaker, app: App) -> None:
    one = serve(places=Places(most=4))
    busy = one.connect()
    busy.get("/slow")
    app.begun.acquire()
    silent, half = one.connect(), one.connect()
    half.send(GET[:20])
    one.wait_for(fresh=2)
    wait_until(lambda: len(one.front._connections) == 3)
    others = [one.connect() for _ in range(2)]
    assert silent.rest() == half.rest() == b""
    assert [other.ask()[0] for other in others] == [200, 200]
    app.may.set()
    assert busy.answer()[0] == 200


def test_whoever_has_its_share_is_refused_and_others_are_not(serve: ServingMaker, app: App) -> None:
    one = serve(places=Places(most=4))
    for _ in range(3):
        one.connect().get("/slow")
        app.begun.acquire()
    assert one.connect().rest() == b""
    assert one.turned_away == ["127.0.0.1"]
    assert one.connect("127.0.0.2").ask()[0] == 200


# Going down.


def test_last_answers_are_written_and_connections_end_with_them(front: Serving, app: App) -> None:
    slow, idle = front.connect(), front.connect()
    assert idle.ask()[0] == 200
    slow.get("/slow")
    app.begun.acquire()
    front.front.stop()
    front.settle()
    with pytest.raises(ConnectionRefusedError):
        front.connect()
    status, _, fields = idle.ask()
    assert (status, fields["connection"]) == (200, "close")
    assert not front.front.settled
    app.may.set()
    assert slow.answer()[0] == 200


def test_whoever_has_connected_before_the_end_is_served(front: Serving) -> None:
    front.reactor.call_soon(lambda: front.front.pause(1_000))
    front.settle()
    client = front.connect()
    client.get()
    front.reactor.call_soon(front.front._listen)
    front.front.stop()
    assert client.answer()[0] == 200


def test_accepting_goes_on_after_a_pause(front: Serving) -> None:
    front.reactor.call_soon(lambda: front.front.pause(0.1))
    front.settle()
    client = front.connect()
    client.get()
    assert front.front.places.counts()["connections"] == 0
    front.advance(0.2)
    assert client.answer()[0] == 200


def test_the_environ_of_an_answered_request_keeps_no_connection(front: Serving, app: App) -> None:
    assert front.connect().ask("/a?b=c", "X-Field: value")[0] == 200
    (environ,) = app.environs
    assert environ["textstream.door"].connection is None
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a", "b=c")
    assert environ["HTTP_X_FIELD"] == "value"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["SERVER_PORT"] == str(front.address[1])


# Bodies of many.


def large_post(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size


def test_large_bodies_take_turns_and_all_end(serve: ServingMaker) -> None:
    """Together they are more than may be kept; if each waited for the others none would end."""
    one = serve(places=Places(max_bodies=100_000))
    clients = [one.connect() for _ in range(12)]
    for client in clients:
        client.send(large_post(MAX_BODY)[: MAX_BODY // 2])
    for client in clients:
        client.send(large_post(MAX_BODY)[MAX_BODY // 2 :])
    small = one.connect()
    small.send(large_post(5_000)[:-1], b"x")
    assert len(small.answer()[1]) == 5_000
    waiting = list(clients)
    while waiting:
        one.advance(0.1)  # those that wait look again
        answered = [client for client in waiting if select.select([client.sock], [], [], 0)[0]]
        for client in answered:
            assert client.answer()[0] == 200
            waiting.remove(client)
    assert one.front.places.counts()["bodies"] == 0


class Kept:
    """Parks whatever comes, and lets nothing go."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.left = threading.Event()

    def park(self, environ: dict[str, Any], _wake: object) -> bool:
        self.environs.append(environ)
        return True

    def leave(self, _environ: dict[str, Any]) -> None:
        self.left.set()


def test_a_body_counts_until_nobody_has_it_also_where_its_client_has_gone(
    serve: ServingMaker,
) -> None:
    parking = Kept()
    one = serve(parking=parking)
    client = one.connect()
    client.send(large_post(5_000).replace(b"POST /", b"POST /socket.io/"))
    wait_until(lambda: bool(parking.environs))
    client.close()
    assert parking.left.wait(TIMEOUT)
    one.settle()
    assert one.front.places.counts()["bodies"] == 5_000
    parking.environs.clear()
    assert one.front.places.counts()["bodies"] == 0


def test_who_takes_little_of_an_answer_has_not_for_ever(serve: ServingMaker) -> None:
    def app(_: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * (4 << 20)]

    one = serve(app)
    client = one.connect(buffer=4_096)
    client.get()
    one.wait_for(writing=1)
    for _ in range(4):
        client.sock.recv(1)
        one.advance(4)
    one.wait_for(writing=0)


def test_a_handshake_s_answer_is_gathered_whole(serve: ServingMaker) -> None:
    """It is made in the reactor's thread, which must not wait for its client."""

    def app(_: object, start_response: Any) -> Iterator[bytes]:
        start_response("400 No", [])
        for _ in range(64):
            yield b"x" * 65_536

    one = serve(app)
    client = one.connect(buffer=4_096)
    client.get("/socket.io/", "Upgrade: websocket", "Connection: Upgrade")
    one.wait_for(writing=1)
    one.settle()
    assert len(client.answer()[1]) == 64 * 65_536


def test_a_thousand_idle_connections_take_little(serve: ServingMaker) -> None:
    one = serve(places=Places(far=2_000))
    one.connect().ask()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        clients = [socket.create_connection(one.address) for _ in range(500)]
        for client in clients:
            client.sendall(GET)
        for client in clients:
            client.recv(4_096)
        one.wait_for(idle=501)
        each = (tracemalloc.get_traced_memory()[0] - before) / len(clients)
    finally:
        tracemalloc.stop()
    for client in clients:
        client.close()
    assert each < 4_000, "bytes, the client's own included"
