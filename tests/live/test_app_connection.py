"""The app when connections break, over links, and from another origin."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartServer
from tests.live import slow_source
from tests.live.app_page import (
    LONG,
    MIXED,
    ask,
    ended,
    figure,
    have_the_rest,
    link_in_dialog,
    pane,
    set_speed,
    shown,
    shows,
    wait_until_shown,
)
from tests.live.conftest import OpenApp
from tests.support.chromium import built_page
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer
from tests.support.site import site

pytestmark = [pytest.mark.live, pytest.mark.browser]

POLICY = "default-src 'self'; connect-src http://127.0.0.1:* ws://127.0.0.1:*; base-uri 'none'"


@pytest.fixture(scope="module")
def other_origin(tmp_path_factory: pytest.TempPathFactory, leak_guard: LeakGuard) -> Iterator[str]:
    """The built app on a web server of its own, under a strict content security policy."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(built_page(), folder / "web")
    with site(folder, leak_guard, {"/web/": POLICY}) as origin:
        yield origin


def test_cut_goes_on_exact_and_says_what_happens(open_app: OpenApp) -> None:
    page = open_app()
    ask(page, MIXED, "200/s")
    wait_until_shown(page, 60)
    page.get_by_role("button", name="Cut the connection").click()
    expect(page.locator(".badge")).to_have_text("Connection lost")
    expect(page.locator(".banner")).to_contain_text("What you read goes on where it stopped.")
    expect(page.locator(".countdown")).to_have_text(re.compile(r"^Trying again in [1-4] s$"))
    ended(page, "Goes on when the connection is back.")
    before = shown(page)
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".badge")).to_have_text("Connected · WebSocket")
    expect(page.locator(".banner")).to_be_hidden()
    have_the_rest(page, before)
    ended(page)
    shows(page, MIXED)
    expect(figure(page, "resumes")).to_have_text("1")


@pytest.mark.parametrize("transports", ["", "polling"])
def test_without_network_it_waits_and_goes_on(
    open_app: OpenApp, server: RunningServer, transports: str
) -> None:
    page = open_app(f"{server.url}/app/?transports={transports}", quiet=False)
    ask(page, MIXED, "200/s")
    wait_until_shown(page, 60)
    page.context.set_offline(True)
    expect(page.locator(".badge")).to_have_text("Connection lost")
    expect(page.locator(".countdown")).to_have_text(re.compile("^Trying again in"))
    before = shown(page)
    page.context.set_offline(False)
    have_the_rest(page, before)
    ended(page)
    shows(page, MIXED)


def test_reload_in_mid_stream_goes_on_exact(open_app: OpenApp) -> None:
    page = open_app(viewport={"width": 1440, "height": 900})
    page.get_by_role("button", name="Add a pane").click()
    pane(page, 2).get_by_label("Source", exact=True).select_option("text")
    set_speed(page, "no limit", 2)
    ask(page, MIXED, "200/s")
    ended(page, number=2)
    wait_until_shown(page, 60)
    page.reload()
    expect(page.locator(".pane")).to_have_count(2)
    shows(page, MIXED, 2)  # the one that had ended is back as well
    ended(page)
    shows(page, MIXED)
    page.reload()
    for number in (1, 2):
        ended(page, number=number)
    # At once, and yet the next prompt has the speed that was chosen.
    expect(pane(page).locator(".speed output")).to_have_text("200/s")


@pytest.fixture(scope="module")
def slow(start_server: StartServer) -> Iterator[RunningServer]:
    """A server with a source that is live: its text takes seconds to come into being."""
    server = start_server("--sources", slow_source.SETTING)
    yield server
    server.stop()


def test_reload_before_the_first_character_finds_the_stream(
    open_app: OpenApp, slow: RunningServer, tmp_path: Path
) -> None:
    page = open_app(f"{slow.url}/app/")
    pane(page).get_by_label("Source", exact=True).select_option("gated")
    gate = tmp_path / "gate"
    page.get_by_label("Prompt", exact=True).fill(str(gate))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Share")).to_be_enabled()
    page.reload()
    ended(page, "Waiting for the first character…")
    assert shown(page) == ""
    gate.touch()
    set_speed(page, "no limit")
    ended(page)
    shows(page, slow_source.TEXT)


def ask_slowly(page: Page, gate: Path) -> str:
    """Start the live source, which is slow until there is `gate`; return the link to it."""
    pane(page).get_by_label("Source", exact=True).select_option("ticking")
    page.get_by_label("Prompt", exact=True).fill(str(gate))
    page.get_by_role("button", name="Start").click()
    wait_until_shown(page, 30)
    page.get_by_role("button", name="Share").click()
    link = link_in_dialog(page)
    page.get_by_role("button", name="Close").click()
    return link


