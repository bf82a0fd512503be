"""Under a path: what the server says of where it is, and what it takes for its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from textstream.settings import Settings
from textstream.web.app import create_app

SOCKET_IO = "/socket.io/?EIO=4&transport=polling&sid=none"
"""Engine.IO itself answers: with a 400, and nothing is begun."""

FOUND = {200, 400}


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    app = create_app(Settings(preload=False, lab="on"))
    yield app
    app.extensions["textstream"].close(0)


@pytest.fixture(scope="module")
def prefixed() -> Iterator[Flask]:
    """A server that is told its prefix, since the proxy leaves it on."""
    app = create_app(Settings(prefix="/a/b/", lab="on"))
    yield app
    app.extensions["textstream"].close(0)


def nothing(_environ: object, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return []


def get(app: Any, path: str, **environ: str) -> tuple[int, str]:
    """Return the status, and where the answer leads, or what it says."""
    environ = {"REMOTE_ADDR": "127.0.0.1", **environ}
    with Client(app).get(path, environ_overrides=environ) as answer:
        text = answer.get_data(as_text=True)
        return answer.status_code, answer.headers.get("Location", text)


@pytest.mark.parametrize("path", ["/app", "/lab"])
@pytest.mark.parametrize("query", ["", "?watch=a-b&server=https%3A%2F%2Fs%2Fx"])
def test_a_page_without_its_slash_leads_to_where_it_is_whatever_lies_before(
    app: Flask, path: str, query: str
) -> None:
    status, location = get(app, f"{path}{query}")
    assert status == 308
    for prefix in ("", "/stream", "/a/b"):
        asked = f"https://site.example{prefix}{path}"
        assert urljoin(asked, location) == f"{asked}/{query}"


@pytest.mark.parametrize("path", ["//site.example/app", "/app//", "/lab//x", "/api//sources"])
def test_no_other_path_leads_anywhere(app: Flask, path: str) -> None:
    assert get(app, "/", PATH_INFO=path)[0] == 404


@pytest.mark.parametrize("path", ["//", "//app/", "///api/sources", f"/{SOCKET_IO}"])
def test_a_proxy_that_leaves_a_slash_too_many_is_answered(app: Flask, path: str) -> None:
    path, _, query = path.partition("?")
    assert get(app, f"/?{query}", PATH_INFO=path)[0] in FOUND


@pytest.mark.parametrize("prefix", ["/stream", "/a/b", "/流", "/a:b"])
def test_mounted_by_another_application(app: Flask, prefix: str) -> None:
    mounted = DispatcherMiddleware(nothing, {prefix.encode().decode("latin-1"): app})
    for path in ("/", "/app/", "/lab/", "/api/sources", "/healthz", "/metrics", SOCKET_IO):
        assert get(mounted, f"{prefix}{path}")[0] in FOUND, path
    for path in ("", "/app", "/lab"):
        status, location = get(mounted, f"{prefix}{path}?x=1")
        to = urljoin(f"http://h{prefix}{path}", location).removeprefix("http://h")
        assert status == 308
        assert location.startswith("./")
        assert to.endswith("/?x=1")
        assert get(mounted, to)[0] in FOUND, path


@pytest.mark.parametrize(
    "path", ["/", "/app/", "/lab/", "/api/sources", "/healthz", "/metrics", SOCKET_IO]
)
def test_a_prefix_that_is_left_on_is_taken_off_and_the_root_is_as_before(
    prefixed: Flask, path: str
) -> None:
    assert get(prefixed, f"/a/b{path}")[0] in FOUND
    assert get(prefixed, path)[0] in FOUND
    for other in ("/a", "/a/bc", "/b", "/A/B", "/a/b/a/b"):
        assert get(prefixed, f"{other}{path}")[0] == 404, other


def test_the_root_of_the_prefix_gets_its_slash(prefixed: Flask) -> None:
    assert get(prefixed, "/a/b?watch=x") == (308, "./b/?watch=x")


def test_a_header_that_anybody_can_send_makes_no_prefix(app: Flask) -> None:
    for name in ("X_FORWARDED_PREFIX", "X_SCRIPT_NAME", "SCRIPT_NAME"):
        assert get(app, "/x/healthz", **{f"HTTP_{name}": "/x"})[0] == 404


def test_who_trusts_a_proxy_may_say_so_with_werkzeug(app: Flask) -> None:
    """A proxy that takes the prefix off, and names it: nothing leaves it."""
    trusting = ProxyFix(app, x_prefix=1)
    assert get(trusting, "/app", HTTP_X_FORWARDED_PREFIX="/stream") == (308, "./app/")
    assert get(trusting, "/", HTTP_X_FORWARDED_PREFIX="/stream")[0] in FOUND


@pytest.mark.parametrize("path", ["/", "/app/", "/lab/"])
def test_what_a_page_that_is_not_built_names_is_under_the_prefix(
    app: Flask, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("pathlib.Path.is_file", lambda _: False)
    links = [part.partition('"')[0] for part in get(app, path)[1].split('href="')[1:]]
    home = "http://h/a/b"
    assert [urljoin(f"{home}{path}", link) for link in links] == [
        f"{home}/api/sources",
        f"{home}/healthz",
    ]
