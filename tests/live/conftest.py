"""Fixtures of the tests that drive a browser.

- ``browser``: one for all of them; each test has a context of its own in it.
- ``example_only``: a server that no page of the tests may use: it names another origin.
- ``nobody``: an address at which no server answers.
- ``start_gunicorn(drain, *options, app=…, **env)``: a gunicorn, stopped after the test.
- ``open_page(url, quiet=True, script="", **options)``: opens the demo page, closed after the test.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import StartServer
from tests.live.gunicorn import RunningGunicorn
from tests.support.chromium import PATIENCE_MS, built_page, chromium
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer

OpenPage = Callable[..., Page]
StartGunicorn = Callable[..., RunningGunicorn]


@pytest.fixture
def start_gunicorn(leak_guard: LeakGuard) -> Iterator[StartGunicorn]:
    """Start gunicorns that drain for so many seconds; they are stopped after the test."""
    servers: list[RunningGunicorn] = []

    def start_(
        drain: float, *options: str, app: str = "textstream.wsgi:app", **more: str
    ) -> RunningGunicorn:
        env = {"TEXTSTREAM_DRAIN": str(drain), **more}
        servers.append(RunningGunicorn(*options, app=app, env=env, leak_guard=leak_guard))
        return servers[-1]

    yield start_
    for server in servers:
        server.stop()


# Not for the session: see chromium().
@pytest.fixture(scope="package")
def browser(leak_guard: LeakGuard) -> Iterator[Browser]:
    built_page()
    with chromium() as browser:
        leak_guard.allow_all_there_is()
        yield browser


@pytest.fixture(scope="session")
def example_only(start_server: StartServer) -> RunningServer:
    return start_server("--cors-origins", "https://example.org")


@pytest.fixture
def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def confirm_server(page: Page) -> None:
    """Say yes where a page asks whether to connect to a server that is not its own."""
    yes = page.locator("dialog.foreign button[value=yes]")
    if yes.count():
        yes.click()


@dataclass
class Pages:
    """Opens pages of the browser, each in a context of its own; notes their problems."""

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def open(self, url: str, *, quiet: bool, script: str = "", **options: Any) -> Page:
        """Open a page; if `quiet`, whatever it says in the console is a problem."""
        context = self.browser.new_context(**options)
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        if quiet:
            page.on("console", lambda said: self.problems.append(f"{said.type}: {said.text}"))
        page.add_init_script(script)
        page.goto(url)
        confirm_server(page)
        return page


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """What opens pages; they are closed after the test, and must have had no problems."""
    pages = Pages(browser)
    yield pages
    for context in pages.contexts:
        context.close()
    assert pages.problems == []


@pytest.fixture
def open_page(pages: Pages, server: RunningServer) -> OpenPage:
    """Open the page and wait until it is ready; nothing may be in the console at the end.

    ``script`` runs in each page before its own does.
    """

    def open_(url: str = server.url, *, quiet: bool = True, **options: Any) -> Page:
        page = pages.open(url, quiet=quiet, **options)
        expect(page.locator("#connection")).to_have_text("Connected")
        expect(page.locator("#source option[value=text]")).to_be_attached()
        return page

    return open_


OpenApp = Callable[..., Page]


@pytest.fixture
def open_app(pages: Pages, server: RunningServer) -> OpenApp:
    """Open the app and wait until it is connected; no error may be in the console at the end.

    ``open_app(url, quiet=True, connected=True, **options)``: not `quiet` where the browser itself
    reports lost connections; not `connected` where it never will be. The app's content security
    policy is off, but with ``bypass_csp=False``.
    """

    def open_(
        url: str = f"{server.url}/app/",
        *,
        quiet: bool = True,
        connected: bool = True,
        **options: Any,
    ) -> Page:
        # Playwright waits for functions with eval(), which the app's policy forbids.
        page = pages.open(url, quiet=quiet, **{"locale": "en-GB", "bypass_csp": True, **options})
        if connected:
            expect(page.locator(".connection[data-state=connected]")).to_be_visible()
            expect(page.locator("option[value=text]").first).to_be_attached()
        return page

    return open_
