"""What is typed into the demo page and the app: from the first key on, wherever the focus is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.conftest import StartServer
from tests.live import slow_source
from tests.live.app_page import pane
from tests.support.chromium import PATIENCE_MS
from tests.support.running_server import RunningServer

pytestmark = [pytest.mark.live, pytest.mark.browser]

SENTENCE = "An example, and a / b? 字"

Name = Literal["demo", "app"]
PATHS: dict[Name, str] = {"demo": "/", "app": "/app/"}
both = pytest.mark.parametrize("name", PATHS)
FOCUSED = "document.activeElement.id"


@pytest.fixture(scope="module")
def texts(start_server: StartServer) -> Iterator[RunningServer]:
    """A server whose pages prefer the source ``text``, though it is not the server's own choice.

    A start that names no source is never answered.
    """
    chosen = ("--sources", slow_source.SETTING, "--source", "gated")
    server = start_server("--llm-model", "/no/such/model.gguf", *chosen)
    yield server
    server.stop()


class Held:
    """Requests that the page has made, to be answered when the test says so."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._routes: list[Route] = []
        self._held = True
        page.route(pattern, self._take)

    def release(self) -> None:
        """Let them through, and those to come."""
        self._held = False
        for route in self._routes:
            route.continue_()

    def _take(self, route: Route) -> None:
        if self._held:
            self._routes.append(route)
        else:
            route.continue_()


Open = Callable[..., tuple[Page, Held]]


