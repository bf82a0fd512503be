"""A page of somebody else's, whose name leads to the server: in a real browser, it gets nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.live.conftest import Pages
from tests.support.running_server import RunningServer

pytestmark = [pytest.mark.live, pytest.mark.browser]

ASK = """async () => {
  const read = async (path, options) => {
    const answer = await fetch(path, options).catch(() => undefined);
    return [answer?.status, await answer?.text()];
  };
  const polls = "/socket.io/?EIO=4&transport=polling";
  const socket = new WebSocket(`ws://${location.host}/socket.io/?EIO=4&transport=websocket`);
  const opened = new Promise((resolve) => {
    socket.onopen = () => resolve("opened");
    socket.onerror = () => resolve("refused");
  });
  return {
    pages: [await read("/"), await read("/app/")],
    sources: await read("/api/sources"),
    connection: await read("/api/connection"),
    polls: await read(polls),
    as_a_proxy: await read(polls, { headers: { "X-Forwarded-For": "127.0.0.1" } }),
    posts: await read(polls, { method: "POST", body: "40" }),
    socket: await opened,
  };
}"""


def rebound(pages: Pages, server: RunningServer, host: str) -> Page:
    """Be a page of an origin that was somebody's server a moment ago, and is now this one's.

    What it was served by then does not matter, its origin does: a script in whatever the server
    answers has the same. A made-up document would be one of the internet to the browser, which
    does not let those reach loopback without asking.
    """
    context = pages.browser.new_context()
    pages.contexts.append(context)
    page = context.new_page()
    page.goto(f"http://{host}:{server.address[1]}/healthz")
    return page


def test_a_rebinding_page_starts_nothing_and_reads_nothing(
    pages: Pages, server: RunningServer
) -> None:
    got: dict[str, Any] = rebound(pages, server, "evil.test").evaluate(ASK)
    assert got.pop("socket") == "refused"
    answers = [*got.pop("pages"), *got.values()]
    assert len(answers) == 7
    for status, body in answers:
        assert status == 421
        assert "is no name of this server" in body


def test_the_same_page_under_a_name_of_the_servers_would(
    pages: Pages, server: RunningServer
) -> None:
    got = rebound(pages, server, "app.localhost").evaluate(ASK)
    assert got["socket"] == "opened"
    assert got["sources"][0] == 200
