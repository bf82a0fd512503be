"""The link that a server prints, in a browser; and what its pages say to who has come without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.live.app_page import ask, ended, shows
from tests.support.chromium import PATIENCE_MS
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer

pytestmark = [pytest.mark.live, pytest.mark.browser]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    # Playwright waits for functions with eval(), which the app's policy forbids.
    with browser.new_context(locale="en-GB", bypass_csp=True) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


@pytest.fixture
def link(leak_guard: LeakGuard, tmp_path: Path) -> Iterator[str]:
    """The link to a server on all addresses, by loopback."""
    with (tmp_path / "stdout").open("wb") as stdout:
        server = RunningServer("--host", "0.0.0.0", leak_guard=leak_guard, stdout=stdout)
    found = re.search(r"http://127\.0\.0\.1\S+", (tmp_path / "stdout").read_text())
    assert found
    yield found[0]
    assert server.stop() == 0


def test_the_link_opens_the_app_and_leaves_no_token_in_the_address(
    context: BrowserContext, link: str
) -> None:
    address, _, token = link.partition("#token=")
    page = context.new_page()
    page.goto(link)
    expect(page.locator(".badge")).to_contain_text("Connected")
    ask(page, "it works")
    ended(page)
    shows(page, "it works")
    assert page.url == address
    assert token not in page.content()
    page.reload()
    expect(page.locator(".badge")).to_contain_text("Connected")


@pytest.mark.parametrize("path", ["", "app/"])
def test_without_it_the_pages_say_in_words_what_to_do(
    context: BrowserContext, link: str, path: str
) -> None:
    home, token = link.split("app/#token=")
    page = context.new_page()
    page.goto(home + path)
    expect(page.locator("body")).to_contain_text("open the link", ignore_case=True)
    page.goto(f"{home}{path}#token={token}")
    expect(page.locator(".badge, #connection").first).to_contain_text("Connected")
