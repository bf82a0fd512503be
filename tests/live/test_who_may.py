"""The table of docs/access.md: what everybody may, over WebSocket, polling and HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio.exceptions

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.tokens import SECRET, about_to_expire, make_token

pytestmark = pytest.mark.live

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"
BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])
ELSEWHERE = {"X-Forwarded-For": "198.51.100.9"}
TEXT = {"text": "x" * 20_000, "rate": 20, "format": "chunk"}
NOT_ASKED = "–"

Row = dict[str, str]


def table() -> list[Row]:
    """Return the rows, by their columns; "" is what is asked for."""
    section = DOCUMENT.read_text().split("## What everybody may\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    head = ["", *lines[0][-7:]]
    return [dict(zip(head, line, strict=True)) for line in lines[2:]]


ROWS = {row[""]: row for row in table()}
WHO = [who for who in next(iter(ROWS.values())) if who]
EVENTS = [what for what in ROWS if "_stream" in what or "authenticate" in what]
ROUTES = [what for what in ROWS if "GET" in what]


def test_the_table_is_whole() -> None:
    assert {"CONNECT", *EVENTS, *ROUTES} == set(ROWS)
    assert len(WHO) == 7
    assert len(EVENTS) >= 9


@pytest.fixture(scope="module")
def guarded(start_server: StartServer) -> Iterator[RunningServer]:
    env = {"TEXTSTREAM_AUTH_KEYS": SECRET, "PYTHONPATH": str(RANKED_LOCKS)}
    server = start_server(env=env)
    yield server
    server.stop()
    assert "Traceback" not in server.log_text()


class Scene:
    """A stream of the owner's, and somebody who asks for something.

    The server is the one that everybody may use, or the one that asks for tokens.
    """

    def __init__(
        self, who: str, servers: tuple[RunningServer, RunningServer], sio: Connect, transport: str
    ) -> None:
        self.server = servers[who != WHO[0]]
        self._sio, self._transport = sio, transport
        token = make_token("owner") if who != WHO[0] else None
        self.owner = self.connect({"token": token} if token else None)
        told = self.owner.call("start_stream", TEXT)
        self.id, self.key = told["stream"]["id"], told["key"]
        self.grant: str | None = None
        if who == "a grant alone":
            self.grant = self.owner.call("share_stream", {"id": self.id, "expires": 600})["grant"]
        self.name = {"another user": "other", "expired": "late", "admin": "root"}.get(who, "owner")

    def connect(self, auth: dict[str, Any] | None) -> RecordingClient:
        return self._sio(self.server, (self._transport,), auth=auth)

    def visitor(self, who: str) -> RecordingClient:
        """Return the connection of who asks."""
        if who == "the owner":
            return self.connect({"token": make_token("owner")})
        if who == "a grant alone":
            return self.connect({"grant": self.grant})
        if who == "expired":
            late = self.connect({"token": about_to_expire("late")})
            late.wait_for_event("stream_error")  # it has expired; a second later it is closed
            return late
        if who == "admin":
            return self.connect({"token": make_token(self.name, scope="admin")})
        return self.connect({"token": make_token(self.name)} if who == "another user" else None)

    def ask(self, client: RecordingClient, what: str) -> str:
        """Ask for what a row says; return the worst that is answered."""
        shown = {"grant": self.grant} if self.grant else {}
        own = {"id": self.id}
        payloads: dict[str, Any] = {
            "start_stream": {"text": "y", "rate": 0, "format": "chunk"},
            "resume_stream": {**own, "offset": 0, "format": "chunk", **shown},
            "describe_stream": own | shown,
            "set_rate": {**own, "rate": 30},
            "share_stream": {**own, "expires": 60},
            "authenticate": {"token": make_token(self.name)},
        }
        answers = []
        for event in re.findall(r"`(\w+)`", what):
            payload = None if "without an id" in what else payloads.get(event, own)
            answer = client.call(event, payload)
            answers.append("ok" if answer["ok"] else str(answer["error"]["code"]))
        return next((one for one in answers if one != "ok"), "ok")


@pytest.fixture
def servers(server: RunningServer, guarded: RunningServer) -> tuple[RunningServer, RunningServer]:
    return server, guarded


@BOTH
@pytest.mark.parametrize("who", WHO)
def test_events(
    servers: tuple[RunningServer, RunningServer], sio: Connect, who: str, transport: str
) -> None:
    scene = Scene(who, servers, sio, transport)
    wanted = {what: ROWS[what][who] for what in EVENTS if ROWS[what][who] != NOT_ASKED}
    if not wanted:
        return  # nobody comes in: see CONNECT
    client, found = scene.visitor(who), {}
    for what in wanted:
        found[what] = scene.ask(client, what)
        if what.endswith("without an id") and found[what] == "ok":  # it has stopped its own
            scene = Scene(who, servers, sio, transport)
            client = scene.visitor(who)
            if "`pause_stream`" in str(wanted):
                scene.ask(client, "`resume_stream`")
    assert found == wanted


@BOTH
@pytest.mark.parametrize("who", WHO)
def test_connect(
    servers: tuple[RunningServer, RunningServer], sio: Connect, who: str, transport: str
) -> None:
    scene = Scene(who, servers, sio, transport)
    come: Callable[[], Any] = lambda: scene.visitor(who)  # noqa: E731
    if who == "nobody, elsewhere":
        come = lambda: scene.connect(None)  # noqa: E731
    if who == "expired":
        come = lambda: scene.connect({"token": make_token("late", left=-60)})  # noqa: E731
    if ROWS["CONNECT"][who] == "ok":
        assert come().sid
        return
    with pytest.raises(socketio.exceptions.ConnectionError):
        come()


@pytest.mark.parametrize("who", WHO)
def test_routes(servers: tuple[RunningServer, RunningServer], sio: Connect, who: str) -> None:
    scene = Scene(who, servers, sio, "websocket")
    shown = {
        "a grant alone": scene.grant,
        "the owner": make_token("owner"),
        "another user": make_token("other"),
        "expired": make_token("late", left=-60),
        "admin": make_token("root", scope="admin"),
    }.get(who)
    headers = {} if who == WHO[0] else dict(ELSEWHERE)
    if shown:
        headers["Authorization"] = f"Bearer {shown}"
    bodies = {"/admin/revoke": {"jti": f"nobody's {time.time()}"}}
    found: dict[str, set[str]] = {}
    for what in ROUTES:
        for method, path in re.findall(r"`(GET|POST) (\S+)`", what):
            url = scene.server.url + path.replace("ID", scene.id)
            answer = requests.request(
                method, url, json=bodies.get(path), headers=headers, timeout=20
            )
            found.setdefault(what, set()).add(str(answer.status_code))
    assert found == {what: {ROWS[what][who]} for what in ROUTES}