def test_link_lets_others_watch_live_and_counts_them(
    open_app: OpenApp, slow: RunningServer, tmp_path: Path
) -> None:
    page = open_app(f"{slow.url}/app/")
    link = ask_slowly(page, gate := tmp_path / "gate")
    expect(page.locator(".viewers")).to_have_text("1 reader")
    viewer = open_app(link)
    viewer.get_by_role("button", name="From the start").click()
    expect(viewer.locator(".status")).to_contain_text("You watch a stream of somebody else.")
    for reader in (page, viewer):
        expect(reader.locator(".viewers")).to_have_text("2 readers")
    late = open_app(link)
    late.get_by_role("button", name="From now on").click()
    expect(page.locator(".viewers")).to_have_text("3 readers")
    gate.touch()
    for reader in (page, viewer, late):
        set_speed(reader, "no limit")
    for reader in (page, viewer):
        ended(reader)
        shows(reader, slow_source.TEXT)
    ended(late, "Complete.")
    rest = shown(late)
    assert slow_source.TEXT.endswith(rest)
    assert 0 < len(rest) < len(slow_source.TEXT)


def test_escape_of_a_viewer_leaves_and_does_not_stop(
    open_app: OpenApp, slow: RunningServer, tmp_path: Path
) -> None:
    page = open_app(f"{slow.url}/app/")
    viewer = open_app(ask_slowly(page, gate := tmp_path / "gate"))
    viewer.get_by_role("button", name="From the start").click()
    wait_until_shown(viewer, 30)
    viewer.keyboard.press("Escape")
    ended(viewer, "You have left. It goes on for the others.")
    gate.touch()
    set_speed(page, "no limit")
    ended(page)
    shows(page, slow_source.TEXT)


def test_link_to_a_stream_that_is_gone_says_so(open_app: OpenApp, server: RunningServer) -> None:
    page = open_app(f"{server.url}/app/?watch=unknown")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The server no longer has this stream. Start it again.")
    dialog.get_by_role("button", name="Not now").click()
    assert page.url == f"{server.url}/app/"


@pytest.fixture(scope="module")
def naming(start_server: StartServer, other_origin: str) -> Iterator[RunningServer]:
    """A server that names the other origin as the only one."""
    server = start_server("--cors-origins", other_origin)
    yield server
    server.stop()


@pytest.mark.parametrize(("transports", "said"), [("", "WebSocket"), ("polling", "polling")])
def test_app_of_another_origin_that_is_named(
    open_app: OpenApp, other_origin: str, naming: RunningServer, transports: str, said: str
) -> None:
    """Under a strict content security policy, too: no inline script, style or data."""
    query = urlencode({"server": naming.url, "transports": transports})
    page = open_app(f"{other_origin}/web/app/?{query}")
    expect(page.locator(".badge")).to_have_text(f"Connected · {said}")
    ask(page, MIXED)
    ended(page)
    shows(page, MIXED)
    page.get_by_text("Gaps over time").click()
    expect(page.get_by_role("img").locator("canvas")).to_be_visible()
    page.get_by_role("button", name="Share").click()
    viewer = open_app(link_in_dialog(page))
    viewer.get_by_role("button", name="From the start").click()
    ended(viewer)
    shows(viewer, MIXED)


@pytest.mark.parametrize("transports", ["", "polling"])
def test_app_of_an_origin_that_is_not_named_says_so(
    open_app: OpenApp, other_origin: str, example_only: RunningServer, transports: str
) -> None:
    query = urlencode({"server": example_only.url, "transports": transports})
    address = f"{other_origin}/web/app/?{query}"
    page = open_app(address, quiet=False, connected=False)
    expect(page.locator(".banner")).to_contain_text(
        f"The server at {example_only.url} does not accept pages from {other_origin}; "
        f"start it with --cors-origins {other_origin}."
    )


def test_server_that_is_not_there_and_address_that_is_none(
    open_app: OpenApp, other_origin: str, nobody: str
) -> None:
    address = f"{other_origin}/web/app/?{urlencode({'server': nobody})}"
    page = open_app(address, quiet=False, connected=False)
    expect(page.locator(".banner")).to_contain_text(f"No server answers at {nobody}.")
    for wrong in ("nonsense:", "127.0.0.1:5002", "stream.example.org"):
        page = open_app(f"{other_origin}/web/app/?server={wrong}", connected=False)
        expect(page.get_by_role("alert")).to_contain_text(f"“{wrong}” is no address of a server.")


def test_server_that_goes_down_says_so_and_the_app_comes_back(
    open_app: OpenApp, other_origin: str, start_server: StartServer
) -> None:
    draining = start_server(env={"TEXTSTREAM_DRAIN": "30"})
    address = f"{other_origin}/web/app/?{urlencode({'server': draining.url})}"
    page = open_app(address, quiet=False)
    ask(page, LONG, "60/s")
    wait_until_shown(page, 10)
    draining.terminate()
    expect(page.locator(".badge")).to_contain_text("The server goes down")
    expect(page.locator(".banner")).to_contain_text("Streams that run may finish")
    set_speed(page, "no limit")
    ended(page)
    shows(page, LONG)
    draining.stop()
    expect(page.locator(".badge")).to_have_text("Connection lost")