@pytest.fixture
def open_(browser: Browser, texts: RunningServer) -> Iterator[Open]:
    """Open a page; ``hold`` says which of its requests wait, ``until`` for what to wait."""
    contexts = []

    def open_(
        name: Name,
        *,
        hold: str = "**/nothing",
        until: Literal["load", "commit"] = "load",
        **options: Any,
    ) -> tuple[Page, Held]:
        context = browser.new_context(locale="en-GB", bypass_csp=True, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        held = Held(page, hold)
        page.goto(f"{texts.url}{PATHS[name]}", wait_until=until)
        return page, held

    yield open_
    for context in contexts:
        context.close()


def answered(page: Page, name: Name, text: str = SENTENCE) -> None:
    """Wait for the one answer on the page, and that it is to `text`."""
    status, output = {"demo": ("#state", "#output"), "app": (".status", ".output")}[name]
    expect(page.locator(output)).to_have_text(text)
    expect(page.locator(status)).to_have_text("Complete, verified.")
    expect(page.locator("#prompt")).to_be_focused()
    if name == "app":
        expect(page.locator(".pane")).to_have_count(1)
        page.get_by_role("button", name="History").click()
        expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(1)


def unasked(page: Page, name: Name) -> None:
    """Check that nothing was started, and nothing else opened."""
    if name == "demo":
        expect(page.locator("body")).to_have_attribute("data-stream", "idle")
    else:
        expect(page.locator(".pane")).to_have_count(1)
        expect(pane(page)).to_have_attribute("data-state", "idle")
        expect(page.get_by_role("dialog")).to_have_count(0)


@both
def test_a_sentence_typed_at_once_has_one_answer(open_: Open, name: Name) -> None:
    page, _ = open_(name)
    page.keyboard.type(SENTENCE)
    page.keyboard.press("Enter")
    answered(page, name)


@both
def test_a_sentence_typed_before_the_script_is_there_has_one_answer(
    open_: Open, name: Name
) -> None:
    page, held = open_(name, hold="**/assets/*.js", until="commit")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type(SENTENCE)
    page.keyboard.press("Enter")
    held.release()
    answered(page, name)


@both
def test_who_still_types_when_the_script_comes_loses_nothing(open_: Open, name: Name) -> None:
    page, held = open_(name, hold="**/assets/*.js", until="commit")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("the second")
    page.keyboard.press("Home")  # where one writes on is kept
    held.release()
    expect(page.locator("#source, .pane-header select").first).to_have_value("text")
    page.keyboard.type("and ")
    expect(page.locator("#prompt")).to_have_value("first line\nand the second")
    unasked(page, name)


@both
def test_entered_before_the_sources_are_known_it_waits_for_them(open_: Open, name: Name) -> None:
    page, held = open_(name, hold="**/api/sources")
    soon = page.get_by_text("Starts as soon as the server answers…")
    page.keyboard.type(SENTENCE)
    page.keyboard.press("Enter")
    expect(soon).to_be_visible()
    page.keyboard.press("Escape")
    expect(soon).to_be_hidden()
    unasked(page, name)
    page.keyboard.press("Enter")
    expect(soon).to_be_visible()
    held.release()
    answered(page, name)


@both
def test_no_character_is_a_command_and_each_goes_to_the_prompt(open_: Open, name: Name) -> None:
    page, _ = open_(name)
    prompt = page.locator("#prompt")
    expect(prompt).to_be_focused()
    places = ["#start", "#stop", "#cut", "#rate", "#reader", "body"]
    if name == "app":
        places = ["[type=submit]", ".row .quiet", ".cut", "[type=range]", ".scroller", "body"]
    for place in places:
        prompt.fill("")
        page.evaluate("document.activeElement.blur()")
        if place != "body":
            page.locator(place).first.focus()
        page.keyboard.type("anphANPH?/ 1 字")
        expect(prompt).to_have_value("anphANPH?/ 1 字")
        unasked(page, name)


@both
def test_keys_that_mean_something_where_the_focus_is_stay_there(open_: Open, name: Name) -> None:
    page, _ = open_(name)
    prompt, source = page.locator("#prompt"), page.get_by_label("Source", exact=True)
    expect(source).to_have_value("text")
    source.focus()
    page.keyboard.type("t")
    page.keyboard.press("Escape")
    page.get_by_label("Speed").focus()
    for keys in ("ArrowRight", "Control+b", "Alt+b", "Shift", "F2", " "):
        page.keyboard.press(keys)
    expect(page.get_by_label("Speed")).to_be_focused()
    expect(prompt).to_have_value("")
    unasked(page, name)


@both
def test_a_key_of_an_input_method_starts_nothing(open_: Open, name: Name) -> None:
    page, _ = open_(name)
    page.locator("#prompt").fill("字")
    for composing in ("isComposing: true", "keyCode: 229"):
        pressed = f"new KeyboardEvent('keydown', {{key: 'Enter', {composing}, bubbles: true}})"
        page.locator("#prompt").evaluate(f"prompt => prompt.dispatchEvent({pressed})")
    unasked(page, name)


@both
def test_a_phone_begins_without_its_keyboard(open_: Open, name: Name) -> None:
    page, _ = open_(name, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    expect(page.get_by_label("Source", exact=True)).to_have_value("text")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert page.evaluate(FOCUSED) == ""
    page.keyboard.type("x")  # there may be one all the same
    expect(page.locator("#prompt")).to_have_value("x")


def test_what_has_the_focus_by_then_keeps_it(open_: Open) -> None:
    page, held = open_("demo", hold="**/assets/*.js", until="commit")
    expect(page.locator("#prompt")).to_be_focused()
    page.locator("#rate").focus()
    held.release()
    expect(page.locator("#source")).to_have_value("text")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert page.evaluate(FOCUSED) == "rate"


@both
def test_behind_a_sample_and_a_new_start_the_text_has_the_focus(open_: Open, name: Name) -> None:
    page, _ = open_(name)
    text = page.locator({"demo": "#reader", "app": ".text .scroller"}[name])
    page.get_by_role("button", name="The built-in sample").press("Enter")
    expect(text).to_be_focused()
    page.keyboard.press("Escape")
    if name == "app":
        page.get_by_role("button", name="Start again").press("Enter")
        expect(text).to_be_focused()
    page.keyboard.type("and then")
    expect(page.locator("#prompt")).to_have_value("and then")


def test_the_list_of_keys_opens_with_a_chord_and_takes_no_text(open_: Open) -> None:
    page, _ = open_("app")
    expect(pane(page)).to_be_visible()
    page.keyboard.press("Control+/")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("No letter is a command.")
    assert all(len(key) > 1 or key == "/" for key in keys.locator("kbd").all_text_contents())
    page.keyboard.type("letters")
    expect(page.locator("#prompt")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator("#prompt")).to_be_focused()
