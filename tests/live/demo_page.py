"""What a person does with the demo page, and sees on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

LONG = "The quick brown fox jumps over the lazy dog. " * 400


def set_speed(page: Page, words: str) -> None:
    """Move the speed with the keyboard until it says `words`."""
    speed = page.get_by_label("Speed")
    for _ in range(40):
        now = page.locator("#rate-words").text_content()
        if now == words:
            return
        speed.press("Home" if now == "no limit" else "ArrowRight")
    pytest.fail(f"no speed {words!r}")


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
