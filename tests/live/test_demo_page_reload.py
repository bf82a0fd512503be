"""The demo page is reloaded: the text is there again, and goes on."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartServer
from tests.live.conftest import OpenPage
from tests.live.demo_page import (
    LONG,
    SCRIPTS,
    connection,
    ended,
    resumes,
    shown,
    slow_down,
    start,
    wait_until_shown,
)
from tests.support.running_server import RunningServer

pytestmark = [pytest.mark.live, pytest.mark.browser]

GONE = "The text that was here is no longer on the server. Its prompt is in the form."
NO_WEBSOCKET = "delete window.WebSocket"


def reload(page: Page) -> None:
    """Reload, and wait for the connection."""
    page.reload()
    connection(page, "Connected")


@pytest.mark.parametrize("transport", ["WebSocket", "polling"])
def test_in_mid_stream_goes_on(open_page: OpenPage, transport: str) -> None:
    page = open_page(script="" if transport == "WebSocket" else NO_WEBSOCKET)
    expect(page.locator("#detail")).to_have_text(transport)
    start(page, SCRIPTS, "200/s")
    wait_until_shown(page, 400)
    slow_down(page)
    first = page.locator("#first").text_content()
    before = shown(page)
    reload(page)
    # At its pace alone, this would take minutes.
    wait_until_shown(page, len(before))
    assert SCRIPTS.startswith(shown(page))
    expect(page.locator("#state")).to_have_text("Streaming")
    assert page.get_by_label("Prompt").input_value() == SCRIPTS
    assert page.get_by_label("Source").input_value() == "text"
    assert page.locator("#rate-words").text_content() == "1/s"
    assert page.locator("#first").text_content() == first
    resumes(page, 1)
    reload(page)
    resumes(page, 2)
    page.get_by_label("Speed").press("End")
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS


def test_before_the_first_answer_starts_nothing_twice(
    open_page: OpenPage, server: RunningServer, start_server: StartServer
) -> None:
    own = start_server()
    page = open_page(f"{server.url}/?server={own.url}", quiet=False)
    os.kill(own.pid, signal.SIGSTOP)  # it takes the request, and cannot answer
    try:
        start(page, SCRIPTS, "1,000/s")
        expect(page.locator("#state")).to_have_text("Waiting for the first character…")
        page.reload()
        expect(page.locator("#state")).to_have_text("Waiting for the server…")
    finally:
        os.kill(own.pid, signal.SIGCONT)
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS
    page.context.close()
    own.stop()
    assert own.log_text().count("stream ended") == 1, own.log_text()


def test_after_the_end_shows_it_again(open_page: OpenPage) -> None:
    page = open_page()
    start(page, SCRIPTS[:600], "200/s")
    ended(page, "Complete, verified.")
    figures = page.locator(".figures").inner_text()
    reload(page)
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS[:600]
    assert page.locator(".figures").inner_text() == figures
    start(page, "And another.")
    ended(page, "Complete, verified.")
    assert shown(page) == "And another."


def test_what_the_server_has_forgotten_is_offered_anew(
    open_page: OpenPage, start_server: StartServer
) -> None:
    own = start_server("--retention", "0")
    page = open_page(own.url)
    start(page, SCRIPTS[:200])
    ended(page, "Complete, verified.")
    reload(page)
    expect(page.get_by_role("alert")).to_have_text(GONE)
    expect(page.get_by_role("heading", name="Watch the text arrive.")).to_be_visible()
    page.get_by_role("button", name="Start again").click()
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS[:200]
    expect(page.get_by_role("button", name="Start again")).to_be_hidden()
    expect(page.get_by_role("alert")).to_have_text("")


def test_nothing_is_asked_for_twice_after_it_was_forgotten(
    open_page: OpenPage, start_server: StartServer
) -> None:
    own = start_server("--retention", "0")
    page = open_page(own.url)
    start(page, "Once.")
    ended(page, "Complete, verified.")
    reload(page)
    expect(page.get_by_role("alert")).to_have_text(GONE)
    reload(page)
    expect(page.get_by_role("alert")).to_have_text("")
    expect(page.get_by_role("heading", name="Watch the text arrive.")).to_be_visible()


def test_says_exactly_what_was_trimmed_meanwhile(
    open_page: OpenPage, start_server: StartServer
) -> None:
    own = start_server("--max-stream-bytes", "4096", "--lookahead", "100")
    text = "".join(f"{n:07}\n" for n in range(1500))
    page = open_page(own.url)
    start(page, text, "1,000/s")
    wait_until_shown(page, 9000)
    reload(page)
    expect(page.get_by_role("alert")).to_have_text(
        re.compile(
            r"^Characters 1 to [\d,]+ are missing: "
            r"the server keeps only the newest part of so long a text\.$"
        )
    )
    missing = page.locator("#output .gap").inner_text()
    found = re.fullmatch(r"Characters 1 to ([\d,]+) are missing\.", missing)
    assert found
    first = int(found[1].replace(",", ""))
    ended(page, f"Complete, but {first:,} characters are missing.")
    assert shown(page) == missing + text[first:]


def test_each_tab_has_a_text_of_its_own(open_page: OpenPage) -> None:
    page = open_page()
    start(page, LONG, "20/s")
    wait_until_shown(page, 5)
    other = page.context.new_page()
    other.goto(page.url)
    connection(other, "Connected")
    assert shown(other) == ""
    start(other, "The other tab.")
    ended(other, "Complete, verified.")
    reload(page)
    wait_until_shown(page, 5)
    assert LONG.startswith(shown(page))


def test_storage_that_is_switched_off_is_no_obstacle(open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('off') } })"
    )
    reload(page)
    start(page, SCRIPTS[:200])
    ended(page, "Complete, verified.")
    assert shown(page) == SCRIPTS[:200]
