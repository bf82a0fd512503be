"""The app for everybody: axe, keyboard, speech, script, width, language, appearance, motion."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.live.app_page import (
    LONG,
    ask,
    ended,
    link_in_dialog,
    pane,
    set_speed,
    shows,
    wait_until_shown,
)
from tests.live.conftest import OpenApp
from tests.support.chromium import node_module, turn_up_until

pytestmark = [pytest.mark.live, pytest.mark.browser]

SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]


BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def looks(page: Page) -> Iterator[str]:
    """Give the page each look in turn: in the light and in the dark, on a phone and a desktop."""
    seen = set()
    for scheme in SCHEMES:
        # At rest: colours that are on their way are no look.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        seen.add(page.evaluate(BACKGROUND))
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            yield f"{scheme}, {width}"
    assert len(seen) == len(SCHEMES), "it has followed"


def violations(page: Page) -> list[str]:
    """What axe finds in every look, as `look, rule: element`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(node_module("axe-core/axe.min.js").read_text())
    lines = []
    for look in looks(page):
        found: list[dict[str, Any]] = page.evaluate("axe.run().then((found) => found.violations)")
        lines += [
            f"{look}, {rule['id']}: {node['html'][:120]}"
            for rule in found
            for node in rule["nodes"]
        ]
    return lines


def test_axe_finds_nothing_in_any_state(open_app: OpenApp) -> None:
    page = open_app(reduced_motion="reduce")
    states = {"welcome": violations(page)}
    page.get_by_role("button", name="Options").click()
    states["options of text"] = violations(page)
    pane(page).get_by_label("Source", exact=True).select_option("llm")
    page.get_by_label("Temperature").fill("9")
    states["options of llm, one wrong"] = violations(page)
    page.get_by_label("Temperature").fill("1")
    page.get_by_role("button", name="Options").click()
    ask(page, LONG, "60/s")
    wait_until_shown(page, 20)
    states["streaming"] = violations(page)
    page.get_by_role("button", name="Cut the connection").click()
    expect(page.locator(".banner")).to_be_visible()
    states["cut"] = violations(page)
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".banner")).to_be_hidden()
    page.get_by_text("Gaps over time").click()
    expect(page.get_by_role("img").locator("canvas")).to_be_visible()
    states["chart"] = violations(page)
    page.get_by_role("button", name="Add a pane").click()
    states["two panes"] = violations(page)
    for name in ("History", "Settings", "Share"):
        page.get_by_role("button", name=name).first.click()
        states[name] = violations(page)
        page.keyboard.press("Escape")
    page.get_by_role("region", name="Text of pane 1").focus()
    page.keyboard.press("Control+/")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    states["shortcuts"] = violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    ended(page, "Stopped, verified.")
    states["ended"] = violations(page)
    page.get_by_role("button", name="History").click()
    page.get_by_role("button", name="Open: ").first.click()
    expect(page.get_by_text("Only the beginning of this prompt is kept")).to_be_visible()
    states["prompt cut"] = violations(page)
    assert {state: found for state, found in states.items() if found} == {}
    assert len(states) == 13


