"""What a page of somebody else's can do with the cookie of a visitor: nothing. Chromium decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.conftest import RANKED_LOCKS, StartServer
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer
from tests.support.site import site
from tests.support.tokens import SECRET, make_token

pytestmark = [pytest.mark.live, pytest.mark.browser]

COOKIE = "session"

START = '42["start_stream",{"text":"stolen"}]'

FETCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "reads the API": ("/api/sources", {}),
    "opens a session": ("/socket.io/?EIO=4&transport=polling", {}),
    "asks as an operator": ("/admin/streams", {}),
}

BLIND = {
    "posts a CONNECT": ("/socket.io/?EIO=4&transport=polling", "40"),
    "takes a user's tokens back": ("/admin/revoke", json.dumps({"sub": "visitor"})),
}
"""Requests that a browser makes without asking beforehand, and whose answers no page sees."""

FETCH = """async ([url, more]) => {
  try {
    const answer = await fetch(url, {credentials: "include", ...more});
    return answer.type + " " + (await answer.text()).length;
  } catch { return "nothing"; }
}"""

SOCKET = """([url, start]) => new Promise(resolve => {
  const told = [];
  const socket = new WebSocket(url);
  socket.onopen = () => { socket.send("40"); socket.send(start); };
  socket.onmessage = event => told.push(event.data);
  socket.onclose = () => resolve(told);
})"""


@pytest.fixture(scope="module")
def guarded(start_server: StartServer) -> Iterator[RunningServer]:
    """A server whose own pages are known by a cookie."""
    env = {
        "TEXTSTREAM_AUTH_KEYS": SECRET,
        "TEXTSTREAM_AUTH_COOKIE": COOKIE,
        "TEXTSTREAM_CORS_ORIGINS": "https://app.example",
        "TEXTSTREAM_LAB": "on",
        "PYTHONPATH": str(RANKED_LOCKS),
    }
    server = start_server(env=env)
    yield server
    server.stop()
    assert "Traceback" not in server.log_text()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, leak_guard: LeakGuard) -> Iterator[str]:
    """Another port of the same machine: the browser sends its cookies there, too."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "index.html").write_text('<!doctype html><link rel="icon" href="data:,">')
    with site(folder, leak_guard) as origin:
        yield origin


@pytest.fixture
def foreign(browser: Browser, guarded: RunningServer, elsewhere: str) -> Iterator[Page]:
    """A page of somebody else's, in the browser of a visitor who is an operator as well."""
    with browser.new_context() as context:
        value = make_token("visitor", scope="start read control share admin")
        context.add_cookies([{"name": COOKIE, "value": value, "url": guarded.url}])
        page = context.new_page()
        page.goto(f"{elsewhere}/index.html")
        yield page


def running(server: RunningServer) -> int:
    """Return how many streams there are."""
    bearer = {"Authorization": f"Bearer {make_token('root', scope='admin')}"}
    total: int = requests.get(f"{server.url}/admin/streams", headers=bearer, timeout=20).json()[
        "total"
    ]
    return total


def sessions_are_the_visitors(server: RunningServer) -> bool:
    """Return whether the visitor's cookie is good on the server's own pages."""
    cookies, origin = {COOKIE: make_token("visitor")}, {"Origin": server.url}
    answer = requests.get(f"{server.url}/api/sources", cookies=cookies, headers=origin, timeout=20)
    return answer.status_code == 200


@pytest.mark.parametrize("what", FETCHES)
def test_it_reads_nothing(foreign: Page, guarded: RunningServer, what: str) -> None:
    path, more = FETCHES[what]
    assert foreign.evaluate(FETCH, [guarded.url + path, more]) == "nothing"


@pytest.mark.parametrize("what", BLIND)
def test_what_it_sends_blindly_does_nothing(
    foreign: Page, guarded: RunningServer, what: str
) -> None:
    path, body = BLIND[what]
    more: dict[str, Any] = {"method": "POST", "mode": "no-cors", "body": body}
    assert foreign.evaluate(FETCH, [guarded.url + path, more]) == "opaque 0"
    assert sessions_are_the_visitors(guarded)
    assert running(guarded) == 0


def test_a_websocket_of_its_starts_nothing_and_hears_nothing(
    foreign: Page, guarded: RunningServer
) -> None:
    url = guarded.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    told = foreign.evaluate(SOCKET, [url, START])
    assert not any(packet.startswith(("42", "40")) for packet in told)
    assert running(guarded) == 0


def test_the_server_s_own_page_may_all_that(browser: Browser, guarded: RunningServer) -> None:
    """Else what is above could not fail."""
    with browser.new_context() as context:
        value = make_token("visitor")
        context.add_cookies([{"name": COOKIE, "value": value, "url": guarded.url}])
        page = context.new_page()
        page.goto(f"{guarded.url}/api/connection")
        assert page.evaluate(FETCH, [f"{guarded.url}/api/sources", {}]).startswith("basic ")
        socket = SOCKET.replace(
            "told.push(event.data)", "told.push(event.data) > 2 && socket.close()"
        )
        url = guarded.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        assert any("stream_start" in packet for packet in page.evaluate(socket, [url, START]))


@pytest.fixture
def far(browser: Browser, elsewhere: str) -> Iterator[Page]:
    """A page of a site elsewhere, by its name, in a browser on this machine."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://evil.test:{elsewhere.rpartition(':')[2]}/index.html")
        yield page


@pytest.mark.parametrize(("origins", "may"), [((), False), (("--cors-origins", "*"), True)])
def test_a_site_elsewhere_uses_no_server_on_this_machine_unless_it_is_told_to_allow_it(
    far: Page, start_server: StartServer, origins: tuple[str, ...], may: bool
) -> None:
    """With no token asked for, it would start whatever it likes."""
    server = start_server(*origins)
    read = far.evaluate(FETCH, [f"{server.url}/api/sources", {"credentials": "omit"}])
    assert (read != "nothing") is may
    socket = SOCKET.replace("told.push(event.data)", "told.push(event.data) > 2 && socket.close()")
    url = server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    told = far.evaluate(socket, [url, START])
    assert any("stream_start" in packet for packet in told) is may
    more = {"method": "POST", "mode": "no-cors", "body": "40"}
    far.evaluate(FETCH, [f"{server.url}/socket.io/?EIO=4&transport=polling", more])
    assert server.stop() == 0
    assert ("stream ended" in server.log_text()) is may


@pytest.mark.parametrize("path", ["/", "/app/", "/lab/", "/app/#watch=x"])
def test_its_pages_are_framed_by_nobody(foreign: Page, guarded: RunningServer, path: str) -> None:
    foreign.evaluate(
        """url => new Promise(resolve => {
          const frame = document.createElement("iframe");
          frame.onload = resolve;
          frame.src = url;
          document.body.append(frame);
        })""",
        guarded.url + path,
    )
    (_, frame) = foreign.frames
    assert frame.url.startswith("chrome-error:")
