"""Behind a proxy that serves the server under a path: pages and the client library in Node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartServer
from tests.live import app_page, demo_page
from tests.live.conftest import OpenApp, OpenPage
from tests.support.chromium import built_library
from tests.support.node import run_script
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer

pytestmark = [pytest.mark.live, pytest.mark.browser]


@dataclass
class Site:
    """A server under a path."""

    proxy: ReverseProxy
    url: str


@pytest.fixture(scope="module")
def told(start_server: StartServer) -> Iterator[RunningServer]:
    """A server that is told its prefix."""
    server = start_server("--prefix", "/a/app")
    yield server
    server.stop()


@pytest.fixture(params=["/stream", "/a/app, left on"])
def site(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[Site]:
    """Under a path that the proxy takes off; under one like a page's, which it leaves on."""
    prefix, _, left_on = request.param.partition(",")
    behind = request.getfixturevalue("told") if left_on else server
    with ReverseProxy(behind.address, prefix=prefix, strip=not left_on) as proxy:
        yield Site(proxy, proxy.url)
        assert set(proxy.outside) <= {"/favicon.ico"}, "all is under the prefix"


@pytest.fixture
def stream(server: RunningServer) -> Iterator[str]:
    """A server under ``/stream``."""
    with ReverseProxy(server.address, prefix="/stream") as proxy:
        yield proxy.url
        assert proxy.outside == []


def test_demo_streams_and_goes_on_after_a_cut(site: Site, open_page: OpenPage) -> None:
    page = open_page(site.url)  # without its slash
    demo_page.start(page, demo_page.SCRIPTS, "500/s")
    demo_page.wait_until_shown(page, 200)
    site.proxy.cut_all()
    demo_page.resumes(page, 1)
    page.get_by_label("Speed").press("End")
    demo_page.ended(page, "Complete, verified.")
    assert demo_page.shown(page) == demo_page.SCRIPTS
    assert urlsplit(page.url).path == f"{site.proxy.prefix}/"


def test_app_streams_and_goes_on_after_a_cut_and_a_reload(site: Site, open_app: OpenApp) -> None:
    page = open_app(f"{site.url}/app?x=1")  # without its slash
    assert page.url == f"{site.url}/app/?x=1"
    app_page.ask(page, app_page.MIXED, "200/s")
    app_page.wait_until_shown(page, 60)
    site.proxy.cut_all()
    expect(app_page.figure(page, "resumes")).to_have_text("1")
    page.reload()
    app_page.wait_until_shown(page, 60)
    app_page.set_speed(page, "no limit")
    app_page.ended(page)
    app_page.shows(page, app_page.MIXED)
    page.get_by_role("button", name="History").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize("transports", ["", "polling"])
def test_the_link_to_a_stream_is_under_the_path_and_asks_at_once(
    stream: str, open_app: OpenApp, transports: str
) -> None:
    page = open_app(f"{stream}/app/?transports={transports}")
    app_page.ask(page, app_page.MIXED)
    app_page.ended(page)
    page.get_by_role("button", name="Share").click()
    link = app_page.link_in_dialog(page)
    assert re.fullmatch(re.escape(stream) + r"/app/\?watch=[\w-]+#grant=[\w.-]+", link)
    # The page asks again after two seconds: what it shows by then, it had asked for at once.
    viewer = open_app(link, script="setInterval = () => 0")
    viewer.get_by_role("button", name="From the start").click()
    app_page.ended(viewer)
    app_page.shows(viewer, app_page.MIXED)


def test_lab_connects_and_comes_back(site: Site, open_app: OpenApp) -> None:
    # Not quiet: the cut may come while the second of its connections is upgraded.
    page = open_app(f"{site.url}/lab", connected=False, quiet=False)
    badge = page.locator(".badge")
    expect(badge).to_have_text("Connected")
    for over, transport in (("Polling only", "polling"), ("Polling, then upgrade", "websocket")):
        page.get_by_label(over).check()
        expect(page.locator("[data-fact=transport] dd")).to_have_text(transport)
    sent = page.locator(".log li[data-sent=false]").filter(has_text="my_response")
    site.proxy.cut_all()
    expect(page.locator(".log li").filter(has_text="disconnect")).not_to_have_count(0)
    expect(badge).to_have_text("Connected")
    page.get_by_label("Message").fill("after the cut")
    page.locator("button.event").filter(has=page.get_by_text("my_event", exact=True)).click()
    expect(sent.first).to_contain_text("after the cut")


def test_pages_hosted_elsewhere_are_told_where_it_is(
    stream: str, open_page: OpenPage, open_app: OpenApp, server: RunningServer
) -> None:
    for named in (stream, f"{stream}/"):
        query = urlencode({"server": named})
        page = open_page(f"{server.url}/?{query}")
        demo_page.start(page, demo_page.SCRIPTS)
        demo_page.ended(page, "Complete, verified.")
    app = open_app(f"{server.url}/app/?{query}")
    app_page.ask(app, app_page.MIXED)
    app_page.ended(app)
    app.get_by_role("button", name="Share").click()
    link = app_page.link_in_dialog(app)
    assert link.partition("#")[0].endswith(f"&{urlencode({'server': stream})}")
    lab = open_app(f"{server.url}/lab/?{query}", connected=False)
    expect(lab.locator(".badge")).to_have_text("Connected")


def test_two_servers_on_one_origin_do_not_mix(
    open_app: OpenApp, told: RunningServer, server: RunningServer
) -> None:
    """The same tab goes from one to the other, and back."""
    with ReverseProxy(server.address) as proxy:
        page = open_app(f"{proxy.url}/app/")
        app_page.ask(page, "of the root")
        app_page.ended(page)
        demo(page, proxy.url, "of the root")
        proxy.to, root = told.address, proxy.url
        page.goto(f"{root}/a/app/app/")
        expect(page.get_by_role("heading", name="Ask, and watch")).to_be_visible()
        page.get_by_role("button", name="History").click()
        expect(page.get_by_role("dialog")).to_contain_text("The streams that you start appear")
        page.goto(f"{root}/a/app/")
        expect(page.locator("#connection")).to_have_text("Connected")
        assert demo_page.shown(page) == ""
        proxy.to = server.address
        page.goto(f"{root}/")
        demo_page.ended(page, "Complete, verified.")
        assert demo_page.shown(page) == "of the root"


def demo(page: Page, url: str, text: str) -> None:
    """Have the demo page of the server stream a text."""
    page.goto(f"{url}/")
    expect(page.locator("#source option[value=text]")).to_be_attached()
    demo_page.start(page, text)
    demo_page.ended(page, "Complete, verified.")


@pytest.mark.parametrize(("mode", "slash"), [("websocket", ""), ("polling", "/")])
def test_client_library_in_node(site: Site, mode: str, slash: str) -> None:
    built_library()
    # The address of what looks like a page is written with what is under it.
    written = f"{site.url}/socket.io/" if site.proxy.prefix.endswith("/app") else site.url + slash
    seen = run_script("library.mjs", written, mode)
    assert seen["url"] == site.url
    assert seen["text"] == "0123456789 字 👩🏽‍🚀 " * 20
    assert (seen["reason"], seen["verified"], seen["resumes"]) == ("completed", True, 1)
    assert seen["described"] == ["text"]