def test_keyboard_alone(open_app: OpenApp) -> None:
    page = open_app(viewport={"width": 1440, "height": 900})
    prompt = page.get_by_label("Prompt", exact=True)
    expect(prompt).to_be_focused()
    pane(page).get_by_label("Source", exact=True).select_option("text")
    set_speed(page, "60/s")
    page.keyboard.type("one?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type(LONG[:200])
    expect(prompt).to_be_focused()
    page.keyboard.press("Enter")
    wait_until_shown(page, 5)
    page.get_by_role("button", name="Pause").press(" ")
    ended(page, "Paused")
    page.get_by_role("button", name="Continue").press(" ")
    ended(page, "Complete, verified.")
    shows(page, "one?\n" + LONG[:200])
    page.get_by_role("button", name="Add a pane").press(" ")
    expect(page.locator(".pane")).to_have_count(2)
    page.get_by_role("button", name="History").press("Enter")
    expect(page.get_by_role("dialog", name="History")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    reached = []
    prompt.focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert reached == ["+ Add a pane", "Stop Esc", "Start all 2 ↵"]


def test_what_a_dialog_opens_leaves_the_focus_where_it_was(open_app: OpenApp) -> None:
    page = open_app()
    ask(page, LONG[:100])
    ended(page)
    history = page.get_by_role("button", name="History")
    dialog = page.get_by_role("dialog")
    for name in ("Open", "Replay"):
        history.press("Enter")
        dialog.get_by_role("button", name=f"{name}: ").press("Enter")
        expect(dialog).to_have_count(0)
        expect(history).to_be_focused()
    text = page.get_by_role("region", name="Text of pane 1")
    text.press("Control+/")
    dialog.get_by_role("button", name="Close").press("Enter")
    expect(dialog).to_have_count(0)
    expect(text).to_be_focused()
    page.get_by_role("button", name="Share").first.press("Enter")
    link = link_in_dialog(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Share").first).to_be_focused()
    viewer = open_app(link)
    start = viewer.get_by_role("button", name="From the start")
    expect(start).to_be_enabled()  # for press() does not wait for that
    start.press("Enter")
    expect(viewer.get_by_role("region", name="Text of pane 1")).to_be_focused()


def test_phone_width_needs_no_sideways_scrolling(open_app: OpenApp) -> None:
    page = open_app(viewport={"width": 390, "height": 844})
    wide = """() => [document.documentElement, ...document.querySelectorAll(
        ".scroller, .header, .composer, .pane-header, .pane-footer, .options")]
        .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.className)"""

    def overflow() -> list[list[str]]:
        found = []
        for width in (320, 390):
            page.set_viewport_size({"width": width, "height": 844})
            found.append(page.evaluate(wide))
        return found

    assert overflow() == [[], []]
    text = "unbreakable" * 100 + "\n" + LONG[:500]
    ask(page, text)
    shows(page, text)
    page.get_by_role("button", name="Options").click()
    assert overflow() == [[], []]
    for width in (320, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for name in ("Start", "Stop"):
            expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()


def test_language_of_the_browser_and_by_choice(open_app: OpenApp) -> None:
    page = open_app(locale="zh-TW")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="提问，看着回答逐字到来。")).to_be_visible()
    page.get_by_role("button", name="设置").click()
    page.get_by_label("English").check()
    expect(page.get_by_role("heading", name="Ask, and watch the answer arrive.")).to_be_visible()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_appearance_of_the_system_and_by_choice(open_app: OpenApp) -> None:
    page = open_app(color_scheme="dark")
    assert page.evaluate(BACKGROUND) == "rgb(20, 20, 19)"
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Light").check()
    assert page.evaluate(BACKGROUND) == "rgb(251, 250, 247)"
    page.reload()
    assert page.evaluate(BACKGROUND) == "rgb(251, 250, 247)"


def test_each_line_has_its_own_direction(open_app: OpenApp) -> None:
    page = open_app()
    text = "Left to right.\nمرحبا بالعالم (1).\nשלום עולם.\nLeft again."
    ask(page, text)
    shows(page, text)
    directions = page.locator(".output > div").evaluate_all(
        "lines => lines.map((line) => getComputedStyle(line).direction)"
    )
    assert directions == ["ltr", "rtl", "rtl", "ltr"]


def test_screen_readers_hear_sentences_not_characters(open_app: OpenApp) -> None:
    page = open_app()
    sentences = "One sentence here. " * 20 + "And an unfinished one"
    ask(page, sentences, "60/s")
    wait_until_shown(page, 1)
    page.evaluate(
        """() => {
          window.spoken = [];
          const region = document.querySelector(".spoken[aria-live=polite]");
          new MutationObserver(() => window.spoken.push(region.textContent))
            .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    ended(page)
    page.wait_for_function("spoken.at(-1)?.endsWith('unfinished one')")
    spoken: list[str] = page.evaluate("window.spoken")
    assert 2 <= len(spoken) <= 5
    assert " ".join(spoken) == sentences
    assert page.locator(".output").evaluate("output => output.closest('[aria-live]')") is None


def test_scrolls_along_until_the_reader_scrolls_up(open_app: OpenApp) -> None:
    page = open_app(viewport={"width": 800, "height": 700})
    scroller = page.locator(".scroller")
    ask(page, "line\n" * 20_000, "1,000/s")
    page.wait_for_function("document.querySelector('.scroller').scrollTop > 500")
    scroller.hover()
    newest = page.get_by_role("button", name="Newest text")
    turn_up_until(newest)
    before = "document.querySelector('.output').textContent.length"
    length, position = page.evaluate(before), scroller.evaluate("e => e.scrollTop")
    wait_until_shown(page, length + 500)
    assert scroller.evaluate("e => e.scrollTop") == position
    newest.click()
    expect(newest).to_be_hidden()
    page.wait_for_function(
        "(({scrollHeight: all, scrollTop: top, clientHeight: some}) => all - top - some < 60)"
        "(document.querySelector('.scroller'))"
    )
    page.keyboard.press("Escape")
    ended(page, "Stopped, verified.")


def test_reduced_motion_stills_the_caret(open_app: OpenApp) -> None:
    caret = "getComputedStyle(document.querySelector('.output > :last-child'), '::after')"
    page = open_app(reduced_motion="reduce")
    ask(page, LONG, "60/s")
    wait_until_shown(page, 5)
    page.get_by_role("button", name="Cut the connection").click()
    ended(page, "Goes on when the connection is back.")
    assert page.evaluate(f"{caret}.animationName") == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(f"{caret}.animationName") == "blink"


def test_first_load_is_at_most_250_kb_compressed(open_app: OpenApp) -> None:
    page = open_app()
    names: list[str] = page.evaluate(
        "performance.getEntriesByType('resource').map(({name}) => name)"
        ".filter((name) => name.includes('/assets/'))"
    )
    sizes = {name: len(gzip.compress(page.request.get(name).body())) for name in names}
    assert len(sizes) >= 2
    assert sum(sizes.values()) < 250_000, sizes
