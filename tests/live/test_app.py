"""The app in the system's Chromium, on a real server: streams, panes, history, figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.live.app_page import (
    LONG,
    MIXED,
    ask,
    ended,
    figure,
    note_the_start,
    pane,
    set_speed,
    settle,
    shown,
    shows,
    wait_until_shown,
    write,
)
from tests.live.conftest import OpenApp
from tests.live.long_tasks import longest_task
from tests.support.chromium import PATIENCE_MS
from tests.support.timing import patient

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_streams_to_the_end_exact_and_as_text(open_app: OpenApp) -> None:
    page = open_app()
    hostile = "<img src=x onerror=alert(1)></div><script>document.title='gone'</script> &lt;b&gt;\n"
    ask(page, hostile + MIXED)
    ended(page)
    shows(page, hostile + MIXED)
    assert page.locator(".output :is(img, script, b)").count() == 0
    assert page.title() == "textstream"


@pytest.mark.parametrize("how", ["button", "escape"])
def test_stop(open_app: OpenApp, how: str) -> None:
    page = open_app()
    ask(page, LONG, "200/s")
    wait_until_shown(page, 10)
    if how == "button":
        page.get_by_role("button", name="Stop").click()
    else:
        page.keyboard.press("Escape")
    ended(page, "Stopped, verified.")
    text = shown(page)
    assert LONG.startswith(text)
    assert 10 <= len(text) < len(LONG)
    expect(page.get_by_role("button", name="Stop")).to_have_attribute("aria-disabled", "true")


def test_pause_continue_speed_and_start_again(open_app: OpenApp) -> None:
    page = open_app()
    ask(page, LONG[:2000], "1/s")  # half an hour
    wait_until_shown(page, 1)
    page.get_by_role("button", name="Pause").click()
    ended(page, "Paused")
    set_speed(page, "no limit")
    assert len(shown(page)) < 20
    page.get_by_role("button", name="Continue").click()
    ended(page)
    shows(page, LONG[:2000])
    page.get_by_role("button", name="Start again").click()
    wait_until_shown(page, 2000)
    ended(page)
    shows(page, LONG[:2000])


def test_several_panes_read_side_by_side_at_their_own_speeds(open_app: OpenApp) -> None:
    page = open_app(viewport={"width": 1440, "height": 900})
    page.get_by_role("button", name="Add a pane").click()
    expect(page.locator(".pane")).to_have_count(2)
    pane(page, 2).get_by_label("Source", exact=True).select_option("text")
    set_speed(page, "1/s", 2)
    ask(page, MIXED)
    ended(page)
    shows(page, MIXED)
    assert len(shown(page, 2)) < 40
    set_speed(page, "no limit", 2)
    ended(page, number=2)
    shows(page, MIXED, 2)
    pane(page, 2).get_by_role("button", name="Close this pane").click()
    expect(page.locator(".pane")).to_have_count(1)
    shows(page, MIXED)


def test_escape_stops_the_pane_with_the_focus_only(open_app: OpenApp) -> None:
    page = open_app(viewport={"width": 1440, "height": 900})
    page.get_by_role("button", name="Add a pane").click()
    pane(page, 2).get_by_label("Source", exact=True).select_option("text")
    set_speed(page, "60/s", 2)
    ask(page, LONG, "60/s")
    wait_until_shown(page, 5, 1)
    wait_until_shown(page, 5, 2)
    pane(page, 2).get_by_role("region").focus()
    page.keyboard.press("Escape")
    ended(page, "Stopped, verified.", 2)
    ended(page, "Streaming", 1)
    page.get_by_label("Prompt", exact=True).focus()
    page.keyboard.press("Escape")
    ended(page, "Stopped, verified.", 1)


def test_params_are_a_form_and_wrong_ones_are_not_sent(open_app: OpenApp) -> None:
    page = open_app()
    pane(page).get_by_label("Source", exact=True).select_option("llm")
    page.get_by_role("button", name="Options").click()
    page.get_by_label("Temperature").fill("9")
    expect(page.get_by_label("Temperature")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Prompt", exact=True).fill("x")
    page.keyboard.press("Enter")
    problem = page.locator(".composer [role=alert]")
    expect(problem).to_have_text("Pane 1, Temperature: This is too large.")
    page.get_by_role("button", name="Back to the defaults").click()
    expect(page.get_by_label("Temperature")).to_have_value("0.7")
    page.get_by_label("Prompt", exact=True).fill("")
    page.keyboard.press("Enter")
    expect(problem).to_have_text("Type a prompt first: this source needs one.")
    page.get_by_text("Why is openai not available?").click()
    expect(page.get_by_text("TEXTSTREAM_OPENAI_BASE_URL")).to_be_visible()


def test_history_replays_and_removes(open_app: OpenApp) -> None:
    page = open_app()
    ask(page, MIXED)
    ended(page)
    page.get_by_role("button", name="History").click()
    dialog = page.get_by_role("dialog", name="History")
    entry = dialog.get_by_role("listitem")
    expect(entry).to_contain_text("text · ")
    expect(entry).to_contain_text("Complete")
    entry.get_by_role("button", name="Replay").click()
    expect(page.locator(".pane")).to_have_count(2)  # beside the first
    set_speed(page, "no limit", 2)
    ended(page, number=2)
    shows(page, MIXED, 2)
    page.get_by_role("button", name="History").click()
    dialog.get_by_role("button", name="Remove: ").click()
    expect(dialog).to_contain_text("The streams that you start appear here.")


def test_stop_of_a_replay_stands_still(open_app: OpenApp) -> None:
    page = open_app(viewport={"width": 1440, "height": 900})
    ask(page, LONG)
    ended(page)
    for number in (2, 3):  # each beside those before
        page.get_by_role("button", name="History").click()
        page.get_by_role("dialog").get_by_role("button", name="Replay").click()
        wait_until_shown(page, 10, number)
        if number == 2:
            page.keyboard.press("Escape")
        else:
            pane(page, 3).get_by_role("button", name="Stop").click()
        ended(page, "Stopped reading. The stream had ended before.", number)
        settle(page)
        assert LONG.startswith(shown(page, number))
        assert 10 <= len(shown(page, number)) < 1000
    page.get_by_role("button", name="History").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text("Complete")


def test_copy_and_save_give_the_exact_text(open_app: OpenApp, tmp_path: Path) -> None:
    page = open_app(permissions=["clipboard-read", "clipboard-write"])
    ask(page, MIXED)
    ended(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == MIXED
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert re.fullmatch(r"textstream-[\w-]{8}\.txt", download.value.suggested_filename)
    download.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes().decode() == MIXED


def test_figures_and_chart(open_app: OpenApp) -> None:
    page = open_app()
    ask(page, LONG[:300], "100/s")
    ended(page)
    expect(figure(page, "count")).to_have_text("300")
    speed = figure(page, "speed").text_content() or ""
    assert float(speed) == pytest.approx(100, rel=0.15)
    expect(figure(page, "first")).to_have_text(re.compile(r"^[\d.]+ m?s$"))
    expect(figure(page, "resumes")).to_have_text("0")
    page.get_by_text("Gaps over time").click()
    chart = page.get_by_role("img")
    expect(chart).to_have_attribute("aria-label", re.compile(r"^Time between arrivals, \d+ gaps"))
    expect(chart.locator("canvas")).to_be_visible()


LONG_MS = patient(200)
"""What a person begins to notice."""


@pytest.mark.parametrize("kind", ["lines", "one line"])
def test_no_task_over_200_ms_with_200_000_characters_at_once(open_app: OpenApp, kind: str) -> None:
    page = open_app()
    text = (LONG[:99] + ("\n" if kind == "lines" else " ")) * 2000
    longest: list[float] = []
    # What the engine does beside it makes tasks longer, never shorter: the best of three counts.
    while len(longest) < 3 and min(longest, default=LONG_MS) >= LONG_MS:
        write(page, text)
        settle(page)
        note_the_start(page)
        with longest_task(page) as task:
            page.get_by_label("Prompt", exact=True).press("Enter")
            page.wait_for_function("window.begun")
            expect(page.locator(".status")).to_have_text(
                "Complete, verified.", timeout=3 * PATIENCE_MS
            )
        shows(page, text)
        longest.append(task.ms)
    print(f"longest task, {kind}: {longest} ms")
    assert min(longest) < LONG_MS, longest


SLOWEST_KEY = """() => {
  window.slowest = 0;
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries())
      if (name === "keydown" || name === "input")
        window.slowest = Math.max(window.slowest, duration);
  }).observe({ type: "event", durationThreshold: 16 });
}"""


@pytest.mark.parametrize("speed", ["no limit", "1,000/s"])
def test_typing_beside_a_stream_does_not_lag(open_app: OpenApp, speed: str) -> None:
    """From a key to its character on the screen: Event Timing counts until the next paint."""
    page = open_app()
    page.evaluate(SLOWEST_KEY)
    prompt = page.get_by_label("Prompt", exact=True)
    slowest: list[float] = []
    while len(slowest) < 3 and min(slowest, default=LONG_MS) >= LONG_MS:
        ask(page, (LONG[:99] + "\n") * 2000, speed)
        prompt.evaluate("(prompt) => { prompt.value = ''; }")
        page.evaluate("window.slowest = 0")
        prompt.press_sequentially("typed meanwhile")
        expect(prompt).to_have_value("typed meanwhile")
        settle(page)
        slowest.append(page.evaluate("window.slowest"))
        page.get_by_role("region", name="Text of pane 1").focus()
        page.keyboard.press("Escape")
        page.wait_for_function("document.querySelector('.status[data-verified=true]')")
    print(f"slowest key, {speed}: {slowest} ms")
    assert min(slowest) < LONG_MS, slowest


def test_memory_stays_flat_over_ten_long_streams(open_app: OpenApp) -> None:
    page = open_app()
    developer = page.context.new_cdp_session(page)
    developer.send("Performance.enable")
    text = (LONG[:99] + "\n") * 2000
    heaps: list[float] = []
    for _ in range(10):
        note_the_start(page)
        ask(page, text)
        page.wait_for_function("window.begun")
        ended(page)
        shows(page, text)
        developer.send("HeapProfiler.collectGarbage")
        metrics = developer.send("Performance.getMetrics")["metrics"]
        heaps.append(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize"))
    # The browser's own caches fill at first. One text is 200 kB.
    assert heaps[-1] - heaps[2] < 600_000, heaps
