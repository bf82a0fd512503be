"""The demo page for everybody: keyboard, speech, script, width, contrast, motion."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.live.conftest import OpenPage
from tests.live.demo_page import LONG, ended, set_speed, shown, start, wait_until_shown
from tests.live.test_app_access import SCHEMES
from tests.support.chromium import turn_up_until

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("Source").select_option("text")
    set_speed(page, "no limit")
    prompt = page.get_by_label("Prompt")
    prompt.focus()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    assert prompt.input_value() == "one\ntwo"
    composing = "prompt => prompt.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"  # noqa: E501 (one expression)
    prompt.evaluate(composing)  # accepts a word of an input method; must not start
    assert page.locator("body").get_attribute("data-stream") == "idle"
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["source", "rate", "stop", "start"]
    page.keyboard.press("Enter")
    ended(page, "Complete, verified.")
    assert shown(page) == "one\ntwo"
    prompt.press("Control+Enter")
    ended(page, "Complete, verified.")


def test_each_line_has_its_own_direction(open_page: OpenPage) -> None:
    page = open_page()
    start(page, "Left to right.\nمرحبا بالعالم (1).\nשלום עולם.\nLeft again.")
    ended(page, "Complete, verified.")
    directions = page.locator("#output > div").evaluate_all(
        "lines => lines.map((line) => getComputedStyle(line).direction)"
    )
    assert directions == ["ltr", "rtl", "rtl", "ltr"]


def test_phone_width_needs_no_sideways_scrolling(open_page: OpenPage) -> None:
    widths = (320, 390)
    page = open_page(viewport={"width": widths[0], "height": 760})

    def overflow() -> list[list[int]]:
        found = []
        for width in widths:
            page.set_viewport_size({"width": width, "height": 760})
            found.append(
                page.evaluate(
                    """[document.documentElement, document.querySelector('#reader')]
                    .map((element) => element.scrollWidth - element.clientWidth)"""
                )
            )
        return found

    assert overflow() == [[0, 0]] * 2
    start(page, "unbreakable" * 100 + "\n" + LONG[:500])
    ended(page, "Complete, verified.")
    assert overflow() == [[0, 0]] * 2
    for width in widths:
        page.set_viewport_size({"width": width, "height": 760})
        for name in ("Start", "Stop"):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport()


def test_contrast_is_at_least_that_of_wcag_aa(open_page: OpenPage) -> None:
    page = open_page()
    start(page, "Some text.")
    ended(page, "Complete, verified.")
    page.evaluate("document.querySelector('#error').textContent = 'Something is wrong.'")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        ratios: dict[str, float] = page.evaluate(CONTRAST)
        assert len(ratios) > 8
        assert {words: ratio for words, ratio in ratios.items() if ratio < 4.5} == {}, scheme
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(20, 20, 19)") == (scheme == "dark")


CONTRAST = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (element) => {
    const color = parse(getComputedStyle(element).backgroundColor);
    return color[3] === 0 ? background(element.parentElement) : color;
  };
  const ratios = {};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [parse(getComputedStyle(element).color), background(element)].map(luminance);
    ratios[element.textContent.trim()] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return ratios;
}"""


def test_reduced_motion_stills_the_caret(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="reduce")
    page.evaluate("document.body.dataset.stream = 'waiting'")
    caret = "getComputedStyle(document.querySelector('#output'), '::after').animationName"
    assert page.evaluate(caret) == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(caret) == "blink"


def test_screen_readers_hear_sentences_not_characters(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(
        """() => {
          window.spoken = [];
          const region = document.querySelector("[aria-live=polite]");
          new MutationObserver(() => window.spoken.push(region.textContent))
            .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    sentences = "One sentence here. " * 20 + "And an unfinished one"
    start(page, sentences, "60/s")
    ended(page, "Complete, verified.")
    spoken: list[str] = page.evaluate("window.spoken")
    assert 2 <= len(spoken) <= 5
    assert " ".join(spoken) == sentences
    assert all(part.endswith(".") for part in spoken[:-1])
    assert page.locator("#output").evaluate("output => output.closest('[aria-live]')") is None
    names = page.locator("button:visible, select, input, textarea").evaluate_all(
        "all => all.map((e) => e.labels?.[0]?.textContent.trim() || e.textContent.trim())"
    )
    assert all(names)


def test_scrolls_along_until_the_reader_scrolls_up(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 800, "height": 600})
    reader = page.locator("#reader")
    to_end = "reader => reader.scrollHeight - reader.scrollTop - reader.clientHeight"
    start(page, "line\n" * 20_000, "1,000/s")
    wait_until_shown(page, 500)
    page.wait_for_function("document.querySelector('#reader').scrollTop > 500")
    reader.hover()
    newest = page.get_by_role("button", name="Newest text")
    turn_up_until(newest)
    position = reader.evaluate("reader => reader.scrollTop")
    wait_until_shown(page, len(shown(page)) + 500)
    assert reader.evaluate("reader => reader.scrollTop") == position
    newest.click()
    expect(newest).to_be_hidden()
    assert reader.evaluate(to_end) < 60
    page.keyboard.press("Escape")
    ended(page, "Stopped, verified.")
