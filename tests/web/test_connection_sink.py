"""What a reader's sink makes of a connection: frames, and in how many sends."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, sha256
from tests.transport.manual_reactor import ManualReactor
from textstream.protocol import FormatName
from textstream.sources.base import Source
from textstream.threads import ThreadPool
from textstream.transport.bounds import Bounds
from textstream.transport.connection import Connection
from textstream.transport.turns import Turns
from textstream.transport.window import FIRST
from textstream.web.sinks import ConnectionSink

MOST = 1_000_000
"""Bytes of a send, at most."""


class Wired(NamedTuple):
    """A sink, and the client's end of its connection: a ``recv`` returns what one send was."""

    sink: Any
    client: socket.socket

    def sends(self) -> list[bytes]:
        """Return what has arrived, one entry for each send."""
        found = []
        while True:
            try:
                found.append(self.client.recv(MOST))
            except BlockingIOError:
                return found


def at_once(text: str) -> Source:
    """Return a source whose text is there when the stream starts."""
    return Source(
        "script",
        lambda _request: iter((text,)),
        live=False,
        immediate=True,
        whole=lambda _request: text,
    )


def nothing(*_: object) -> None: ...


@pytest.fixture
def wired() -> Iterator[Wired]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pool = ThreadPool(1, "worker", cure="")
    with ours, theirs:
        for one in (ours, theirs):
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST)
        connection = Connection(
            ours,
            reactor=ManualReactor().as_reactor(),
            pool=pool,
            bounds=Bounds(),
            turns=Turns(Bounds()),
            on_message=nothing,
            on_close=nothing,
        )
        session = SimpleNamespace(queue=SimpleNamespace(connection=connection), closed=False)
        server = SimpleNamespace(
            eio=SimpleNamespace(sockets={"eio": session}),
            manager=SimpleNamespace(eio_sid_from_sid=lambda sid, namespace: "eio"),
        )
        socketio: Any = SimpleNamespace(server=server)
        yield Wired(ConnectionSink(socketio, "sid"), theirs)
    pool.close(time.monotonic() + 1)


def events(data: bytes) -> list[Any]:
    """Return the events of one send, each as its name and payload; a ping as ``ping``."""
    found: list[Any] = []
    while data:
        size, head = data[1], 2
        if size == 126:
            size, head = int.from_bytes(data[2:4]), 4
        payload, data = data[head : head + size], data[head + size :]
        found.append(json.loads(payload[2:]) if payload != b"2" else ["ping"])
    return found


@pytest.mark.parametrize("format_", ["char", "chunk"])
def test_a_short_text_is_one_send_from_start_to_end(
    wired: Wired, clock: ManualClock, format_: FormatName
) -> None:
    bench = Bench(clock)
    bench.start(at_once("ab"), sink=wired.sink, rate=0, format=format_)
    bench.settle()
    (sent,) = wired.sends()
    names = [event[0] for event in events(sent)]
    units = ["new_char"] * 2 if format_ == "char" else ["stream_chunk"]
    assert names == ["stream_start", *units, "stream_end"]
    assert events(sent)[-1][1]["text_sha256"] == sha256("ab")


def test_a_paced_text_has_a_send_for_each_unit_and_no_more(
    wired: Wired, clock: ManualClock
) -> None:
    bench = Bench(clock)
    bench.start(at_once("x" * 100), sink=wired.sink, rate=10)
    bench.settle()
    bench.run(20)
    sends = wired.sends()
    assert len(sends) == 100
    assert [event[0] for event in events(sends[0])] == ["stream_start", "new_char"]
    assert [event[0] for event in events(sends[-1])] == ["new_char", "stream_end"]


def test_what_is_more_than_a_burst_has_its_pings_between_start_and_end(
    wired: Wired, clock: ManualClock
) -> None:
    bench = Bench(clock)
    units = FIRST // 20 * 3 // 4
    bench.start(at_once("x" * units), sink=wired.sink, rate=0)
    bench.settle()
    sends = wired.sends()
    told = [event[0] for one in sends for event in events(one)]
    assert told.count("ping") >= 2
    names = [name for name in told if name != "ping"]
    assert names == ["stream_start", *["new_char"] * units, "stream_end"]
    assert [event[0] for event in events(sends[0])[:2]] == ["stream_start", "new_char"]
    assert [event[0] for event in events(sends[-1])[-2:]] == ["new_char", "stream_end"]
