"""Werkzeug's server within its bounds, with real clients."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPResponse
from typing import Any

import pytest
from werkzeug.wrappers import Response

from tests.sources.waiting import wait_until
from tests.support.timing import patient
from textstream.access.address import Proxies
from textstream.web.request_threads import RequestThreads
from textstream.web.werkzeug_server import WsgiServer

pytestmark = pytest.mark.live

TIMEOUT = patient(10.0)


class App:
    """Answers each request; one for ``/slow`` when it may."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.begun.release()
            self.may.wait(TIMEOUT)
        return Response("here you are")(environ, start_response)


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def server(app: App) -> Iterator[WsgiServer]:
    """One that gives 4 connections a thread, 3 of one address."""
    one = WsgiServer("127.0.0.1", 0, app, proxies=Proxies())
    one.request_threads = RequestThreads(Proxies(), most=4)
    thread = threading.Thread(target=one.serve_forever, args=(0.02,))
    thread.start()
    yield one
    app.may.set()
    one.shutdown()
    thread.join()


Connect = Callable[..., socket.socket]


@pytest.fixture
def connect(server: WsgiServer) -> Iterator[Connect]:
    """Connect from an address of loopback."""
    sockets: list[socket.socket] = []

    def connect_(address: str = "127.0.0.1") -> socket.socket:
        sock = socket.socket()
        sockets.append(sock)
        sock.settimeout(TIMEOUT)
        sock.bind((address, 0))
        sock.connect(("127.0.0.1", server.server_port))
        return sock

    yield connect_
    for sock in sockets:
        sock.close()


def send(sock: socket.socket, path: str = "/") -> None:
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def answer(sock: socket.socket) -> tuple[int, bytes, str | None]:
    """Return status, body, and when to come again."""
    with HTTPResponse(sock) as response:
        response.begin()
        return response.status, response.read(), response.headers["Retry-After"]


def ask(sock: socket.socket) -> tuple[int, bytes, str | None]:
    send(sock)
    return answer(sock)


def requests_end() -> None:
    """Wait until no connection has a thread: they stay a little longer than for the answer."""
    for thread in threading.enumerate():
        if thread.name == "request":
            thread.join(TIMEOUT)


def test_whoever_has_its_share_is_refused_and_others_are_not(
    app: App, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    slow = [connect() for _ in range(3)]
    for sock in slow:
        send(sock, "/slow")
        app.begun.acquire()
    for _ in range(2):
        status, body, again = ask(connect())
        assert (status, json.loads(body)["code"], again) == (503, "too_busy", "2")
    assert ask(connect("127.0.0.2"))[:2] == (200, b"here you are")
    (line,) = [one.getMessage() for one in caplog.records if one.name == "textstream.server"]
    assert "127.0.0.1 has its share of 3 requests" in line
    assert "TEXTSTREAM_TRUSTED_PROXIES" in line
    app.may.set()
    assert [answer(sock)[0] for sock in slow] == [200] * 3
    requests_end()
    assert ask(connect())[0] == 200


def test_who_asks_for_nothing_gives_way(app: App, server: WsgiServer, connect: Connect) -> None:
    slow, silent, half = connect(), connect(), connect()
    send(slow, "/slow")
    app.begun.acquire()
    half.sendall(b"GET / HTTP/1.1\r\nHost: ")
    visits = server.request_threads._visits
    # Or it counts as one that has asked, to which its thread has not come yet.
    wait_until(lambda: len(visits) == 3 and all(one.silent for one in list(visits.values())))
    others = [connect() for _ in range(2)]
    assert silent.recv(1) == half.recv(1) == b""
    assert [ask(sock)[0] for sock in others] == [200, 200]
    app.may.set()
    assert answer(slow)[0] == 200


def test_no_thread_is_no_end(
    server: WsgiServer,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    start = threading.Thread.start

    def none_left(thread: threading.Thread) -> None:
        if thread.name == "request":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", none_left)
    for _ in range(5):
        assert ask(connect())[0] == 503
    monkeypatch.undo()
    assert ask(connect())[0] == 200
    (line,) = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert "no thread more" in line
    assert "Traceback" not in capfd.readouterr().err


def test_one_that_has_gone_is_counted_out(server: WsgiServer, connect: Connect) -> None:
    for count in range(21):  # the last one is answered: those before were accepted
        sock = connect()
        assert count % 2 or ask(sock)[0] == 200
        sock.close()
        # Or three whose answers are written, but whose threads have not ended, have the share.
        wait_until(lambda: not server.request_threads.counts()["connections"])
    assert server.request_threads.counts() == {"connections": 0, "addresses": 0}


def test_a_port_that_is_taken(server: WsgiServer, capfd: pytest.CaptureFixture[str]) -> None:
    def app(*_: Any) -> Any:
        raise AssertionError

    with pytest.raises(SystemExit):
        WsgiServer("127.0.0.1", server.server_port, app, proxies=Proxies())
    assert "in use" in capfd.readouterr().err
