"""The same server under gunicorn's threaded worker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.conftest import Connect
from tests.live.streams import finish, sha256, start
from tests.support.leaks import LeakGuard
from tests.support.running_server import ROOT
from textstream.sources.text import SAMPLE_TEXT

pytestmark = pytest.mark.live

LISTENING = re.compile(r"Listening at: (http://\S+)")
BOOTED = "Booting worker"


@pytest.fixture(scope="module")
def gunicorn(leak_guard: LeakGuard) -> Iterator[str]:
    """The URL of a gunicorn with one worker."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "-w", "1", "--threads", "16"),
            *("--bind", "127.0.0.1:0", "--no-control-socket", "stream_server:app"),
        ],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("TEXTSTREAM_")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    leak_guard.allow_descriptor(process.stderr.fileno())
    url, log = "", []
    for line in process.stderr:
        log.append(line)
        if found := LISTENING.search(line):
            url = found[1]
        if BOOTED in line:
            break
    reader = threading.Thread(target=log.extend, args=(process.stderr,), daemon=True)
    leak_guard.allow_thread(reader)
    reader.start()
    assert url, "".join(log)
    yield url
    process.terminate()
    assert process.wait(60) == 0
    reader.join(10)
    process.stderr.close()
    assert "Traceback" not in "".join(log)


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
