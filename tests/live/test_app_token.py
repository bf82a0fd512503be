"""The app at a server that asks who you are, in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.live.app_page import (
    LONG,
    ask,
    ended,
    figure,
    link_in_dialog,
    pane,
    shown,
    shows,
    wait_until_shown,
    write,
)
from tests.live.conftest import OpenApp
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from tests.support.tokens import about_to_expire, make_token

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_a_link_with_a_token_signs_in_and_is_not_left_in_the_address(
    guarded: RunningServer, open_app: OpenApp
) -> None:
    page = open_app(f"{guarded.url}/app/#token={make_token()}")
    assert page.url == f"{guarded.url}/app/"
    ask(page, "abc")
    ended(page)
    shows(page, "abc")
    page.reload()
    expect(page.locator(".connection[data-state=connected]")).to_be_visible()
    expect(page.locator("option[value=text]").first).to_be_attached()


def test_without_one_it_says_to_sign_in_and_a_link_in_the_same_tab_does(
    guarded: RunningServer, open_app: OpenApp
) -> None:
    # Not quiet: a browser reports each answer that is 401.
    page = open_app(f"{guarded.url}/app/", quiet=False, connected=False)
    banner = page.locator(".banner")
    expect(banner).to_contain_text("Sign in again")
    expect(banner.locator(".countdown")).to_have_text("")
    expect(banner.get_by_role("button")).to_be_enabled()
    page.evaluate("token => { location.hash = `token=${token}`; }", make_token())
    expect(page.locator(".connection[data-state=connected]")).to_be_visible()
    assert "eyJ" not in page.url
    expect(banner).to_be_hidden()


KEEP = """token => {
  const name = Object.keys(sessionStorage).find((key) => key.startsWith("textstream token"));
  sessionStorage.setItem(name, token);
}"""


def test_a_token_that_expires_in_mid_stream(guarded: RunningServer, open_app: OpenApp) -> None:
    page = open_app(f"{guarded.url}/app/#token={make_token()}", quiet=False)
    write(page, LONG, "200/s")
    page.get_by_role("button", name="Cut the connection").click()
    # It stays away for 4 s, and comes back with this one.
    short = about_to_expire(left=4 + patient(2))
    page.evaluate(KEEP, short)
    expect(page.locator(".connection[data-state=reconnecting]")).to_be_visible()
    expect(page.locator(".connection[data-state=connected]")).to_be_visible()
    page.get_by_label("Prompt", exact=True).press("Enter")
    wait_until_shown(page, 10)
    page.evaluate(KEEP, make_token())
    expect(figure(page, "resumes")).to_have_text("1")
    before = len(shown(page))
    wait_until_shown(page, before + 50)
    page.get_by_role("button", name="Stop").click()
    ended(page, "Stopped, verified.")
    assert LONG.startswith(shown(page))


def test_a_link_lets_one_watch_without_a_token_until_the_sharing_is_ended(
    guarded: RunningServer, open_app: OpenApp
) -> None:
    page = open_app(f"{guarded.url}/app/#token={make_token()}")
    ask(page, LONG, "60/s")
    wait_until_shown(page, 10)
    page.get_by_role("button", name="Share").click()
    page.get_by_label("The link is good for").select_option("1 hour")
    link = link_in_dialog(page)
    # Not quiet: the list of sources is not for who has only a link.
    viewer = open_app(link, quiet=False, connected=False)
    assert "grant" not in viewer.url
    viewer.get_by_role("button", name="From the start").click()
    wait_until_shown(viewer, 10)
    assert LONG.startswith(shown(viewer))
    expect(pane(viewer).get_by_role("button", name="Leave")).to_be_enabled()
    expect(viewer.get_by_role("button", name="Stop")).to_have_count(0)
    viewer.reload()
    wait_until_shown(viewer, 10)
    page.get_by_role("button", name="End sharing").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nobody else can read")
    expect(viewer.locator(".pane")).to_contain_text("its owner has ended the sharing")
    late = open_app(link, quiet=False, connected=False)
    expect(late.get_by_role("dialog")).to_contain_text("does not let you read")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Stop").click()
    ended(page, "Stopped, verified.")
