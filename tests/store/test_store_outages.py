"""The store stands still, dies, comes back empty: nobody is disconnected, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from tests.conftest import Connect, StartServer
from tests.store.conftest import LEASE, environment
from tests.store.test_shared_streams import described, ending, resume, sha256, start, text_of, until
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.store import Store, running_store, watched_stores
from tests.support.timing import patient

pytestmark = pytest.mark.live

LONG = "".join(f"{number}: 字, 👨‍👩‍👧‍👦, é, क्ष.\n" for number in range(400))

OUTAGE = 2 * float(LEASE) + 1


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    with running_store(tmp_path) as running:
        yield running


@pytest.fixture
def pair(start_server: StartServer, own_store: Store) -> Iterator[list[RunningServer]]:
    env = environment(own_store)
    two = [start_server("--sources", "drip=tests.store.drip:drip", env=env) for _ in range(2)]
    yield two
    for one in two:
        assert one.stop() == 0
        log = one.log_text()
        assert "Traceback" not in log, log
        assert "is taken over" not in log, "all owners lived"


def has_come(client: RecordingClient, characters: int) -> bool:
    return len(text_of(client)) > characters


def health(server: RunningServer) -> dict[str, str]:
    answer = requests.get(f"{server.url}/healthz", timeout=5)
    assert answer.status_code == 200
    return dict(answer.json())


def largest_gap(times: list[float]) -> float:
    return max(after - before for before, after in pairwise(times))


@pytest.mark.parametrize("kind", ["stands still", "comes back empty", "comes back"])
def test_nothing_is_lost(
    pair: list[RunningServer], own_store: Store, sio: Connect, kind: str
) -> None:
    if kind == "comes back":
        own_store.ask("CONFIG", "SET", "appendonly", "yes")
    a, b = pair
    starter, reader, model, copy = sio(a), sio(b), sio(a), sio(b)
    stream_id = start(starter, text=LONG, rate=400)["stream"]["id"]
    other = model.call("start_stream", {"source": "drip", "prompt": "600", "format": "chunk"})
    for client, one in ((reader, stream_id), (copy, other["stream"]["id"])):
        assert resume(client, one)["ok"]
        until(partial(has_come, client, 30))
    if kind == "stands still":
        own_store.stand_still()
    else:
        own_store.kill()
    until(lambda: health(a)["store"] == "down")
    refused = sio(a).call("start_stream", {"text": "more"}, timeout=patient(10))
    assert (refused["error"]["code"], refused["error"]["retryable"]) == ("unavailable", True)
    unknown = resume(sio(b), "00" + "x" * 22)
    assert unknown["error"]["code"] == "unavailable"
    begun, gone = time.perf_counter(), len(text_of(starter))
    starter.wait_for(lambda _: len(text_of(starter)) > gone + 100)  # its owner has it all
    time.sleep(max(0.0, begun + OUTAGE - time.perf_counter()))
    if kind == "stands still":
        own_store.go_on()
    else:
        own_store.start()
    until(lambda: health(a)["store"] == health(b)["store"] == "up")
    for client in (starter, reader):
        assert client.call("set_rate", {"id": stream_id, "rate": 0})["ok"]
    for client in (starter, reader):
        told = client.wait_for_event("stream_end", timeout=patient(60)).data
        assert told["text_sha256"] == sha256(LONG)
        assert text_of(client) == LONG
    times = [chunk.at for chunk in starter.named("stream_chunk")]
    assert largest_gap(times) < patient(1.0)
    ends = [
        client.wait_for_event("stream_end", timeout=patient(60)).data for client in (model, copy)
    ]
    assert ends[0] == ends[1]
    assert ends[0]["reason"] == "completed"
    assert text_of(model) == text_of(copy)
    for client in (starter, reader, model, copy):
        assert not client.named("disconnect")
    late = sio(b)
    assert resume(late, stream_id, rate=0)["ok"]
    assert ending(late)["text_sha256"] == sha256(LONG)
    assert described(late, stream_id)["state"] == "ended"


def test_a_replica_that_lacks_the_last_of_it_is_promoted(
    start_server: StartServer, tmp_path: Path, sio: Connect
) -> None:
    with watched_stores(tmp_path) as (primary, replica, url):
        env = {**environment(primary), "TEXTSTREAM_STORE": url}
        servers = [start_server(env=env) for _ in range(2)]
        try:
            starter, reader = map(sio, servers)
            stream_id = start(starter, text=LONG, rate=400)["stream"]["id"]
            assert resume(reader, stream_id)["ok"]
            until(partial(has_come, reader, 500))
            replica.stand_still()  # what is written from now on it has not
            until(partial(has_come, reader, 1000))
            primary.kill()
            replica.go_on()
            for client in (starter, reader):
                told = client.wait_for_event("stream_end", timeout=patient(60)).data
                assert told["text_sha256"] == sha256(LONG)
                assert text_of(client) == LONG
            late = sio(servers[1])
            assert resume(late, stream_id, rate=0)["ok"]
            assert ending(late)["text_sha256"] == sha256(LONG)
        finally:
            for server in servers:
                assert server.stop() == 0
                assert " ERROR " not in server.log_text(), server.log_text()
