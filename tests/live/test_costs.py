"""What one client may cost a server in its own process, and the others on it."""

from __future__ import annotations

import json
import platform
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from tests.transport.raw import RawWebSocket

pytestmark = pytest.mark.live

MB = 1 << 20

MOST = 30 * MB
"""What the server may grow by, at the peak."""

BIG = {
    "unknown keys": json.dumps({f"{number:x}": 1 for number in range(150_000)}),
    "a text of emoji": '{"rate":-1,"text":"' + "😀" * 499_000 + '"}',
    "one emoji": '{"text":"😀' + "a" * 1_900_000 + '"}',
    "a long name": '{"' + "k" * 1_900_000 + '":1}',
}
"""Payloads of 2 MB, each refused: what a server keeps of those that it takes is another matter."""

Dial = Callable[[], RawWebSocket]


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Iterator[RunningServer]:
    """A server of its own: what others have left in its memory would count."""
    started = start_server()
    yield started
    assert started.stop() == 0, started.log_text()
    assert "traceback" not in started.log_text().lower()


@pytest.fixture
def dial(server: RunningServer) -> Iterator[Dial]:
    """Connect; closed after the test."""
    opened: list[RawWebSocket] = []

    def make() -> RawWebSocket:
        ws = RawWebSocket(server.address[1])
        opened.append(ws)
        ws.send("40")
        next(message for message in ws.messages() if message.startswith("40"))
        return ws

    yield make
    for ws in opened:
        ws.close()


@contextmanager
def growth(server: RunningServer) -> Iterator[list[int]]:
    """Measure by how many bytes a server's memory grows at the peak (proc(5), VmHWM)."""
    status, found = Path(f"/proc/{server.pid}/status"), [0]
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak is what there is now

    def kilobytes(name: str) -> int:
        return int(re.findall(rf"{name}:\s+(\d+) kB", status.read_text())[0])

    before = kilobytes("VmRSS")
    yield found
    found[0] = (kilobytes("VmHWM") - before) * 1024


def send_all(sockets: list[socket.socket], data: bytes) -> None:
    """Send `data` on each, as fast as each is read."""
    left = dict.fromkeys(sockets, memoryview(data))
    while left:
        _, ready, _ = select.select([], list(left), [], patient(30))
        assert ready, "none of them is read"
        for sock in ready:
            left[sock] = left[sock][sock.send(left[sock][:MB]) :]
            if not left[sock]:
                del left[sock]


def as_frame(text: str) -> bytes:
    """Return one masked frame of more than 64 kB."""
    payload = text.encode()
    return struct.pack("!BBQ", 0x81, 0xFF, len(payload)) + bytes(4) + payload


@pytest.mark.skipif(platform.system() != "Linux", reason="reads /proc")
@pytest.mark.parametrize("kind", BIG)
@pytest.mark.parametrize(("clients", "each"), [(12, 1), (1, 12)])
def test_large_messages_take_turns(
    server: RunningServer, dial: Dial, kind: str, clients: int, each: int
) -> None:
    """60 of 2 MB at once were 158 MB, 12 of unknown keys 2.4 GB."""
    data = as_frame(f'421["start_stream",{BIG[kind]}]') * each
    connected = [dial() for _ in range(clients)]
    with growth(server) as found:
        for ws in connected:
            ws.sock.setblocking(False)
        send_all([ws.sock for ws in connected], data)
        for ws in connected:
            ws.sock.settimeout(patient(30))
            answers = (message for message in ws.messages() if message.startswith("431"))
            for _ in range(each):
                assert "invalid_request" in next(answers)
    assert found[0] < MOST


def test_who_is_refused_is_told_why_and_stays(dial: Dial) -> None:
    ws = dial()
    answers = (message for message in ws.messages() if message.startswith("43"))
    for event, payload, why in (
        ("stop_stream", '{"id":"' + "x" * 70_000 + '"}', "only start_stream"),
        ("start_stream", BIG["unknown keys"], "JSON strings"),
        ("start_stream", BIG["one emoji"], "emoji"),
    ):
        ws.send(f'427["{event}",{payload}]')
        error = json.loads(next(answers)[3:])[0]["error"]
        assert error["code"] == "invalid_request"
        assert why in error["message"]
    ws.send('427["describe_stream",{"id":"nowhere"}]')
    assert "unknown_stream" in next(answers)


FLOODS = {
    "fragments of one character": (b"\x01\x82\0\0\0\0\xc4\x80", b"\0\x82\0\0\0\0\xc4\x80"),
    "empty fragments": (b"\x02\x80\0\0\0\0", b"\0\x80\0\0\0\0"),
    "empty pings": (b"", b"\x89\x80\0\0\0\0"),
    "pings of 125 bytes": (b"", b"\x89\xfd\0\0\0\0" + b"p" * 125),
    "messages of one byte": (b"", b"\x81\x81\0\0\0\x003"),
}
"""A first frame, and one that is sent over and over."""


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_small_frames_delays_nobody_else(
    server: RunningServer, dial: Dial, kind: str
) -> None:
    """Four of them made another client wait for up to 10 s at a time."""
    first, again = FLOODS[kind]
    attackers, other, over = [dial() for _ in range(4)], dial(), threading.Event()

    def flood(sock: socket.socket) -> None:
        data = first + again * (65_536 // len(again))
        while not over.is_set():
            try:
                data = data[sock.send(data) :] or again * (65_536 // len(again))
            except TimeoutError:
                continue
            finally:
                while select.select([sock], [], [], 0)[0] and sock.recv(65_536):
                    pass

    for ws in attackers:
        ws.sock.settimeout(0.05)
    threads = [threading.Thread(target=flood, args=(ws.sock,)) for ws in attackers]
    for thread in threads:
        thread.start()
    try:
        began = time.monotonic()
        answers = (message for message in other.messages() if message.startswith("431"))
        for _ in range(50):
            other.send('421["describe_stream",{"id":"nowhere"}]')
            assert "unknown_stream" in next(answers)
        assert time.monotonic() - began < patient(5.0)
    finally:
        over.set()
        for thread in threads:
            thread.join()
