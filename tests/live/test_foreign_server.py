"""A link that has a page connect to another server: nothing goes there before somebody agrees."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.chromium import PATIENCE_MS
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer

pytestmark = [pytest.mark.live, pytest.mark.browser]

PAGES = pytest.mark.parametrize("path", ["/", "/app/", "/lab/"])


@pytest.fixture
def other(server: RunningServer) -> Iterator[ReverseProxy]:
    """A server of another origin, which notes what it is asked."""
    with ReverseProxy(server.address) as proxy:
        yield proxy


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


def link(server: RunningServer, path: str, other: ReverseProxy) -> str:
    return f"{server.url}{path}?{urlencode({'server': other.url})}#token=for-the-other"


def shows_connected(page: Page) -> None:
    expect(page.locator(".badge, #connection").first).to_contain_text("Connected")


@PAGES
def test_it_is_named_and_confirmed_once(
    context: BrowserContext, server: RunningServer, other: ReverseProxy, path: str
) -> None:
    page = context.new_page()
    page.goto(link(server, path, other))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(other.url)
    assert other.seen == [], "nothing before"
    dialog.get_by_role("button", name="Connect to it").click()
    shows_connected(page)
    expect(page.locator("header .server")).to_have_text(other.url)
    assert other.seen
    again = context.new_page()
    again.goto(link(server, path, other))
    shows_connected(again)
    expect(again.locator("dialog.foreign")).to_have_count(0)


@PAGES
@pytest.mark.parametrize("way", ["button", "Escape"])
def test_who_does_not_want_it_gets_the_pages_own(
    context: BrowserContext, server: RunningServer, other: ReverseProxy, path: str, way: str
) -> None:
    page = context.new_page()
    page.goto(link(server, path, other))
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="own server").click()
    shows_connected(page)
    assert page.url.rstrip("#") == server.url + path
    assert page.locator("header .server:visible").count() == 0
    assert other.seen == []
    kept = page.evaluate("() => [...Object.keys(sessionStorage), ...Object.values(sessionStorage)]")
    assert "for-the-other" not in kept
