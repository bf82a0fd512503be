"""The same server under gunicorn's threaded worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Connect
from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import finish, sha256, start
from tests.support.leaks import LeakGuard
from textstream.sources.text import SAMPLE_TEXT

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def gunicorn(leak_guard: LeakGuard) -> Iterator[str]:
    """The URL of a gunicorn with one worker."""
    server = RunningGunicorn(leak_guard=leak_guard)
    yield server.url
    assert server.stop() == 0


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_the_built_in_text(gunicorn: str, sio: Connect, transport: str) -> None:
    client = sio(gunicorn, (transport,))
    start(client, {"rate": 500})
    end = finish(client)
    assert client.text == SAMPLE_TEXT
    assert end["text_sha256"] == sha256(SAMPLE_TEXT)


def test_stop(gunicorn: str, sio: Connect) -> None:
    client = sio(gunicorn)
    stream = start(client, {"text": "x" * 1000, "rate": 100})
    client.wait_for_event("new_char", count=3)
    assert client.call("stop_stream", {"id": stream["id"]})["ok"]
    assert finish(client)["reason"] == "stopped"
