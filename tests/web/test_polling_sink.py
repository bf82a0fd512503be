"""A reader whose client polls: what waits for it, and what happens while it does not poll."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask_socketio import SocketIO
from werkzeug.test import Client

from tests.support.clock import ManualClock
from tests.support.doubles import Bench, sha256
from textstream.access.account import Account, Kind
from textstream.protocol import FormatName
from textstream.reading.reader import Reader
from textstream.transport import install
from textstream.transport.poll_window import STANDSTILL
from textstream.transport.session_queue import SessionQueue
from textstream.transport.window import FIRST, LARGEST
from textstream.web.sinks import ConnectionSink

TEXTS = {
    "ASCII": "The quick brown fox. " * 200,
    "emoji": "\U0001f600" * 10_000,
    "control characters": "\x01" * 10_000,
    "long clusters": ("e" + "\u0301" * 4095) * 10,
}


@dataclass
class Polling:
    """A client that polls a server without a network, and what it was sent."""

    http: Client
    url: str
    session: Any
    sid: str

    def __post_init__(self) -> None:
        self.text = ""
        self.end: dict[str, Any] = {}

    def poll(self) -> None:
        """Poll, if something waits; a poll would wait for it."""
        if self.session.queue.empty():
            return
        answer = self.http.get(self.url)
        assert answer.status_code == 200
        for packet in answer.get_data(as_text=True).split("\x1e"):
            event: list[Any] = json.loads(packet[2:]) if packet.startswith("42") else ["", None]
            name, data = event
            if name == "new_char":
                self.text += data
            elif name == "stream_chunk":
                assert data["offset"] == len(self.text) or "\u0301" in self.text
                self.text += data["text"]
            elif name == "stream_end":
                self.end = data


@dataclass
class Scene:
    """A hub, its clients that poll, and the one clock that all of them go by."""

    bench: Bench
    socketio: SocketIO
    app: Flask

    def connect(self) -> Polling:
        """Connect a client."""
        http, url = Client(self.app), "/socket.io/?EIO=4&transport=polling"
        eio_sid = json.loads(http.get(url).get_data()[1:])["sid"]
        url += f"&sid={eio_sid}"
        assert http.post(url, data=b"40").status_code == 200
        session = self.socketio.server.eio.sockets[eio_sid]
        sid = self.socketio.server.manager.sid_from_eio_sid(eio_sid, "/")
        client = Polling(http, url, session, sid)
        client.poll()
        return client

    def read(self, client: Polling, text: str, format_: FormatName) -> Reader:
        """Let it read a text without a pace, and let the server do what it can."""
        sink: Any = ConnectionSink(self.socketio, client.sid)
        reader, _ = self.bench.start(text, connection=client.sid, sink=sink, rate=0, format=format_)
        self.bench.settle()
        return reader

    def read_on(self, client: Polling) -> None:
        """Poll until it has come to the end."""
        while not client.end:
            client.poll()
            self.bench.clock.advance(0.01)
            self.bench.settle()


@pytest.fixture
def scene(clock: ManualClock) -> Iterator[Scene]:
    app = Flask(__name__)
    # No heartbeat: that goes by the real clock, of which a busy machine may take a lot.
    socketio = SocketIO(
        app,
        async_mode="threading",
        async_handlers=False,
        monitor_clients=False,
        ping_interval=3_600,
    )
    transport = install(socketio)
    assert transport
    socketio.server.eio._async["queue"] = lambda: SessionQueue(clock)
    yield Scene(Bench(clock), socketio, app)
    transport.close()


@pytest.mark.parametrize("format_", ["char", "chunk"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_arrives_exactly_however_much_waits_meanwhile(
    scene: Scene, text: str, format_: FormatName
) -> None:
    client = scene.connect()
    scene.read(client, text, format_)
    one_unit = 6 * 4096 + 512
    assert client.session.queue.nbytes <= FIRST + one_unit
    while not client.end:
        client.poll()
        scene.bench.clock.advance(0.01)
        scene.bench.settle()
        assert client.session.queue.nbytes <= LARGEST + one_unit
    assert client.text == text
    assert client.end["text_sha256"] == sha256(text)


@pytest.mark.parametrize("format_", ["char", "chunk"])
def test_who_does_not_poll_stands_still_and_goes_on_exactly_there(
    scene: Scene, format_: FormatName
) -> None:
    client, text = scene.connect(), "The quick brown fox. " * 4000
    scene.bench.clock.advance(STANDSTILL)
    reader = scene.read(client, text, format_)
    assert reader.cursor == 0
    due = scene.bench.settle()
    assert due is None or due > scene.bench.clock.now + 600, "nobody looks whether it polls again"
    scene.bench.clock.advance(600)
    client.poll()  # for stream_start
    scene.bench.settle()
    stood = reader.cursor
    assert 0 < stood < len(text)
    scene.bench.clock.advance(600)
    scene.bench.settle()
    assert reader.cursor == stood
    scene.read_on(client)
    assert client.text == text
    assert client.end["text_sha256"] == sha256(text)


def test_four_streams_share_what_may_wait_for_one_client(scene: Scene) -> None:
    client = scene.connect()
    for _ in range(4):
        scene.read(client, TEXTS["emoji"], "chunk")
    assert client.session.queue.nbytes <= FIRST + 4 * 1024


def test_a_full_account_holds_back_units_until_there_is_room(scene: Scene) -> None:
    client, account = scene.connect(), Account(limits={Kind.QUEUED: 10_000})
    other = Account(account)
    client.session.account = Account(account)
    other.add(Kind.QUEUED, 10_000)
    reader = scene.read(client, TEXTS["ASCII"], "chunk")
    assert reader.cursor == 0
    other.add(Kind.QUEUED, -10_000)
    scene.bench.clock.advance(1)
    client.poll()
    scene.read_on(client)
    assert client.text == TEXTS["ASCII"]
    client.session.close(wait=False)
    assert account.total == 0
