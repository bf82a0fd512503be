"""``/healthz``, ``/readyz`` and ``/metrics``: what they say, and who may have figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from textstream.access.account import Kind
from textstream.settings import BadSettings, Settings, read_settings, split_address
from textstream.web import descriptors
from textstream.web.app import create_app
from textstream.web.server import Server

HERE = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:5002"}


def made(**settings: Any) -> Flask:
    return create_app(Settings(**settings))


def ask(app: Flask, path: str, **environ: Any) -> TestResponse:
    """Ask from this machine, but for what `environ` says."""
    asked = {**HERE, **environ}
    return Client(app).get(path, base_url=f"http://{asked['HTTP_HOST']}/", environ_overrides=asked)


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    app = made(trusted_proxies="127.0.0.1,10.0.0.0/8")
    yield app
    app.extensions["textstream"].close(0)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"REMOTE_ADDR": "127.8.9.10"},
        {"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:5002"},
        {"REMOTE_ADDR": "::ffff:127.0.0.1"},
        {"REMOTE_ADDR": "", "HTTP_HOST": "localhost"},  # a Unix socket
        {"HTTP_HOST": "LOCALHOST.:80"},
        {"HTTP_HOST": ""},
    ],
    ids=str,
)
def test_this_machines_own_programs_may_have_figures(app: Flask, asked: dict[str, str]) -> None:
    answer = ask(app, "/metrics", **asked)
    assert answer.status_code == 200
    assert "textstream_draining 0.0" in answer.text


@pytest.mark.parametrize(
    "asked",
    [
        {"REMOTE_ADDR": "203.0.113.7"},
        {"REMOTE_ADDR": "192.168.0.2"},
        {"REMOTE_ADDR": "2001:db8::1"},
        {"REMOTE_ADDR": "10.0.0.5"},  # a proxy itself
        {"HTTP_X_FORWARDED_FOR": "203.0.113.7"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},  # a client may have said so
        {"REMOTE_ADDR": "10.0.0.5", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=203.0.113.7"},
        {"HTTP_X_REAL_IP": "203.0.113.7"},
        {"HTTP_ORIGIN": "https://page.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_HOST": "rebound.example"},
        {"HTTP_HOST": "127.0.0.1.rebound.example:5002"},
        {"HTTP_HOST": "localhost.rebound.example"},
        {"HTTP_HOST": "10.0.0.9:5002"},
    ],
    ids=str,
)
def test_nobody_else_may(app: Flask, asked: dict[str, str]) -> None:
    answer = ask(app, "/metrics", **asked)
    is_misdirected = "HTTP_HOST" in asked  # refused before anything is looked for
    assert answer.status_code == (421 if is_misdirected else 403)
    assert answer.json is not None
    assert answer.json["code"] == "forbidden"
    assert ("TEXTSTREAM_HOSTS" if is_misdirected else "TEXTSTREAM_METRICS") in answer.json[
        "message"
    ]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("setting", "word"), [("off", "--metrics off"), ("127.0.0.1:9100", "an address of their own")]
)
def test_where_they_are_elsewhere_or_off_nobody_has_them_here(setting: str, word: str) -> None:
    app = made(metrics=setting)
    answer = ask(app, "/metrics")
    assert answer.status_code == 403
    assert word in answer.text
    app.extensions["textstream"].close(0)


def test_of_several_workers_none_answers_for_all(app: Flask) -> None:
    answer = ask(app, "/metrics", **{"wsgi.multiprocess": True})
    assert answer.status_code == 403
    assert "Several workers" in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading_is_possible(app: Flask, path: str) -> None:
    head = Client(app).head(path, environ_overrides=HERE)
    assert (head.status_code, head.data) == (200, b"")
    assert Client(app).post(path, environ_overrides=HERE).status_code == 405


@pytest.mark.parametrize("asked", [{}, {"REMOTE_ADDR": "203.0.113.7", "HTTP_HOST": "s.example"}])
def test_health_is_for_everybody(app: Flask, asked: dict[str, str]) -> None:
    assert ask(app, "/healthz", **asked).json == {"status": "ok"}
    assert ask(app, "/readyz", **asked).json == {"status": "ready"}


def lack(app: Flask) -> str | None:
    """Return why the app is not ready, as it says; None: it is."""
    answer = ask(app, "/readyz")
    assert ask(app, "/healthz").json == {"status": "ok"}, "alive in any case"
    if answer.status_code == 200:
        assert answer.json == {"status": "ready"}
        return None
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json is not None
    assert answer.json.keys() == {"status", "reason"}
    return str(answer.json["reason"])


def test_whoever_can_take_no_more_says_what_there_is_no_more_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = made(max_connections=2, max_total_bytes=8192)
    parts: Server = app.extensions["textstream"]
    assert lack(app) is None

    visits = [parts.clients.enter(f"203.0.113.{number}") for number in range(2)]
    assert lack(app) == "connections"
    visits[0].leave()
    assert lack(app) is None

    parts.clients.account.add(Kind.TEXT, 8192)
    assert lack(app) == "bytes"
    parts.clients.account.add(Kind.TEXT, -1)
    assert lack(app) is None

    monkeypatch.setattr(descriptors, "limit", lambda: 1)
    assert lack(app) == "descriptors"
    monkeypatch.undo()
    assert lack(app) is None

    parts.hub.refuse_starts()
    assert lack(app) == "draining"
    visits[1].leave()
    parts.close(0)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":9100", ("", 9100)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:9100", ("::1", 9100)),
        ("metrics.internal:65535", ("metrics.internal", 65535)),
    ],
)
def test_an_address_to_listen_on(text: str, address: tuple[str, int]) -> None:
    assert split_address(text) == address


@pytest.mark.parametrize("text", ["9100", "127.0.0.1", ":", ":65536", "::1:9100", "on", "a b:1"])
def test_what_is_no_address_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(BadSettings, match=r"--metrics \(TEXTSTREAM_METRICS\): .*127.0.0.1:9100"):
        read_settings(metrics=text)
