"""Figures at an address of their own."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.conftest import Connect
from tests.live.streams import endless
from tests.support.figures import TIMEOUT, Figures
from tests.support.local_app import local_app
from tests.support.ports import taken
from tests.support.timing import patient
from textstream.settings import Settings
from textstream.web import metrics_port
from textstream.web.metrics_port import CONNECTIONS, MetricsPort, warn_of_no_port

pytestmark = pytest.mark.live


@pytest.fixture
def port() -> Iterator[MetricsPort]:
    with local_app(Settings()) as (_, parts):
        parts.beside = port = MetricsPort(parts, "127.0.0.1:0")
        port.open()
        yield port


def url_of(port: MetricsPort) -> str:
    return f"http://127.0.0.1:{port.port}"


def test_it_has_what_the_operator_asks_for_and_nothing_else(port: MetricsPort) -> None:
    assert Figures.of(url_of(port)).sum("textstream_draining") == 0
    assert requests.get(f"{url_of(port)}/healthz", timeout=TIMEOUT).json() == {"status": "ok"}
    assert requests.get(f"{url_of(port)}/readyz", timeout=TIMEOUT).json() == {"status": "ready"}
    for path in ("/", "/app/", "/api/sources", "/socket.io/?EIO=4&transport=polling"):
        assert requests.get(f"{url_of(port)}{path}", timeout=TIMEOUT).status_code == 404


def test_whoever_reaches_it_may_have_them(port: MetricsPort) -> None:
    headers = {"Host": "stream.internal:9100", "X-Forwarded-For": "203.0.113.7"}
    answer = requests.get(f"{url_of(port)}/metrics", headers=headers, timeout=TIMEOUT)
    assert answer.status_code == 200


def test_who_says_nothing_there_keeps_nobody_out(port: MetricsPort) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS + 5):
            stack.enter_context(socket.create_connection(("127.0.0.1", port.port), TIMEOUT))
        assert Figures.of(url_of(port)).sum("textstream_draining") == 0


def test_it_answers_while_the_server_drains(sio: Connect) -> None:
    with local_app(Settings()) as (url, parts):
        parts.beside = port = MetricsPort(parts, "127.0.0.1:0")
        port.open()
        endless(sio(url))
        parts.hub.refuse_starts()
        found = Figures.of(url_of(port))
        assert found.sum("textstream_draining") == 1
        assert found.sum("textstream_streams_running") == 1


def test_where_a_port_is_taken_it_has_the_next_of_those_that_workers_share() -> None:
    with taken(3) as (first, listening), local_app(Settings()) as (_, parts):
        listening[2].close()
        parts.beside = port = MetricsPort(parts, f"127.0.0.1:{first}", workers=3)
        port.open_when_free()
        assert port.port == first + 2


def test_one_that_is_taken_is_tried_until_it_is_free(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(metrics_port, "AGAIN", 0.01)
    with taken() as (number, (listening,)), local_app(Settings()) as (_, parts):
        parts.beside = port = MetricsPort(parts, f"127.0.0.1:{number}")
        with pytest.raises(OSError, match="in use"):
            port.open()
        port.open_when_free()
        assert port.port == 0
        listening.close()
        deadline = time.monotonic() + patient(10)
        while not port.port:
            assert time.monotonic() < deadline
            parts.transport.reactor.settle(deadline)  # type: ignore[union-attr]  # it has one
        assert port.port == number
    # Of this logger: on a busy machine the reactor says that a turn took long.
    (told,) = [one for one in caplog.records if one.name == "textstream.server"]
    assert told.getMessage().startswith(f"no figures yet: cannot listen on 127.0.0.1:{number}")


def test_after_its_end_it_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_port, "AGAIN", 0.0)
    with taken() as (number, (listening,)), local_app(Settings()) as (_, parts):
        port = MetricsPort(parts, f"127.0.0.1:{number}")
        port.open_when_free()
        port.close(time.monotonic())
        listening.close()
        for _ in range(3):
            parts.transport.reactor.settle(time.monotonic() + TIMEOUT)  # type: ignore[union-attr]
        assert port.port == 0


@pytest.mark.parametrize(("setting", "lines"), [("", 0), ("off", 0), (":9100", 1)])
def test_a_server_that_does_not_serve_it_says_so(
    caplog: pytest.LogCaptureFixture, setting: str, lines: int
) -> None:
    warn_of_no_port(setting)
    assert len(caplog.records) == lines
