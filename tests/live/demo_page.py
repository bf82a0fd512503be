"""What a person does with the demo page, and sees on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

LONG = "The quick brown fox jumps over the lazy dog. " * 400


SCRIPTS = "".join(f"{n} 字 👩🏽‍🚀🇩🇪 नमस्ते क्ष مرحبا 한글 e\u0301\n" for n in range(150))
"""Text in many scripts, each line another; about 4,500 characters as people count them."""


def set_speed(page: Page, words: str) -> None:
    """Move the speed with the keyboard until it says `words`."""
    speed = page.get_by_label("Speed")
    for _ in range(40):
        now = page.locator("#rate-words").text_content()
        if now == words:
            return
        back = "Home" if now == "no limit" else "ArrowRight"
        speed.press("End" if words == "no limit" else back)
    pytest.fail(f"no speed {words!r}")


def slow_down(page: Page) -> None:
    """Move the speed to 1/s in one step: on the way there, much would be sent."""
    page.get_by_label("Speed").evaluate(
        "speed => { speed.value = 1; speed.dispatchEvent(new Event('input')); }"
    )
    expect(page.locator("#rate-words")).to_have_text("1/s")


def start(page: Page, text: str, speed: str = "no limit", source: str = "text") -> None:
    page.get_by_label("Source").select_option(source)
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
    expect(page.locator("#state")).to_have_text(words)


def shown(page: Page) -> str:
    return page.locator("#output").text_content() or ""


def connection(page: Page, words: str) -> None:
    """Wait until the page says this of its connection."""
    expect(page.locator("#connection")).to_have_text(words)


def resumes(page: Page, count: int) -> None:
    """Wait until the page counts so many resumes of its stream."""
    expect(page.locator("#resumes")).to_have_text(str(count))


def cut(page: Page) -> None:
    """Press the button that cuts the connection."""
    page.get_by_role("button", name="Cut my connection").click()


def record_connection(page: Page) -> None:
    """Note from now on, as ``window.states``, all that the page says of its connection."""
    page.evaluate(
        """() => {
          window.states = [];
          const connection = document.querySelector("#connection");
          new MutationObserver(() => window.states.push(connection.textContent))
            .observe(connection, { childList: true });
        }"""
    )
