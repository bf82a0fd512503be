"""What a person does with the app, and sees on it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.live.streams import CLUSTERS

LONG = "The quick brown fox jumps over the lazy dog. " * 400

MIXED = "".join(f"{number} {cluster}\n" for number in range(40) for cluster in CLUSTERS)
"""Lines in several scripts: a character that is lost, doubled or cut is noticed."""


def pane(page: Page, number: int = 1) -> Locator:
    return page.locator(".pane").nth(number - 1)


def set_speed(page: Page, words: str, number: int = 1) -> None:
    """Move the speed with the keyboard until it says `words`."""
    place = pane(page, number)
    speed = place.get_by_label("Speed")
    speed.press("End" if words == "no limit" else "Home")
    for _ in range(40):
        if place.locator(".speed output").text_content() == words:
            return
        speed.press("ArrowRight")
    pytest.fail(f"no speed {words!r}")


def ask(page: Page, text: str, speed: str = "no limit") -> None:
    """Have `text` streamed in the first pane, and in the others as they are set up."""
    write(page, text, speed)
    page.get_by_label("Prompt", exact=True).press("Enter")


def write(page: Page, text: str, speed: str = "no limit") -> None:
    """Put `text` into the box, to be streamed from the first pane when Enter is pressed."""
    pane(page).get_by_label("Source", exact=True).select_option("text")
    set_speed(page, speed)
    # Not fill(): typing thousands of lines takes Chromium minutes.
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.evaluate("(prompt, text) => { prompt.value = text; }", text)


def note_the_start(page: Page) -> None:
    """Note from now on, as ``window.begun``, whether what is on the screen is not verified.

    Before Enter: a stream that is over within a frame or two would be missed by looking.
    """
    page.evaluate(
        """() => {
          const verified = ".status[data-verified=true]";
          const look = () => (window.begun ||= !document.querySelector(verified));
          window.begun = false;
          window.looking?.disconnect();
          window.looking = new MutationObserver(look);
          look();
          const attributeFilter = ["data-verified"];
          window.looking.observe(document.body, { subtree: true, attributeFilter });
        }"""
    )


def settle(page: Page) -> None:
    """Wait until what was done is on the screen, and what it took has been told to observers.

    The browser lays out 200,000 characters in the box in 100 ms and more: no fault of the page's.
    """
    page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
          requestIdleCallback(() => setTimeout(done)))))"""
    )


def shown(page: Page, number: int = 1) -> str:
    return pane(page, number).locator(".output").text_content() or ""


def wait_until_shown(page: Page, characters: int, number: int = 1) -> None:
    page.wait_for_function(
        "([index, count]) => (document.querySelectorAll('.pane')[index]"
        ".querySelector('.output')?.textContent.length ?? 0) >= count",
        arg=[number - 1, characters],
    )


def have_the_rest(page: Page, beyond: str) -> None:
    """Wait until the first pane's text goes on `beyond` what it was; have what is left at once."""
    wait_until_shown(page, len(beyond) + 40)
    set_speed(page, "no limit")


def ended(page: Page, words: str = "Complete, verified.", number: int = 1) -> None:
    expect(pane(page, number).locator(".status")).to_contain_text(words)


def shows(page: Page, text: str, number: int = 1) -> None:
    """Wait until the pane shows `text`: the last of it may come a frame after the end."""
    wait_until_shown(page, len(text.encode("utf-16-le")) // 2, number)
    assert shown(page, number) == text


def link_in_dialog(page: Page) -> str:
    """Return the link in the dialog Share, when it is there."""
    link = page.get_by_label("Link", exact=True)
    expect(link).to_have_value(re.compile("^http"))
    return link.input_value()


def figure(page: Page, name: str, number: int = 1) -> Locator:
    return pane(page, number).locator(f"[data-figure={name}] dd")
