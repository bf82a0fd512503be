"""The demo page's connection is cut, lost, and back: what it says is true, and nothing is lost."""

from __future__ import annotations

import signal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartServer
from tests.live.conftest import OpenPage
from tests.live.demo_page import (
    LONG,
    SCRIPTS,
    connection,
    cut,
    ended,
    record_connection,
    resumes,
    set_speed,
    shown,
    start,
    wait_until_shown,
)
from tests.support.running_server import RunningServer
from textstream.chaos import ChaosProxy

pytestmark = [pytest.mark.live, pytest.mark.browser]

LOST = "Connection lost. Trying again…"
AGAIN = "Connected again. Nothing was lost."
NOT_THERE = "The server is not there. Start it with “make run”."
GOING = "The server is going down."
GONE_DOWN = "The server has gone down. Trying again…"


def address(server: RunningServer) -> tuple[str, int]:
    """Return where it listens."""
    port = urlsplit(server.url).port
    assert port
    return "127.0.0.1", port


def port_of(server: RunningServer) -> str:
    """Return the port, for another server in the same place."""
    return str(address(server)[1])


def cut_button(page: Page, *, enabled: bool) -> None:
    """Check whether the connection can be cut."""
    button = page.get_by_role("button", name="Cut my connection")
    expect(button).to_have_attribute("aria-disabled", str(not enabled).lower())


def test_the_button_cuts_and_nothing_is_lost(open_page: OpenPage) -> None:
    page = open_page()
    record_connection(page)
    text = SCRIPTS * 5
    start(page, text, "500/s")
    for count in (1, 2, 3, 4):
        wait_until_shown(page, 400 * count)
        cut(page)
        resumes(page, count)
        connection(page, AGAIN)
    set_speed(page, "no limit")
    ended(page, "Complete, verified.")
    assert shown(page) == text
    states: list[str] = page.evaluate("states")
    assert [words for words in states if words != "Connected"] == [LOST, AGAIN] * 4
    expect(page.locator("#detail")).to_have_text("WebSocket")
    connection(page, "Connected")  # after a while, it is no news any more


def test_the_button_waits_for_a_connection(open_page: OpenPage, server: RunningServer) -> None:
    with ChaosProxy(address(server)) as network:
        page = open_page(network.url, quiet=False)
        cut_button(page, enabled=True)
        network.hold()
        cut(page)
        network.cut_all()  # what HTTP has kept alive is no new connection
        connection(page, LOST)
        cut_button(page, enabled=False)
        connection(page, NOT_THERE)
        expect(page.locator("#detail")).to_have_text("attempt 3")
        network.release()
        connection(page, "Connected")
        cut_button(page, enabled=True)
        page.context.close()


def test_offline_for_a_while(open_page: OpenPage) -> None:
    page = open_page(quiet=False)
    start(page, SCRIPTS, "200/s")
    wait_until_shown(page, 200)
    page.context.set_offline(True)
    connection(page, "You are offline. Goes on by itself.")
    ended(page, "Goes on when the connection is back.")
    cut_button(page, enabled=False)
    before = shown(page)
    page.context.set_offline(False)
    connection(page, AGAIN)
    resumes(page, 1)
    wait_until_shown(page, len(before) + 10)
    set_speed(page, "no limit")
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS


def test_a_network_that_is_gone_for_a_while(open_page: OpenPage, server: RunningServer) -> None:
    with ChaosProxy(address(server)) as network:
        page = open_page(network.url, quiet=False)
        start(page, SCRIPTS, "200/s")
        wait_until_shown(page, 200)
        network.hold()
        network.cut_all()
        connection(page, LOST)
        ended(page, "Goes on when the connection is back.")
        connection(page, NOT_THERE)
        set_speed(page, "no limit")
        network.release()
        connection(page, AGAIN)
        ended(page, "Complete, verified.")
        assert shown(page) == SCRIPTS
        page.context.close()


def test_back_from_the_browsers_cache(open_page: OpenPage) -> None:
    page = open_page()
    start(page, SCRIPTS, "200/s")
    wait_until_shown(page, 200)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    connection(page, AGAIN)
    set_speed(page, "no limit")
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS


def test_a_server_that_crashed_and_is_back(open_page: OpenPage, start_server: StartServer) -> None:
    own = start_server()
    page = open_page(own.url, quiet=False)
    start(page, SCRIPTS, "200/s")
    wait_until_shown(page, 100)
    own.terminate(signal.SIGKILL)
    assert own.stop() == -signal.SIGKILL
    connection(page, NOT_THERE)
    before = shown(page)
    back = start_server("--port", port_of(own))
    ended(page, "Incomplete.")
    connection(page, "Connected")
    expect(page.get_by_role("alert")).to_have_text(
        "The server was restarted, or has forgotten this text meanwhile. "
        "What arrived stays here, the rest is lost."
    )
    assert shown(page) == before
    page.get_by_role("button", name="Start again").click()
    page.get_by_label("Speed").press("End")
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS
    page.context.close()
    back.stop()


def test_a_server_that_goes_down_well(open_page: OpenPage, start_server: StartServer) -> None:
    own = start_server(env={"TEXTSTREAM_DRAIN": "60"})
    page = open_page(own.url, quiet=False)
    start(page, SCRIPTS, "60/s")
    wait_until_shown(page, 20)
    own.terminate()
    connection(page, GOING)
    ended(page, "Goes on for a moment, then the server ends it.")
    page.locator("#start").click()
    expect(page.get_by_role("alert")).to_have_text(
        "The server is going down. Try again in a moment."
    )
    ended(page, "Goes on for a moment, then the server ends it.")
    cut(page)  # also now
    resumes(page, 1)
    connection(page, GOING)
    wait_until_shown(page, len(shown(page)) + 20)
    set_speed(page, "no limit")
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS
    connection(page, GONE_DOWN)
    assert own.stop() == 0


def test_a_server_that_ends_what_is_too_long(
    open_page: OpenPage, start_server: StartServer
) -> None:
    own = start_server(env={"TEXTSTREAM_DRAIN": "0.2"})
    page = open_page(own.url, quiet=False)
    start(page, LONG, "60/s")
    wait_until_shown(page, 20)
    assert own.stop() == 0
    ended(page, "Broken off when the server went down, verified.")
    connection(page, GONE_DOWN)
    assert LONG.startswith(shown(page))
    again = page.get_by_role("button", name="Start again")
    expect(page.get_by_role("alert")).to_have_text("For the whole text, start it again.")
    again.click()
    ended(page, "Waiting for the server…")
    back = start_server("--port", port_of(own))
    page.get_by_label("Speed").press("End")
    ended(page, "Complete, verified.")
    assert shown(page) == LONG
    page.context.close()
    back.stop()
