"""A page of another origin uses the server, when it may."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import StartServer
from tests.live.conftest import confirm_server
from tests.support.chromium import PATIENCE_MS, built_page, node_module
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer
from tests.support.site import site
from textstream.sources.text import SAMPLE_TEXT

pytestmark = [pytest.mark.live, pytest.mark.browser]

TRANSPORTS = ("websocket", "polling")

PAGE = """<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<pre id="out"></pre>
<p id="state">waiting</p>
<script src="socket.io.min.js"></script>
<script src="bare.js"></script>
"""

BARE = """
const out = document.querySelector("#out");
const state = document.querySelector("#state");
const query = new URLSearchParams(location.search);
const events = [];
const socket = io(query.get("server"), {
  transports: [query.get("transport")],
  reconnection: false,
});
socket.on("new_char", (c) => (out.textContent += c));
socket.on("new_char", (c) => events.push(c));
socket.on("stream_end", () => (state.textContent = "ended"));
socket.on("connect_error", () => (state.textContent = "refused"));
socket.emit("start_stream");
"""


POLICY = "default-src 'self'; connect-src http://127.0.0.1:* ws://127.0.0.1:*; base-uri 'none'"


@pytest.fixture(scope="module")
def other_origin(tmp_path_factory: pytest.TempPathFactory, leak_guard: LeakGuard) -> Iterator[str]:
    """A web server of another origin, with the bare page and the built demo page."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(PAGE)
    (folder / "bare.js").write_text(BARE)
    shutil.copy(node_module("socket.io-client/dist/socket.io.min.js"), folder)
    shutil.copytree(built_page(), folder / "demo")
    with site(folder, leak_guard, {"/demo/": POLICY}) as origin:
        yield origin


@pytest.fixture(scope="module")
def naming(start_server: StartServer, other_origin: str) -> Iterator[RunningServer]:
    """A server that names the other origin as the only one."""
    server = start_server("--cors-origins", other_origin)
    yield server
    server.stop()


OpenPage = Callable[[RunningServer, str], Page]


@pytest.fixture
def open_bare(browser: Browser, other_origin: str) -> Iterator[OpenPage]:
    with browser.new_context() as context:

        def open_(server: RunningServer, transport: str) -> Page:
            page = context.new_page()
            query = urlencode({"server": server.url, "transport": transport})
            page.goto(f"{other_origin}/index.html?{query}")
            return page

        yield open_


def test_bare_page_gets_the_built_in_text_one_character_an_event(
    open_bare: OpenPage, server: RunningServer, naming: RunningServer
) -> None:
    # All at once: each takes as long as the text.
    pages = {
        (name, transport): open_bare(which, transport)
        for name, which in (("any", server), ("named", naming))
        for transport in TRANSPORTS
    }
    for page in pages.values():
        expect(page.locator("#state")).to_have_text("ended", timeout=3 * PATIENCE_MS)
        assert page.locator("#out").text_content() == SAMPLE_TEXT
        characters = page.evaluate(
            "text => [...new Intl.Segmenter().segment(text)].map((part) => part.segment)",
            SAMPLE_TEXT,
        )
        assert page.evaluate("events") == characters


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_origin_that_is_not_named_is_refused(
    open_bare: OpenPage, example_only: RunningServer, transport: str
) -> None:
    page = open_bare(example_only, transport)
    expect(page.locator("#state")).to_have_text("refused")
    assert page.locator("#out").text_content() == ""
    assert page.evaluate("fetch(`${query.get('server')}/api/sources`).then(() => 1, () => 0)") == 0


def test_never_with_credentials(open_bare: OpenPage, server: RunningServer) -> None:
    page = open_bare(server, "polling")
    for path in ("/api/sources", "/socket.io/?EIO=4&transport=polling"):
        with_cookies = (
            "path => fetch(query.get('server') + path, {credentials: 'include'})"
            ".then(() => 'allowed', () => 'refused')"
        )
        assert page.evaluate(with_cookies, path) == "refused"


def test_demo_page_of_another_origin_uses_the_server_it_is_told(
    browser: Browser, other_origin: str, server: RunningServer
) -> None:
    """Under a strict content security policy, too: no inline script, style or data."""
    with browser.new_context() as context:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{other_origin}/demo/demo.html?{urlencode({'server': server.url})}")
        confirm_server(page)
        expect(page.locator("#connection")).to_have_text("Connected")
        page.get_by_role("button", name="The built-in sample").click()
        page.get_by_label("Speed").press("End")
        expect(page.locator("#state")).to_have_text("Complete, verified.")
        assert page.locator("#output").text_content() == SAMPLE_TEXT
    assert said == []
