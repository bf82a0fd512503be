"""Pins what our Engine.IO driver assumes about Engine.IO. An upgrade that breaks it fails here.

Where one of these fails after an upgrade: compare ``textstream/transport/driver.py`` with
Engine.IO's ``base_server.py`` (the dictionary), ``socket.py`` (``poll`` and
``_websocket_handler``) and ``async_drivers/_websocket_wsgi.py`` (the class we extend).
"""

from __future__ import annotations

import importlib
import inspect
import queue
import threading
from itertools import chain
from typing import Any

import engineio
import pytest
import socketio
from engineio import packet, payload
from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI
from engineio.socket import Socket

from textstream.transport.driver import (
    MAX_POLL_PACKETS,
    MESSAGE_TOO_BIG,
    REFUSED_WHOLE,
    PollQueue,
    install,
    make_websocket,
)

LIMIT = 100


def no_oversized(sid: str, head: str, size: int) -> None:
    raise AssertionError(f"a message of {size} bytes was refused")


@pytest.fixture
def server() -> socketio.Server:
    made = socketio.Server(async_mode="threading")
    install(made, max_message_bytes=LIMIT, on_oversized=no_oversized)
    return made


# The dictionary


def test_the_driver_of_the_threading_mode_is_the_dictionary_we_know() -> None:
    driver = importlib.import_module("engineio.async_drivers.threading")._async
    assert set(driver) == {"thread", "queue", "queue_empty", "event", "websocket", "sleep"}, (
        "Engine.IO's threading driver has other entries now: see base_server.py for their use"
    )
    assert driver["queue"] is queue.Queue
    assert driver["queue_empty"] is queue.Empty
    assert driver["websocket"] is SimpleWebSocketWSGI


def test_our_driver_belongs_to_one_server_and_changes_two_entries(server: socketio.Server) -> None:
    stock = importlib.import_module("engineio.async_drivers.threading")._async
    ours = server.eio._async
    changed = {key for key in stock if ours[key] is not stock[key]}
    assert changed == {"queue", "websocket"}
    assert set(ours) == set(stock)
    other = socketio.Server(async_mode="threading")
    assert other.eio._async is stock, "other servers in this process keep the stock driver"


def test_it_is_installed_on_a_flask_socketio_server_too() -> None:
    class Wrapper:  # as Flask-SocketIO: the server is its attribute
        server = socketio.Server(async_mode="threading")

    install(Wrapper, max_message_bytes=LIMIT, on_oversized=no_oversized)
    assert Wrapper.server.eio._async["queue"] is PollQueue


def test_every_session_gets_our_queue(server: socketio.Server) -> None:
    session = Socket(server.eio, "sid")
    assert type(session.queue) is PollQueue, (
        "Engine.IO makes a session's queue in another way now: see base_socket.py"
    )


# Polls


def poll(session: Socket) -> list[Any]:
    packets: list[Any] = session.poll()
    return packets


def test_a_poll_never_hands_out_more_packets_than_clients_accept(server: socketio.Server) -> None:
    assert payload.Payload.max_decode_packets >= MAX_POLL_PACKETS, (
        "Engine.IO's own clients accept fewer packets per poll now: lower MAX_POLL_PACKETS"
    )
    session = Socket(server.eio, "sid")
    for n in range(100):
        session.queue.put(packet.Packet(packet.MESSAGE, n))
    polls = []
    while not session.queue.empty():
        polls.append([p.data for p in poll(session)])
    assert list(chain.from_iterable(polls)) == list(range(100)), "in order, none lost"
    assert max(map(len, polls)) <= MAX_POLL_PACKETS, (
        "Socket.poll does not take the rest with get(block=False) any more: see PollQueue"
    )
    assert len(polls) <= 8, "and not one by one either"


def test_the_end_of_a_session_is_not_lost_in_a_full_poll(server: socketio.Server) -> None:
    session = Socket(server.eio, "sid")
    for n in range(MAX_POLL_PACKETS - 1):
        session.queue.put(packet.Packet(packet.MESSAGE, n))
    session.queue.put(None)
    assert len(poll(session)) == MAX_POLL_PACKETS - 1
    assert poll(session) == [], "an empty answer is the end"


