"""A reader that is slow is sent no more than it can come to."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.running_server import RunningServer
from tests.transport.raw import RawWebSocket
from textstream.transport.window import FIRST, LARGEST

pytestmark = pytest.mark.live


@pytest.fixture
def ws(server: RunningServer) -> Iterator[RawWebSocket]:
    """A raw connection that has completed its CONNECT."""
    port = urlsplit(server.url).port
    assert port
    ws = RawWebSocket(port)
    ws.send("40")
    assert next(message for message in ws.messages() if message.startswith("40"))
    yield ws
    ws.close()


def test_units_stop_until_the_client_confirms(ws: RawWebSocket) -> None:
    text = "x" * 200_000
    ws.send("42" + json.dumps(["start_stream", {"text": text, "rate": 0}]))
    received, units, pings = 0, 0, 0
    ws.sock.settimeout(1)
    messages = ws.messages()
    with pytest.raises(TimeoutError):  # noqa: PT012 (the loop ends when nothing more comes)
        while True:
            message = next(messages)
            received += len(message) + 2
            units += message.startswith('42["new_char"')
            pings += message == "2"
    assert units < 200_000
    assert received <= LARGEST
    ws.sock.settimeout(20)
    for _ in range(pings):
        ws.send("3")
    for message in ws.messages():
        units += message.startswith('42["new_char"')
        if message == "2":
            ws.send("3")
        if message.startswith('42["stream_end"'):
            break
    assert units == 200_000


def test_pings_go_between_the_units_that_a_slow_client_gets_at_once(ws: RawWebSocket) -> None:
    """Behind all of them, one would be answered too late for the client to count as alive."""
    ws.send("42" + json.dumps(["start_stream", {"text": "x" * 200_000, "rate": 0}]))
    ws.sock.settimeout(1)
    since_ping, longest = 0, 0
    with contextlib.suppress(TimeoutError):
        for message in ws.messages():
            since_ping = 0 if message == "2" else since_ping + len(message) + 2
            longest = max(longest, since_ping)
    assert longest <= FIRST // 2
