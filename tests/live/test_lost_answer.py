"""The start reaches the server, its answer is lost, the client asks again: one stream."""

from __future__ import annotations

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from reliability.cuts.recipe import NODE, missing, script
from reliability.readers.story import SETTING, characters_of
from tests.conftest import StartServer
from tests.support.requirement import require
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream.chaos import ChaosProxy
from textstream.client import ReconnectPolicy, StreamClient

pytestmark = pytest.mark.live

PATIENCE = patient(30.0)
QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, give_up_after=PATIENCE)
CHARACTERS = 300


@pytest.fixture(scope="module")
def story_server(start_server: StartServer) -> RunningServer:
    return start_server("--sources", SETTING)


def network_to(server: RunningServer) -> ChaosProxy:
    return ChaosProxy(server.address)


def begun(log: str) -> int:
    """Return how many generations there were."""
    return len(re.findall(r"^story \d+ begins$", log, re.MULTILINE))


def lose_the_answer(network: ChaosProxy, server: RunningServer, before: int) -> None:
    """Wait until the server has begun what it was asked; break the muted network, and mend it."""
    server.wait_for_log(lambda log: begun(log) > before, PATIENCE)
    network.hold()  # or a connection of the time between would be mute for ever
    network.cut_all()
    network.unmute()
    network.release()


def assert_one_stream(server: RunningServer, before: int, digest: str) -> None:
    log = server.wait_for_log(lambda log: f"sha256={digest}" in log, PATIENCE)
    assert begun(log) == before + 1
    assert log.count(f"sha256={digest}") == 1


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_the_python_client_gets_the_stream_that_it_started(
    story_server: RunningServer, transport: str
) -> None:
    before = begun(story_server.log_text())
    seed = before + 100
    with (
        network_to(story_server) as network,
        StreamClient(network.url, transports=[transport], reconnect=QUICK) as client,
        ThreadPoolExecutor(1) as thread,
    ):
        next(client.stream(text="so that there is a connection", source="text", rate=1))
        network.mute()
        starting = thread.submit(
            client.stream,
            source="story",
            params={"seed": seed, "characters": CHARACTERS},
            rate=1000,
        )
        lose_the_answer(network, story_server, before)
        stream = starting.result(PATIENCE)
        assert "".join(stream) == "".join(characters_of(seed, CHARACTERS))
        assert stream.result
        assert stream.result.verified
    assert_one_stream(story_server, before, stream.result.text_sha256)


@pytest.mark.parametrize("mode", ["websocket", "polling", "upgrade"])
def test_the_javascript_recipe_gets_the_stream_that_it_started(
    story_server: RunningServer, mode: str
) -> None:
    if lacking := missing():
        require(lacking)
    before = begun(story_server.log_text())
    seed = before + 100
    request = {
        "source": "story",
        "params": {"seed": seed, "characters": CHARACTERS},
        "rate": 1000,
    }
    gated = script(request, head="gated_head.mjs")
    with (
        network_to(story_server) as network,
        subprocess.Popen(
            ["node", "--input-type=module", "--eval", gated, "recipe", network.url, mode, "30000"],
            cwd=NODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as client,
    ):
        assert client.stdin
        assert client.stdout
        assert client.stdout.readline() == "ready\n"
        network.mute()
        client.stdin.write("go\n")
        client.stdin.flush()
        lose_the_answer(network, story_server, before)
        seen = json.loads(client.stdout.readline())
    assert client.returncode == 0
    assert seen["units"] == characters_of(seed, CHARACTERS)
    assert (seen["reason"], seen["error"]) == ("completed", "")
    assert_one_stream(story_server, before, seen["sha256"])