def test_a_poll_waits_for_the_first_packet_only() -> None:
    packets = PollQueue()
    taken: list[Any] = []

    def take() -> None:
        taken.append(packets.get(timeout=10))
        with pytest.raises(queue.Empty):
            packets.get(block=False)

    thread = threading.Thread(target=take)
    thread.start()
    packets.put("late")
    thread.join(10)
    assert taken == ["late"]
    with pytest.raises(queue.Empty):
        packets.get(timeout=0.001)


def test_whoever_waits_may_always_take_the_next() -> None:
    packets = PollQueue()
    for n in range(40):
        packets.put(n)
    assert [packets.get() for _ in range(40)] == list(range(40)), "only a row of no-waits is cut"


# WebSockets


def test_the_websocket_handler_is_bound_to_its_session(server: socketio.Server) -> None:
    session = Socket(server.eio, "sid")
    handler = session._websocket_handler
    assert inspect.ismethod(handler), "the driver finds the session through the handler"
    assert handler.__self__ is session
    assert handler.__self__.sid == "sid"
    source = inspect.getsource(Socket._upgrade_websocket)
    assert "self.server._async['websocket'](" in source
    assert "self._websocket_handler, self.server" in source, (
        "the driver's class is made with something else than (handler, server) now"
    )


def test_the_class_we_extend_has_the_methods_that_we_replace() -> None:
    for name, parameters in {
        "send": ["self", "message"],
        "wait": ["self"],
        "close": ["self"],
    }.items():
        method = getattr(SimpleWebSocketWSGI, name)
        assert list(inspect.signature(method).parameters) == parameters
    assert "max_message_size" in inspect.getsource(
        importlib.import_module("simple_websocket.ws")
    ), "simple-websocket has another name for its limit now"


class ScriptedSocket:
    """Stands in for ``simple_websocket.Server``: hands out messages, notes what it is told."""

    def __init__(self, *messages: str | bytes) -> None:
        self.connected = True
        self.messages = list(messages)
        self.closed_with: tuple[int, str] | None = None
        self.sent: list[Any] = []
        self.sending = 0

    def receive(self) -> str | bytes | None:
        return self.messages.pop(0) if self.messages else None

    def send(self, message: str | bytes) -> None:
        self.sending += 1
        assert self.sending == 1, "two threads send at a time"
        self.sent.append(message)
        self.sending -= 1

    def close(self, reason: int, message: str) -> None:
        self.closed_with = (reason, message)


def websocket(socket: ScriptedSocket, refused: list[tuple[str, str, int]]) -> Any:
    eio = engineio.Server(async_mode="threading")
    made: Any = make_websocket(LIMIT, lambda *what: refused.append(what))
    session = Socket(eio, "sid")
    wrapper = made(session._websocket_handler, eio)
    assert wrapper.server_args == {"max_message_size": REFUSED_WHOLE * LIMIT}
    wrapper.ws = socket
    return wrapper


def test_messages_within_the_limit_pass() -> None:
    refused: list[tuple[str, str, int]] = []
    messages: list[str | bytes] = ["a", "字" * (LIMIT // 3), b"x" * LIMIT, "x" * LIMIT]
    wrapper = websocket(ScriptedSocket(*messages), refused)
    assert [wrapper.wait() for _ in range(5)] == [*messages, None]
    assert refused == []


def test_a_text_over_the_limit_is_refused_and_the_next_is_read() -> None:
    refused: list[tuple[str, str, int]] = []
    wrapper = websocket(ScriptedSocket("x" * (LIMIT + 1), "字" * 50, "next"), refused)
    assert wrapper.wait() == "next"
    assert refused == [("sid", "x" * 101, 101), ("sid", "字" * 50, 150)]


def test_binary_over_the_limit_closes_the_connection() -> None:
    """It belongs to an event that cannot be completed without it."""
    refused: list[tuple[str, str, int]] = []
    socket = ScriptedSocket(b"x" * (LIMIT + 1), "next")
    wrapper = websocket(socket, refused)
    assert wrapper.wait() is None
    assert socket.closed_with
    assert socket.closed_with[0] == MESSAGE_TOO_BIG
    assert refused == []


def test_one_message_is_sent_at_a_time() -> None:
    socket = ScriptedSocket()
    wrapper = websocket(socket, [])
    threads = [
        threading.Thread(target=lambda: [wrapper.send(str(n)) for n in range(200)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(socket.sent) == 800
