"""Which polls a gunicorn worker's loop hands to the reactor by itself."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from textstream.access.address import Proxies
from textstream.settings import Settings
from textstream.transport.http.head import parse_head
from textstream.transport.http.request import Carrier, Request
from textstream.web.app import create_app
from textstream.web.gthread_parking import Parker
from textstream.web.request_kinds import Routes
from textstream.web.server import Server

PREFIX = "/chat"
POLL = "/socket.io/?EIO=4&transport=polling&sid=x"

Take = Callable[[], socket.socket]


class Polls:
    """Stand in the place of the reactor's, and take all that they are given."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.taken: list[socket.socket] = []

    def park(self, environ: dict[str, Any], take: Take, *, patient: bool) -> bool:
        assert patient
        self.environs.append(environ)
        self.taken.append(take())
        return True


class Worker:
    """What the parker sees of a worker, and one connection to it."""

    def __init__(self, sock: socket.socket) -> None:
        app = create_app(Settings(prefix=PREFIX))
        self.server: Server = app.extensions["textstream"]
        self.wsgi: Any = app
        self.sock = sock
        self.polls = Polls()
        self.parker = Parker(
            self,
            self.server,
            cast("Any", SimpleNamespace(handed_polls=self.polls)),
            Routes(PREFIX, Proxies(())),
        )

    def parks(self, line: str, *, body: bytes = b"", ahead: bytes = b"") -> bool:
        head = parse_head(f"{line} HTTP/1.1\r\nHost: x\r\nOrigin: http://o\r\n\r\n".encode())
        carrier = cast("Carrier", SimpleNamespace(ahead=ahead, take=lambda: self.sock))
        return self.parker(Request(head, body, len(body), carrier))


@pytest.fixture
def worker() -> Iterator[Worker]:
    with socket.socket() as sock:
        made = Worker(sock)
        yield made
        made.server.close()


def test_a_poll_is_parked_with_what_it_was_asked_with(worker: Worker) -> None:
    assert worker.parks(f"GET {POLL}")
    assert worker.parks(f"GET {PREFIX}{POLL}")
    assert worker.polls.taken == [worker.sock] * 2
    environ = worker.polls.environs[0]
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["QUERY_STRING"] == "EIO=4&transport=polling&sid=x"
    assert environ["HTTP_ORIGIN"] == "http://o"


def test_what_else_comes_is_a_threads(worker: Worker) -> None:
    assert not worker.parks(f"POST {POLL}", body=b"3")
    assert not worker.parks(f"GET {POLL}", body=b"3")
    assert not worker.parks(f"GET {POLL}", ahead=b"GET")
    assert not worker.parks("GET /healthz")
    assert not worker.parks("GET /socket.io/socket.io.js")
    assert worker.polls.taken == []


def test_a_middleware_of_somebody_elses_sees_all_polls(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = worker.server.app
    inner = app.wsgi_app
    with monkeypatch.context() as patch:
        patch.setattr(worker, "wsgi", partial(app))
        assert not worker.parks(f"GET {POLL}")
    assert worker.parks(f"GET {POLL}")
    with monkeypatch.context() as patch:
        patch.setattr(app, "wsgi_app", partial(inner))
        assert not worker.parks(f"GET {POLL}")
    assert worker.parks(f"GET {POLL}")
