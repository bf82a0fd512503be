"""What a hostile or slow client may cost, and how it is told."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
import urllib.request
from typing import Any

import pytest

from tests.sources.waiting import wait_until
from tests.transport.conftest import Dial, LocalServer, StartLocal
from tests.transport.passing import let_pass
from tests.transport.raw import RawWebSocket
from textstream.transport.bounds import Bounds
from textstream.transport.frames import message_frame
from textstream.transport.handoff import unacknowledged

pytestmark = pytest.mark.live

LIMIT = 100_000


def call(ws: RawWebSocket, *event: Any) -> Any:
    """Send an event and return its acknowledgement."""
    ws.send("421" + json.dumps(event))
    answer = next(message for message in ws.messages() if message.startswith("431"))
    return json.loads(answer[3:])


def connection_of(server: LocalServer, sid: str) -> Any:
    """Return the server's side of a connection."""
    sio = server.socketio.server
    return sio.eio.sockets[sio.manager.eio_sid_from_sid(sid, "/")].queue.connection


def poll(url: str, body: str | None = None) -> str:
    """Get, or post `body`; return the answer."""
    with urllib.request.urlopen(url, body.encode() if body else None, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.fixture
def small(start_local: StartLocal) -> LocalServer:
    """A server that takes messages of up to `LIMIT` bytes."""
    return start_local(Bounds(max_message=LIMIT, max_dropped=8 * LIMIT))


def test_permessage_deflate_is_not_negotiated(local: LocalServer, dial: Dial) -> None:
    ws = dial(local, headers="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert "permessage-deflate" not in ws.response.lower()
    ws.send_frame("text", b"compressed?", rsv=0x40)
    assert ws.close_code() == 1002


def test_an_unfinished_message_is_refused_while_it_arrives(small: LocalServer, dial: Dial) -> None:
    ws = dial(small)
    ws.send_frame("text", b"x" * LIMIT, fin=False)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012 (at some point)
        for _ in range(10_000):
            ws.send_frame("continuation", b"x" * LIMIT, fin=False)
    assert len(small.socketio.server.eio.sockets) <= 1


def test_an_unfinished_message_is_closed_with_1009(small: LocalServer, dial: Dial) -> None:
    ws = dial(small)
    ws.send_frame("text", b"x" * LIMIT, fin=False)
    for _ in range(8):
        ws.send_frame("continuation", b"x" * LIMIT, fin=False)
    assert ws.close_code() == 1009


def test_a_binary_message_over_the_limit_is_closed_with_1009(
    small: LocalServer, dial: Dial
) -> None:
    ws = dial(small)
    ws.send_frame("binary", b"x" * (LIMIT + 1))
    assert ws.close_code() == 1009


def test_a_text_message_over_the_limit_is_dropped_and_the_connection_lives(
    small: LocalServer, dial: Dial
) -> None:
    ws = dial(small)
    ws.send('42["message","' + "x" * LIMIT + '"]')
    assert call(ws, "sum", 1, 2) == [3, "done"]


def test_fragments_within_the_limit_make_one_message(small: LocalServer, dial: Dial) -> None:
    ws = dial(small)
    message = b'421["sum",20,22]'
    ws.send_frame("text", message[:5], fin=False)
    ws.send_frame("ping", b"between")
    ws.send_frame("continuation", message[5:])
    frames = ws.frames()
    assert (10, b"between") in [next(frames), next(frames)]


@pytest.mark.parametrize(
    ("kind", "payload", "code"),
    [("text", b"\xff\xfe", 1007), ("continuation", b"x", 1002), ("close", b"x", 1002)],
    ids=["bad UTF-8", "nothing to continue", "half a code"],
)
def test_broken_frames_are_closed_with_the_right_code(
    local: LocalServer, dial: Dial, kind: str, payload: bytes, code: int
) -> None:
    ws = dial(local)
    ws.send_frame(kind, payload)
    assert ws.close_code() == code


@pytest.mark.parametrize("message", ["", "9", "x", "42", '42["', "450-", "4" * 300])
def test_malformed_packets_hurt_nobody_else(local: LocalServer, dial: Dial, message: str) -> None:
    bad, good = dial(local), dial(local)
    bad.send(message)
    assert call(good, "sum", 2, 3) == [5, "done"]


def test_a_client_that_never_connects_is_closed(start_local: StartLocal, dial: Dial) -> None:
    server = start_local(Bounds(connect=0.05))
    assert dial(server, connected=False).close_code() == 1008


def test_an_upgrade_that_is_not_completed_is_closed(start_local: StartLocal, dial: Dial) -> None:
    """It belonged to nobody: the session goes on polling, and its end did not close it."""
    server = start_local()
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    sid = json.loads(poll(url)[1:])["sid"]
    assert poll(f"{url}&sid={sid}", "40") == "ok"
    server.transport.bounds = Bounds(connect=0.05)  # from now on: a busy machine polls no faster
    upgrade = dial(server, connected=False, sid=sid)
    assert upgrade.close_code() == 1008
    server.socketio.emit("flood", "still there")
    assert "still there" in poll(f"{url}&sid={sid}"), "it goes on polling"


def test_a_client_that_connects_stays(local: LocalServer, dial: Dial) -> None:
    idle, ws = dial(local, connected=False), dial(local)
    assert next(idle.messages()).startswith("0{")
    while not select.select([idle.sock], [], [], 0.01)[0]:  # its time begins behind its handshake
        let_pass(local.transport.reactor, local.transport.bounds.connect + 1)
    assert idle.close_code() == 1008  # so the time is over for the other as well
    assert call(ws, "sum", 1, 1) == [2, "done"]


def test_close_is_answered(local: LocalServer, dial: Dial) -> None:
    ws = dial(local)
    ws.send_frame("close", b"\x03\xe8")
    assert ws.close_code() == 1000


def test_a_reader_that_does_not_read_is_closed(start_local: StartLocal, dial: Dial) -> None:
    server = start_local(Bounds(stall=0.2))
    ws = dial(server, receive_buffer=4096)
    sid = call(ws, "who")[0]
    for _ in range(40):
        server.socketio.emit("flood", "x" * 20_000, to=sid)
    server.record.wait_for("disconnect", sid, "transport close")
    # At once, and not when the kernel has given up what it keeps for it.
    poller = select.poll()
    poller.register(ws.sock, 0)
    assert poller.poll(10_000), "reset"


def test_a_reader_whose_kernel_takes_everything_is_closed_too(
    local: LocalServer, dial: Dial
) -> None:
    """Its pongs are missing: what the kernels buffer is no progress."""
    server, ws = local, dial(local)
    sid = call(ws, "who")[0]
    connection = connection_of(server, sid)
    while connection.ready:
        connection.write_units(message_frame("x" * 1000))
    assert connection.settled, "the kernel has taken all"
    wait_until(lambda: not unacknowledged(connection._sock))  # the other kernel, too
    let_pass(server.transport.reactor, server.transport.bounds.stall + 1)
    server.record.wait_for("disconnect", sid, "transport close")
    assert ws.close_code() == 1008


def test_a_reader_that_answers_without_reading_is_closed(
    start_local: StartLocal, dial: Dial
) -> None:
    server = start_local(Bounds(stall=0.2))
    ws = dial(server, receive_buffer=4096)
    sid = call(ws, "who")[0]
    connection = connection_of(server, sid)
    while connection.settled:
        connection.write_units(message_frame("x" * 1000))
    with contextlib.suppress(OSError):  # the server has closed
        while True:
            ws.send("3")
            time.sleep(0.01)
    server.record.wait_for("disconnect", sid, "transport close")


def test_a_reader_that_answers_its_pings_stays(local: LocalServer, dial: Dial) -> None:
    ws = dial(local)
    connection = connection_of(local, call(ws, "who")[0])
    messages = ws.messages()
    for _ in range(4):
        left = 0
        while connection.ready:
            connection.write_units(message_frame("x" * 1000))
            left += 1
        let_pass(local.transport.reactor, local.transport.bounds.stall * 2 / 3)
        while left:
            message = next(messages)
            left -= message == "x" * 1000
            if message == "2":
                ws.send("3")
        wait_until(lambda: connection.ready)
    assert call(ws, "sum", 1, 1) == [2, "done"]


def test_too_much_that_waits_closes_the_reader(start_local: StartLocal, dial: Dial) -> None:
    server = start_local(Bounds(max_buffered=200_000))
    ws = dial(server, receive_buffer=4096)
    sid = call(ws, "who")[0]
    for _ in range(100):
        server.socketio.emit("flood", "x" * 20_000, to=sid)
    server.record.wait_for("disconnect", sid, "transport close")


def test_a_slow_reader_gets_everything_in_order(local: LocalServer, dial: Dial) -> None:
    ws = dial(local, receive_buffer=4096)
    sid = call(ws, "who")[0]
    for number in range(200):
        local.socketio.emit("flood", [number, "x" * 3000], to=sid)
    numbers = []
    for message in ws.messages():
        if message.startswith('42["flood"'):
            numbers.append(json.loads(message[2:])[1][0])
        if len(numbers) == 200:
            break
    assert numbers == list(range(200))


@pytest.mark.parametrize("bounds", [Bounds(), Bounds(max_inbox=2), Bounds(events_per_second=500)])
def test_many_events_are_handled_in_order(
    start_local: StartLocal, dial: Dial, bounds: Bounds
) -> None:
    server = start_local(bounds, async_handlers=False)
    ws = dial(server)
    for number in range(1000):
        ws.send(f'42{number}["sum",{number}]')
    answers = []
    for message in ws.messages():
        if message.startswith("43"):
            answers.append(message)
        if len(answers) == 1000:
            break
    assert answers == [f'43{number}[{number},"done"]' for number in range(1000)]


def test_who_asks_faster_than_it_reads_must_wait_and_is_not_cut_off(
    start_local: StartLocal, dial: Dial
) -> None:
    server = start_local(Bounds(max_buffered=200_000), async_handlers=False)
    ws = dial(server, receive_buffer=4096)
    count, text = 2000, "x" * 500

    def ask() -> None:
        for number in range(count):
            ws.send(f'42{number}["echo_text","{text}"]')

    asking = threading.Thread(target=ask)
    asking.start()
    # Nothing is read for as long as the answers fill every buffer there is. Of small ones the
    # kernel may keep no more than a hundred: it counts what each takes, and not what it holds.
    server.record.wait_for("echoed", 120)
    answers = []
    for message in ws.messages():
        if message.startswith("43"):
            answers.append(message)
        if len(answers) == count:
            break
    asking.join(10)
    assert answers == [f'43{n}["{text}"]' for n in range(count)]


def test_pings_are_timers(start_local: StartLocal, dial: Dial) -> None:
    server = start_local(ping_interval=0.05, ping_timeout=5)
    ws = dial(server)
    pings = 0
    for message in ws.messages():
        if message == "2":
            pings += 1
            ws.send("3")
        if pings == 3:
            break
    assert call(ws, "sum", 1, 1) == [2, "done"]


@pytest.mark.parametrize("end", ["close frame", "FIN", "RST"])
def test_nothing_is_left_of_those_that_went(local: LocalServer, dial: Dial, end: str) -> None:
    for _ in range(20):
        ws = dial(local)
        sid = call(ws, "who")[0]
        if end == "close frame":
            ws.send_frame("close", b"\x03\xe8")
        elif end == "RST":
            ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        ws.close()
        local.record.wait_for("disconnect", sid, "transport close")
    assert call(dial(local), "sum", 1) == [1, "done"]
    # They are told of the end before it is over.
    wait_until(lambda: len(local.socketio.server.eio.sockets) == 1)
    eio_sids = local.socketio.server.eio.sockets.keys()
    wait_until(lambda: not local.socketio.server.environ.keys() - eio_sids)
