"""The client library as it is built, in a browser, in a page of another origin."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import StartServer
from tests.live.streams import CLUSTERS
from tests.support.chromium import PATIENCE_MS, built_library, node_module
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer
from tests.support.site import site

pytestmark = [pytest.mark.live, pytest.mark.browser]

PAGE = """<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="importmap">{"imports": {"socket.io-client": "./socket.io.esm.min.js"}}</script>
<script type="module">
  import { StreamClient } from "./lib/client/index.js";
  window.open_ = (url, options) => {
    window.client = new StreamClient(url, options);
    window.seen = [];
    client.on("state", (state) => seen.push(state));
    return client;
  };
  window.ready = true;
</script>
"""

TEXT = "".join(CLUSTERS) * 60

OpenPage = Callable[[], Page]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, leak_guard: LeakGuard) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("library")
    (folder / "index.html").write_text(PAGE)
    shutil.copytree(built_library(), folder / "lib")
    shutil.copy(node_module("socket.io-client/dist/socket.io.esm.min.js"), folder)
    with site(folder, leak_guard) as origin:
        yield origin


@pytest.fixture(scope="module")
def naming(start_server: StartServer, origin: str) -> Iterator[RunningServer]:
    """A server that names the page's origin as the only one."""
    server = start_server("--cors-origins", origin)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    with browser.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        load(page, origin)
        yield page


def load(page: Page, origin: str) -> None:
    page.goto(f"{origin}/index.html")
    page.wait_for_function("window.ready")


def connect(page: Page, server: str, **options: Any) -> None:
    page.evaluate("([url, options]) => void open_(url, options)", [server, options])


def start(page: Page, rate: float) -> None:
    page.evaluate(
        "request => void (window.stream = client.start(request))",
        {"source": "text", "text": TEXT, "rate": rate},
    )


def wait_for_offset(page: Page, offset: int) -> None:
    page.wait_for_function("offset => stream.offset >= offset", arg=offset)


def wait_for_one_reader(page: Page) -> None:
    """Wait until the server knows that the others are gone: well before their pings are overdue."""
    page.wait_for_function("client.describe(stream.id).then(({readers}) => readers === 1)")


def outcome(page: Page) -> dict[str, Any]:
    """Wait for the end; return the result, the text and the resumes."""
    seen: dict[str, Any] = page.evaluate(
        "stream.done.then(result => ({...result, text: stream.text, resumes: stream.resumes}))"
    )
    return seen


def error_code(page: Page) -> str:
    page.wait_for_function("client.connection.error")
    code: str = page.evaluate("client.connection.error.code")
    return code


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_dropped_in_mid_text_it_ends_exact(
    page: Page, naming: RunningServer, transport: str
) -> None:
    connect(page, naming.url, transports=[transport])
    start(page, 300)
    wait_for_offset(page, 50)
    assert page.evaluate("client.connection.transport") == transport
    page.evaluate("client.dropConnection(300)")
    assert page.evaluate("[client.state, stream.state]") == ["reconnecting"] * 2
    seen = outcome(page)
    assert seen["text"] == TEXT
    assert (seen["reason"], seen["verified"], seen["resumes"]) == ("completed", True, 1)
    assert page.evaluate("seen") == ["connected", "reconnecting", "connected"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_after_a_reload_the_text_is_read_on_and_exact(
    page: Page, server: RunningServer, origin: str, transport: str
) -> None:
    connect(page, server.url, transports=[transport])
    start(page, 150)
    wait_for_offset(page, 60)
    page.evaluate("stream.setRate(1)")
    before, read = page.evaluate("[stream.id, stream.offset]")
    load(page, origin)
    connect(page, server.url, transports=[transport])
    assert page.evaluate("([window.stream] = client.restore()).length") == 1
    # At its pace alone, this would take longer than anything here waits.
    wait_for_offset(page, read)
    wait_for_one_reader(page)
    page.evaluate("stream.setRate(0)")
    seen = outcome(page)
    assert page.evaluate("stream.id") == before
    assert seen["text"] == TEXT
    assert (seen["reason"], seen["verified"]) == ("completed", True)
    load(page, origin)
    connect(page, server.url)
    assert page.evaluate("client.restore().length") == 0
    assert page.evaluate("client.remembered.map(({id, reason}) => [id, reason])") == [
        [before, "completed"]
    ]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_out_of_the_browsers_cache_the_connection_is_back(
    page: Page, server: RunningServer, transport: str
) -> None:
    connect(page, server.url, transports=[transport])
    start(page, 150)
    wait_for_offset(page, 60)
    for event in ("pagehide", "pageshow"):
        page.evaluate(f"dispatchEvent(new PageTransitionEvent('{event}', {{persisted: true}}))")
    page.wait_for_function("stream.resumes === 1")
    wait_for_one_reader(page)
    seen = outcome(page)
    assert seen["text"] == TEXT
    assert (seen["reason"], seen["verified"], seen["resumes"]) == ("completed", True, 1)


def test_without_network_for_a_while_it_goes_on(page: Page, server: RunningServer) -> None:
    connect(page, server.url)
    start(page, 200)
    wait_for_offset(page, 40)
    page.context.set_offline(True)
    page.wait_for_function("client.state === 'reconnecting' && client.connection.attempts > 2")
    assert page.evaluate("client.connection.error.code") == "unreachable"
    page.context.set_offline(False)
    seen = outcome(page)
    assert seen["text"] == TEXT
    assert seen["verified"] is True
    assert page.evaluate("seen") == ["connected", "reconnecting", "connected"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_an_origin_that_is_not_accepted_is_named(
    page: Page, example_only: RunningServer, origin: str, transport: str
) -> None:
    connect(page, example_only.url, transports=[transport])
    start(page, 0)
    assert error_code(page) == "origin_refused"
    message = page.evaluate("stream.done.catch(({message}) => message)")
    assert f"--cors-origins {origin}" in message


def test_a_server_that_is_not_there_is_not_taken_for_one_that_refuses(
    page: Page, nobody: str
) -> None:
    connect(page, nobody)
    start(page, 0)
    assert error_code(page) == "unreachable"
    assert page.evaluate("stream.state") == "waiting"


def test_something_else_is_not_taken_for_a_server(page: Page, server: RunningServer) -> None:
    connect(page, server.url, path="/elsewhere/")
    assert error_code(page) == "unreachable"
    assert "not as a Socket.IO server" in page.evaluate("client.connection.error.message")
