"""The demo page when things break: it goes on, or says what to do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.live.conftest import OpenPage
from tests.live.demo_page import (
    LONG,
    ended,
    record_connection,
    shown,
    start,
    wait_until_shown,
)
from tests.support.running_server import RunningServer
from textstream.chaos import ChaosProxy

pytestmark = [pytest.mark.live, pytest.mark.browser]

NOT_THERE = "The server is not there. Start it with “make run”."


def test_goes_on_at_the_exact_character_after_lost_connections(
    open_page: OpenPage, server: RunningServer
) -> None:
    text = "".join(f"{number} 字👩🏽‍🚀\n" for number in range(150))
    with ChaosProxy(server.address) as network:
        page = open_page(network.url, quiet=False)
        record_connection(page)
        start(page, text, "200/s")
        for lost in (1, 2, 3):
            wait_until_shown(page, 150 * lost)
            if lost == 3:  # for longer, the last time
                network.hold()
            network.cut_all()
            page.wait_for_function(
                "count => states.filter((words) => words.startsWith('Connection lost')).length"
                " === count",
                arg=lost,
            )
            if lost == 3:
                expect(page.locator("#connection")).to_have_text(NOT_THERE)
                network.release()
            expect(page.locator("#connection")).to_have_text("Connected again. Nothing was lost.")
        ended(page, "Complete, verified.")
        assert shown(page) == text
        page.context.close()


def test_says_when_the_server_is_gone(open_page: OpenPage, start_server: StartServer) -> None:
    own = start_server()
    page = open_page(own.url, quiet=False)
    start(page, LONG, "20/s")
    wait_until_shown(page, 5)
    own.stop()
    expect(page.locator("#connection")).to_have_text("The server has gone down. Trying again…")
    assert LONG.startswith(shown(page))


def test_says_when_the_rest_of_the_text_is_lost(
    open_page: OpenPage, start_server: StartServer
) -> None:
    endless = "endless=tests.client.sources_for_tests:endless"
    forgetful = start_server("--grace", "0", "--retention", "0", "--sources", endless)
    with ChaosProxy(forgetful.address) as network:
        page = open_page(network.url, quiet=False)
        start(page, "", "20/s", source="endless")
        wait_until_shown(page, 5)
        network.hold()
        network.cut_all()
        forgetful.wait_for_log(lambda log: "expired" in log)
        network.release()
        ended(page, "Incomplete.")
        expect(page.get_by_role("alert")).to_have_text(
            "The server was restarted, or has forgotten this text meanwhile. "
            "What arrived stays here, the rest is lost."
        )
        assert shown(page).startswith("0 1 2")
        start(page, "Another one.")
        ended(page, "Complete, verified.")
        page.context.close()
    forgetful.stop()


def test_errors_say_what_to_do(open_page: OpenPage, start_server: StartServer) -> None:
    own = start_server("--sources", "broken=tests.client.sources_for_tests:broken")
    page = open_page(own.url)
    error = page.get_by_role("alert")
    page.get_by_label("Source").select_option("broken")
    page.get_by_label("Prompt").fill("This comes before the failure.")
    page.get_by_role("button", name="Start").click()
    ended(page, "Broken off by an error, verified.")
    assert shown(page) == "This comes before the failure."
    expect(error).to_have_text(re.compile("^The source broken failed.*log says more"))
    start(page, "All is well.")
    ended(page, "Complete, verified.")
    expect(error).to_have_text("")
