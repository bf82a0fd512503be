"""What is set for the whole process: by ``stream_server`` wherever it runs, by nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import Connect, StartServer
from tests.live.gunicorn import RunningGunicorn
from tests.live.streams import finish, start
from tests.live.tuned_source import SETTING
from tests.support.leaks import LeakGuard
from tests.support.running_server import ROOT
from textstream.web.heap import ARENAS
from textstream.web.process import GC_THRESHOLD, SWITCH_INTERVAL

pytestmark = pytest.mark.live


@pytest.fixture(params=["front", "gunicorn", "gunicorn --preload"])
def url(
    request: pytest.FixtureRequest, start_server: StartServer, leak_guard: LeakGuard
) -> Iterator[str]:
    """The address of a server that ``stream_server`` makes, with the source that looks around."""
    env = {"TEXTSTREAM_SOURCES": SETTING, "PYTHONPATH": str(ROOT)}
    if request.param == "front":
        server = start_server(env=env)
        yield server.url
        assert server.stop() == 0
    else:
        options = request.param.split()[1:]
        worker = RunningGunicorn(*options, env=env, leak_guard=leak_guard)
        yield worker.url
        assert worker.stop() == 0


def test_the_process_that_serves_is_tuned(url: str, sio: Connect) -> None:
    client = sio(url)
    start(client, {"source": "tuned", "rate": 0})
    assert finish(client)["reason"] == "completed"
    found = json.loads(client.text)
    assert found.pop("heaps") <= ARENAS
    assert found == {
        "switch_interval": pytest.approx(SWITCH_INTERVAL),
        "gc_threshold": [GC_THRESHOLD, 10, 10],
        "frozen": True,
        "packets": 16,
        "gives_back": True,
    }


AS_A_GUEST = """
import ctypes, gc, json, sys, threading
import socketio
from engineio.payload import Payload
from werkzeug.serving import make_server
from textstream.settings import Settings
from textstream.web.app import create_app
from textstream.web.heap import GivingBack

told = []
class Libc(ctypes.CDLL):
    def __getattr__(self, name):
        if name.startswith("mall"):
            told.append(name)
        return super().__getattr__(name)
ctypes.CDLL = Libc

def look():
    print(json.dumps([
        sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count(),
        Payload.max_decode_packets, told,
        any(isinstance(one, GivingBack) for one in gc.get_objects()),
    ]))

look()
app = create_app(Settings())
server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
client = socketio.SimpleClient()
client.connect(f"http://127.0.0.1:{server.server_port}")
assert client.call("start_stream", {"text": "abc"})["ok"]
look()
client.disconnect()
app.extensions["textstream"].close()
server.shutdown()
server.server_close()
"""


def test_an_app_leaves_the_process_alone() -> None:
    output = subprocess.check_output([sys.executable, "-c", AS_A_GUEST], cwd=ROOT, text=True)
    before, after = map(json.loads, output.splitlines())
    assert after == before
    assert before[4:] == [[], False]
