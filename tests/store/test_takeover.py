"""A process dies, stands still or goes down: what can go on elsewhere does, the rest says so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Connect, StartServer
from tests.store.conftest import LEASE, environment
from tests.store.test_shared_streams import (
    described,
    ending,
    resume,
    sha256,
    start,
    text_of,
    until,
)
from tests.support.running_server import RunningServer
from tests.support.store import Store
from tests.support.timing import patient

pytestmark = pytest.mark.live

LONG = "".join(f"{number}: 字, 👨‍👩‍👧‍👦, é, क्ष.\n" for number in range(400))

LEASE_SECONDS = float(LEASE)


@pytest.fixture
def pair(start_server: StartServer, store: Store) -> Iterator[Callable[..., list[RunningServer]]]:
    """Start servers that this test may kill."""
    made: list[RunningServer] = []

    def begin(count: int = 2, **env: str) -> list[RunningServer]:
        new = [
            start_server("--sources", "drip=tests.store.drip:drip", env=environment(store, **env))
            for _ in range(count)
        ]
        made.extend(new)
        time.sleep(LEASE_SECONDS)  # they take over nothing before
        return new

    yield begin
    for server in made:
        if server.running:
            os.kill(server.pid, signal.SIGCONT)
        server.stop()
        assert "Traceback" not in server.log_text(), server.log_text()


def test_a_text_goes_on_at_the_exact_character(
    pair: Callable[..., list[RunningServer]], sio: Connect
) -> None:
    a, b = pair()
    starter, reader = sio(a), sio(b)
    stream_id = start(starter, text=LONG, rate=2000)["stream"]["id"]
    assert resume(reader, stream_id)["ok"]
    reader.wait_for(lambda _: len(text_of(reader)) > 500)
    a.terminate(signal.SIGKILL)
    back = sio(b)
    told = ending(reader)
    assert told["reason"] == "completed"
    assert told["text_sha256"] == sha256(LONG)
    assert text_of(reader) == LONG
    assert resume(back, stream_id, rate=0)["ok"]
    assert ending(back) == told


def test_who_was_ahead_of_the_store_comes_back_to_where_it_was(
    pair: Callable[..., list[RunningServer]], sio: Connect
) -> None:
    a, b = pair()
    starter = sio(a)
    stream_id = start(starter, text="x" * 200_000, rate=0)["stream"]["id"]
    starter.wait_for(lambda _: len(text_of(starter)) > 20_000)
    a.terminate(signal.SIGKILL)
    starter.wait_for_event("disconnect")
    at = len(text_of(starter))
    back = sio(b)
    assert resume(back, stream_id, at, rate=0)["ok"]
    assert ending(back)["text_sha256"] == sha256("x" * 200_000)
    assert text_of(back, at) == "x" * (200_000 - at)


def test_what_cannot_be_made_again_ends_and_keeps_its_text(
    pair: Callable[..., list[RunningServer]], sio: Connect
) -> None:
    a, b, c = pair(3)
    starter, *readers = sio(a), sio(b), sio(c), sio(c)
    answer = starter.call("start_stream", {"source": "drip", "prompt": "9999", "format": "chunk"})
    stream_id = answer["stream"]["id"]
    for reader in readers:
        assert resume(reader, stream_id)["ok"]
    readers[0].wait_for(lambda _: len(text_of(readers[0])) > 100)
    killed = time.perf_counter()
    a.terminate(signal.SIGKILL)
    ends = [one.wait_for_event("stream_end") for one in readers]
    assert max(end.at for end in ends) - killed < LEASE_SECONDS + patient(2.0)
    for reader, end in zip(readers, ends, strict=True):
        assert end.data == ends[0].data
        assert end.data["reason"] == "error"
        failed = reader.named("stream_error")[0].data
        assert (failed["code"], failed["retryable"]) == ("source_failed", True)
        assert sha256(text_of(reader)) == end.data["text_sha256"]
    assert text_of(readers[0]).startswith(text_of(starter))


def test_one_that_stood_still_writes_nothing_more(
    pair: Callable[..., list[RunningServer]], sio: Connect, store: Store
) -> None:
    a, b = pair()
    starter, reader = sio(a), sio(b)
    stream_id = start(starter, text=LONG, rate=200)["stream"]["id"]
    assert resume(reader, stream_id, rate=100)["ok"]
    reader.wait_for(lambda _: len(text_of(reader)) > 100)
    os.kill(a.pid, signal.SIGSTOP)
    b.wait_for_log(lambda log: "is taken over" in log)
    os.kill(a.pid, signal.SIGCONT)
    a.wait_for_log(lambda log: "is another process's now" in log)
    for client in (starter, reader):
        assert client.call("set_rate", {"id": stream_id, "rate": 0})["ok"]
    for client in (starter, reader):
        told = ending(client)
        assert told["text_sha256"] == sha256(LONG)
        assert text_of(client) == LONG


def test_servers_that_restart_one_after_the_other_end_no_text(
    pair: Callable[..., list[RunningServer]], sio: Connect
) -> None:
    servers = pair(3)
    starter = sio(servers[0])
    stream_id = start(starter, text=LONG, rate=300)["stream"]["id"]
    starter.wait_for(lambda _: len(text_of(starter)) > 200)
    client, at = starter, 0
    text = ""
    for number in range(3):
        servers[number].terminate()
        client.wait_for_event("disconnect")
        assert not client.named("stream_end")
        chunks = client.named("stream_chunk")
        text += text_of(client, at)
        at = chunks[-1].data["next"] if chunks else at
        servers += pair(1)
        client = sio(servers[number + 1])
        assert resume(client, stream_id, at, rate=300)["ok"]
    assert client.call("set_rate", {"id": stream_id, "rate": 0})["ok"]
    told = ending(client)
    assert told["reason"] == "completed"
    assert text + text_of(client, at) == LONG
    assert told["text_sha256"] == sha256(LONG)


def test_a_dead_process_has_no_readers(
    pair: Callable[..., list[RunningServer]], sio: Connect
) -> None:
    a, b = pair()
    starter, reader = sio(a), sio(b)
    stream_id = start(starter, text="x" * 100_000, rate=20)["stream"]["id"]
    assert resume(reader, stream_id)["ok"]
    until(lambda: described(starter, stream_id)["readers"] == 2)
    b.terminate(signal.SIGKILL)
    until(lambda: described(starter, stream_id)["readers"] == 1, 2 * LEASE_SECONDS + patient(5.0))
