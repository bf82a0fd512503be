"""Large messages through a server: they arrive as small ones do, and somebody bears them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sources.waiting import wait_until
from tests.transport.conftest import Dial, LocalServer, StartLocal
from textstream.access.account import Account, Kind
from textstream.transport.admission import Guest
from textstream.transport.bounds import LARGE, Bounds

pytestmark = pytest.mark.live

TEXT = "é字😀" * 20_000


@pytest.mark.parametrize("head", ["427", "42/,7", "42/,007"])
@pytest.mark.parametrize("space", ["", " \n"])
def test_a_large_event_arrives_whole(local: LocalServer, dial: Dial, head: str, space: str) -> None:
    ws = dial(local)
    ws.send(head + space + json.dumps(["echo_text", TEXT], ensure_ascii=False) + space)
    answer = next(m for m in ws.messages() if m.startswith("437"))
    assert json.loads(answer[3:]) == [TEXT]
    ws.send('428["echo_text","small"]')
    assert '438["small"]' in ws.messages()


def test_a_large_event_may_have_attachments(local: LocalServer, dial: Dial) -> None:
    ws = dial(local)
    place = {"_placeholder": True, "num": 0}
    ws.send("451-" + json.dumps(["binary", {"a": place, "b": TEXT}], ensure_ascii=False))
    ws.send_frame("binary", b"x" * (2 * LARGE))
    assert (2, b"x" * (2 * LARGE)) in ws.frames(), "it comes back"


@pytest.mark.parametrize(
    "message",
    [
        "42[" + "1" * LARGE,
        "4" + "2" * 2 * LARGE,
        "42/" + "n" * LARGE + ",[1]",
        "42" + json.dumps({"no": "x" * LARGE}),
        '4٢["' + "x" * LARGE + '"]',
        "x" * 2 * LARGE,
        "42" + "[" * LARGE,
    ],
    ids=lambda message: message[:8],
)
def test_a_large_one_that_is_malformed_closes(local: LocalServer, dial: Dial, message: str) -> None:
    ws = dial(local)
    ws.send(message)
    assert ws.close_code() == 1008
    wait_until(lambda: local.transport.turns.taken == 0)


def test_who_handles_engine_io_s_messages_itself_gets_text(local: LocalServer, dial: Dial) -> None:
    ws = dial(local)
    came: list[Any] = []
    local.socketio.server.eio.on("message", lambda _sid, data: came.append(data))
    ws.send("4" + TEXT)
    ws.send("4end")
    wait_until(lambda: len(came) == 2)
    assert came == [TEXT, "end"]


def test_what_a_session_keeps_is_its_account_s(
    start_local: StartLocal, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account()
    monkeypatch.setattr(Guest, "address", "10.0.0.1")
    monkeypatch.setattr(Guest, "__init__", lambda self: setattr(self, "account", account))
    server = start_local(Bounds(large_at_once=1))
    ws, other = dial(server), dial(server)
    ws.send_frame("text", b"x" * LARGE, fin=False)
    ws.send_frame("ping", b"after it")
    assert (10, b"after it") in ws.frames()
    wait_until(lambda: account.count(Kind.UNFINISHED) == LARGE)
    wait_until(lambda: server.transport.turns.taken == 1)
    other.send_frame("text", b"x" * LARGE, fin=False)
    wait_until(lambda: server.transport.turns._gate.waiting("10.0.0.1") == 1)
    ws.close()
    other.send_frame("ping", b"its turn")
    assert (10, b"its turn") in other.frames()
    wait_until(lambda: account.total == LARGE)
    other.send_frame("close", b"\x03\xe8")
    assert other.close_code() == 1000
    wait_until(lambda: account.total == 0)
    wait_until(lambda: server.transport.turns.taken == 0)
