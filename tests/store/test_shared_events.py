"""Emits of Flask-SocketIO that reach clients of other processes, and those of other programs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from flask_socketio import SocketIO

from tests.conftest import Connect, StartServer
from tests.store.conftest import environment
from tests.store.test_shared_streams import start, text_of
from tests.support.running_server import RunningServer
from tests.support.store import Store
from tests.support.timing import patient

pytestmark = pytest.mark.live


@pytest.fixture
def emitter(store: Store) -> Iterator[SocketIO]:
    """Another program, which has no clients."""
    program = SocketIO(message_queue=store.url)
    yield program
    program.server.manager.redis.close()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_another_program_reaches_everybody_once(
    servers: list[RunningServer], sio: Connect, emitter: SocketIO, transport: str
) -> None:
    clients = [sio(server, [transport]) for server in servers for _ in range(2)]
    for number in range(3):
        begun = time.perf_counter()
        emitter.emit("news", {"text": "字", "number": number})
        for client in clients:
            event = client.wait_for_event("news", number + 1)
            assert event.data == {"text": "字", "number": number}
            assert event.at - begun < patient(0.5)
    assert all(len(client.named("news")) == 3 for client in clients)


def test_another_program_reaches_one_client(
    servers: list[RunningServer], sio: Connect, emitter: SocketIO
) -> None:
    one, other = sio(servers[1]), sio(servers[2])
    emitter.emit("news", b"\x00\x01", to=one.sid)
    assert one.wait_for_event("news").data == b"\x00\x01"
    emitter.emit("later", "for all")
    other.wait_for_event("later")
    assert not other.named("news")


def test_what_makes_no_sense_ends_nothing(
    servers: list[RunningServer], sio: Connect, emitter: SocketIO, store: Store
) -> None:
    client = sio(servers[0])
    for nonsense in ("[", "{}", '{"method": "emit"}', '{"method": "__class__"}', "\x00"):
        store.ask("PUBLISH", "flask-socketio", nonsense)
    emitter.emit("news", "still here")
    client.wait_for_event("news")


def test_characters_of_a_client_that_polls_go_to_no_other_process(
    servers: list[RunningServer], sio: Connect, store: Store
) -> None:
    client = sio(servers[0], ["polling"])
    store.ask("CONFIG", "RESETSTAT")
    assert client.call("start_stream", {"text": "x" * 300, "rate": 0})["ok"]
    client.wait_for_event("stream_end")
    assert client.text == "x" * 300
    assert store.ask("INFO", "commandstats")["cmdstat_publish"]["calls"] < 20


def test_while_the_store_stands_still_nobody_waits_for_it(
    start_server: StartServer, tmp_path_factory: pytest.TempPathFactory, sio: Connect
) -> None:
    own = Store(tmp_path_factory.mktemp("own store"))
    server = start_server("--lab", "public", env=environment(own))
    try:
        reader = sio(server)
        start(reader, text="x" * 5000, rate=100)
        reader.wait_for(lambda _: len(text_of(reader)) > 50)
        broadcaster = sio(server, namespace="/test")
        own.stand_still()
        for number in range(20):
            broadcaster.emit("my_broadcast_event", {"data": number})
        begun = len(text_of(reader))
        reader.wait_for(lambda _: len(text_of(reader)) > begun + 200)
        broadcaster.wait_for_event("my_response", 20)
        times = [chunk.at for chunk in reader.named("stream_chunk")]
        assert max(after - before for before, after in pairwise(times)) < patient(1.0)
        own.go_on()
    finally:
        assert server.stop() == 0
        own.kill()
