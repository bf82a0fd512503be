"""Clients that come and go: their frames, their requests, their clocks, and each work for real."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from benchmarks.crowd import frames, lives, waiting
from benchmarks.crowd.http import NO_ANSWER, Health, Line, joined, request
from benchmarks.crowd.loop import Loop
from benchmarks.crowd.reader import Reader
from benchmarks.crowd.scene import SENTENCE, Scene, Tally, text_of
from benchmarks.crowd.session import Seen
from benchmarks.measure import Options, can, measure
from benchmarks.process import ServerProcess
from benchmarks.result import Result
from benchmarks.servers import SERVERS, Server, find
from benchmarks.workloads import NAMES, Workload, parse

CROWD = [server for server in SERVERS if server.crowds]


@pytest.fixture
def loop() -> Iterator[Loop]:
    with Loop() as made:
        yield made


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4000])
def test_a_frame_made_by_hand_is_one(size: int) -> None:
    connection = Connection(ConnectionType.SERVER)
    payload = ("abc" * size)[:size]
    connection.receive_data(frames.masked(payload.encode()))
    (event,) = connection.events()
    assert isinstance(event, TextMessage)
    assert event.data == payload


def test_what_came_in_pieces_is_taken_apart_all_the_same() -> None:
    connection = Connection(ConnectionType.SERVER)
    payloads = ["a", "b" * 125, "c" * 126, "d" * 70_000, ""]
    sent = b"".join(connection.send(TextMessage(data=payload)) for payload in payloads)
    buffer, taken = bytearray(), []
    for piece in (sent[i : i + 97] for i in range(0, len(sent), 97)):
        buffer += piece
        taken += list(frames.take(buffer))
    assert taken == [(frames.TEXT, payload.encode()) for payload in payloads]
    assert not buffer


def test_the_frame_of_a_character_has_the_size_that_is_looked_for() -> None:
    frame = Connection(ConnectionType.SERVER).send(TextMessage(data='42["new_char","x"]'))
    assert len(frame) == frames.CHAR_FRAME
    assert frame.startswith(frames.CHAR_HEAD)
    assert chr(frame[-3]) == "x"


def test_neighbours_get_another_text() -> None:
    texts = [text_of(number, 400) for number in range(len(SENTENCE))]
    assert {len(text) for text in texts} == {400}
    assert len(set(texts)) == len(texts)
    assert not set("".join(texts)) & set('"\\')


def test_a_text_that_is_another_is_found_out(loop: Loop) -> None:
    reader = Reader(loop, 0, Seen(), "abc")
    for code in b"ab":
        reader.take_character(code)
    assert reader.exact_so_far
    assert not reader.exact
    reader.take_character(ord("c"))
    assert reader.exact
    reader.take_character(ord("c"))
    assert not reader.exact_so_far
    result = Result("ours", "life3-1", 1)
    result.add_exact([True, reader.exact])
    result.add_errors(Counter({"HTTP 429": 2}))
    assert result.failed == "1 of 2 texts not exact; HTTP 429 (2)"


def test_what_is_due_is_done_in_order(loop: Loop) -> None:
    done: list[str] = []
    now = perf_counter()
    for name, delay in (("b", 0.002), ("a", 0.001), ("c", 0.002)):
        loop.at(now + delay, lambda name=name: done.append(name))  # type: ignore[misc]
    assert loop.run(lambda: len(done) == 3, 5.0)
    assert done == ["a", "b", "c"]
    assert not loop.run(lambda: False, 0.01)


def test_arrivals_are_the_same_for_all() -> None:
    times = lives.arrivals(600, 6.0)
    assert times == lives.arrivals(600, 6.0)
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= 6
    assert sum(time < 3 for time in times) == pytest.approx(300, abs=60)


def test_names_of_works() -> None:
    life = parse("life30-600")
    assert (life.kind, life.characters, life.readers, life.is_crowd) == ("lives", 30, 600, True)
    assert not parse("paced-7").is_crowd
    for name in ("life-600", "life0-6", "life30-0", "life123456-1", "storm-1"):
        with pytest.raises(ValueError, match="no workload"):
            parse(name)
    assert "lifeC-N" in NAMES


def test_only_ours_come_back() -> None:
    assert can(find("ours"), parse("reconnect-6"))
    assert not can(find("node"), parse("reconnect-6"))
    assert not can(find("floor"), parse("connect-6"))


class Answers:
    """A server that gives ready-made answers, one to each request, and closes where it is told."""

    def __init__(self, *answers: tuple[bytes, bool]) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        sock: socket.socket | None = None
        for answer, closes in self._answers:
            if sock is None:
                sock, _ = self._listener.accept()
                self.connections += 1
            self.requests.append(sock.recv(4096))
            sock.sendall(answer)
            if closes:
                sock.close()
                sock = None
        if sock is not None:
            sock.close()


KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
TO_THE_END = b"HTTP/1.0 400 Bad\r\n\r\nall of it"
NOTHING = b""


def test_a_line_is_kept_and_made_anew_when_it_was_closed(loop: Loop) -> None:
    answers = [(KEPT, False), (CHUNKED, True), (TO_THE_END, True), (NOTHING, True)]
    got: list[tuple[int, bytes]] = []
    with Answers(*answers) as server:
        line = Line(loop, server.port)
        for number in range(len(answers)):
            body = b"x" if number else None
            line.ask(request(server.port, "/a", body), lambda *answer: got.append(answer))
            assert loop.run(lambda number=number: len(got) > number, 5.0)  # type: ignore[misc]
        line.close()
    assert got == [(200, b"ok"), (201, b"abc"), (400, b"all of it"), (NO_ANSWER, b"")]
    assert server.connections == 3
    assert server.requests[0].startswith(b"GET /a HTTP/1.1\r\n")
    assert server.requests[1].endswith(b"Content-Length: 1\r\n\r\nx")


def test_a_health_that_is_not_answered_counts_as_late(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        health = Health(loop, deaf.getsockname()[1])
        loop.rest(0.02)
        health.end()
    assert len(health.seconds) == 1
    assert health.seconds[0] >= 0.02


def test_chunks_are_joined() -> None:
    assert joined(b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n") == b"abc0123456789"


@pytest.mark.parametrize("server", CROWD, ids=lambda server: str(server.name))
@pytest.mark.parametrize("name", ["life3-4", "start-4", "polling-3"])
def test_every_server_has_crowds(server: Server, name: str) -> None:
    if missing := server.missing():
        pytest.skip(missing)
    workload = parse(name)
    if workload.kind == "polling":
        workload = Workload(name, "polling", 3, 50.0, 10)
    (result,) = measure(server, workload, Options())
    assert result.failed is None
    assert result.errors is None
    assert result.exact
    assert result.connected == workload.readers
    assert result.cost
    assert result.generator_cpu
    assert result.polls_each if workload.kind == "polling" else result.first_p99


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("ours", "connect-60"),
        ("ours", "leave-4"),
        ("ours", "reconnect-4"),
        ("ours-tokens", "connect-4"),
    ],
)
def test_ours_stands_the_others(server: str, name: str) -> None:
    (result,) = measure(find(server), parse(name), Options())
    assert result.failed is None
    assert result.errors is None
    assert result.connected == result.readers
    assert result.cost
    assert result.threads


Work = Callable[[Scene, Workload, Result], None]


@pytest.mark.parametrize(
    ("module", "work", "name"),
    [(waiting, waiting.silent, "silent-10"), (lives, lives.newcomers, "newcomers-10")],
)
def test_readers_beside_others_are_watched(
    module: Any, work: Work, name: str, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant in ("SETTLE_SECONDS", "QUIET_SECONDS", "BUSY_SECONDS", "HALF_SECONDS"):
        with contextlib.suppress(AttributeError):
            monkeypatch.setattr(module, constant, 0.3)
    workload = parse(name)
    result = Result("ours", name, workload.readers)
    with ServerProcess(find("ours")) as process:
        work(Scene(process.port, process.pid, loop), workload, result)
    assert result.failed is None
    assert result.exact
    assert result.quiet_gap_p99
    assert result.gap_p99
    if work is waiting.silent:
        assert result.endings == {"silent open": 10, "half open": 3}
        assert result.connected == 13


def test_pollers_wait_beside_one_who_asks_for_the_health(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "QUIET_SECONDS", 0.3)
    result = Result("ours", "idlepolling-3", 3)
    with ServerProcess(find("ours")) as process:
        scene = Scene(process.port, process.pid, loop)
        waiting.idle_polling(scene, parse("idlepolling-3"), result)
    assert not scene.seen.errors
    assert (result.connected, result.http_answered) == (3, 1.0)
    assert result.http_p99
    assert result.cost


def test_a_server_that_does_not_do_it_is_a_failed_result() -> None:
    refusing = (
        "import http.server\n"
        "s = http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)\n"
        "print(f'http://127.0.0.1:{s.server_port}', flush=True)\n"
        "s.serve_forever()\n"
    )
    server = dataclasses.replace(find("ours"), command=(sys.executable, "-c", refusing))
    (result,) = measure(server, parse("connect-4"), Options())
    assert result.failed
    assert result.failed.startswith("not all connected: HTTP 501")


def test_a_tally_is_full_when_all_have_come(loop: Loop) -> None:
    tally, session = Tally(2), Reader(loop, 0, Seen())
    tally(session)
    assert not tally.full()
    tally(session)
    assert tally.full()
