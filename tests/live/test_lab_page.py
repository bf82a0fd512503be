"""The page of the connection lab in the system's Chromium, on a real server."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.live.conftest import OpenApp, confirm_server
from tests.live.test_app_access import looks, violations
from tests.support.chromium import built_page
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer
from tests.support.site import site

pytestmark = [pytest.mark.live, pytest.mark.browser]


@pytest.fixture
def lab(open_app: OpenApp, server: RunningServer) -> Page:
    page = open_app(f"{server.url}/lab/", connected=False)
    expect(page.locator(".badge")).to_have_text("Connected")
    return page


def entries(page: Page, event: str) -> Locator:
    """What was received of an event, the newest first."""
    code = page.locator("code", has_text=re.compile(f"^{event}$"))
    return page.locator(".log li[data-sent=false]").filter(has=code).locator(".data")


def send(page: Page, event: str) -> None:
    page.locator("button.event").filter(has=page.get_by_text(event, exact=True)).click()


def test_says_how_it_is_connected(lab: Page, server: RunningServer) -> None:
    facts = {
        "transport": "websocket",
        "upgraded": "no",
        "protocol": "Socket.IO 5, Engine.IO 4",
        "origin": server.url,
        "host": server.url.removeprefix("http://"),
    }
    for name, value in facts.items():
        expect(lab.locator(f"[data-fact={name}] dd")).to_have_text(value)
    lab.get_by_label("Polling only").check()
    expect(lab.locator("[data-fact=transport] dd")).to_have_text("polling")
    lab.get_by_label("Polling, then upgrade").check()
    expect(lab.locator("[data-fact=transport] dd")).to_have_text("websocket")
    expect(lab.locator("[data-fact=upgraded] dd")).to_have_text("yes")


def test_every_event_of_one_client(lab: Page) -> None:
    response = entries(lab, "my_response")
    lab.get_by_label("Message").fill("字👨‍👩‍👧‍👦")
    send(lab, "my_event")
    expect(response.first).to_have_text('{"data":"字👨‍👩‍👧‍👦","count":1}')
    send(lab, "message")
    expect(entries(lab, "message").first).to_have_text('"字👨‍👩‍👧‍👦", {"room":"lounge"}, 3')
    expect(entries(lab, "message ✓").first).to_have_text('"字👨‍👩‍👧‍👦", {"room":"lounge"}, 3')
    send(lab, "json")
    expect(entries(lab, "json").first).to_have_text('{"data":"字👨‍👩‍👧‍👦"}')
    send(lab, "request_for_response")
    expect(entries(lab, "response")).to_have_count(2)
    expect(lab.locator(".average strong")).to_have_text(re.compile(r"^[\d.]+ ms$"))
    expect(lab.locator(".trips rect").nth(1)).to_be_attached()
    expect(lab.locator(".counter")).to_have_text(re.compile(r"^\d+$"))
    send(lab, "disconnect_request")
    expect(lab.locator(".badge")).to_have_text("Disconnected")
    lab.get_by_role("button", name="Connect again").click()
    expect(lab.locator(".badge")).to_have_text("Connected")


def test_rooms_and_broadcast_between_two(lab: Page, open_app: OpenApp) -> None:
    other = open_app(lab.url, connected=False)
    expect(other.locator(".badge")).to_have_text("Connected")
    send(other, "join")
    expect(entries(other, "join ✓")).to_have_count(1)
    lab.get_by_label("Message").fill("to the room")
    send(lab, "my_room_event")
    expect(entries(other, "my_response").filter(has_text="to the room")).to_have_count(1)
    lab.get_by_label("Message").fill("to all")
    send(lab, "my_broadcast_event")
    for page in (lab, other):
        expect(entries(page, "my_response").filter(has_text="to all")).to_have_count(1)
    expect(entries(lab, "my_response").filter(has_text="to the room")).to_have_count(0)
    send(other, "leave")
    send(other, "join")
    send(other, "close_room")
    expect(entries(other, "close_room ✓")).to_have_text('{"ok":true}')


def test_axe_finds_nothing(lab: Page) -> None:
    send(lab, "my_event")
    expect(entries(lab, "my_event ✓")).to_have_count(1)
    assert violations(lab) == []
    for look in looks(lab):
        assert lab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, look


def test_an_origin_that_is_not_named_is_told_so(
    browser: Browser, example_only: RunningServer, leak_guard: LeakGuard
) -> None:
    with site(built_page(), leak_guard) as origin, browser.new_context(locale="en") as context:
        page = context.new_page()
        page.goto(f"{origin}/lab/?{urlencode({'server': example_only.url})}")
        confirm_server(page)
        expect(page.get_by_role("alert")).to_have_text(
            f"The server does not accept pages from {origin}; "
            f"start it with --cors-origins {origin}."
        )
