"""Flask-SocketIO's documented features go on working over the hand-off."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import socketio
import websocket

from tests.transport.conftest import LocalServer, StartLocal

pytestmark = pytest.mark.live

Connect = Callable[..., socketio.SimpleClient]


@pytest.fixture
def connect(local: LocalServer) -> Iterator[Connect]:
    """Connect simple clients; disconnected after the test."""
    clients: list[socketio.SimpleClient] = []

    def make(**options: Any) -> socketio.SimpleClient:
        client = socketio.SimpleClient(reconnection=False, handle_sigint=False)
        clients.append(client)
        client.connect(local.url, **{"transports": ["websocket"], **options})
        return client

    yield make
    for client in clients:
        tasks = [client.client.eio.read_loop_task, client.client.eio.write_loop_task]
        client.disconnect()
        for task in tasks:
            if task:
                task.join(10)


@pytest.fixture(params=["websocket", "upgrade"])
def client(request: pytest.FixtureRequest, connect: Connect) -> socketio.SimpleClient:
    """A client that connected with a WebSocket, or upgraded to one."""
    transports = ["websocket"] if request.param == "websocket" else ["polling", "websocket"]
    client = connect(transports=transports)
    assert client.transport == "websocket"
    return client


def raw_websocket(local: LocalServer) -> websocket.WebSocket:
    """Return a WebSocket past Engine.IO's handshake."""
    ws = websocket.create_connection(
        f"ws://127.0.0.1:{local.port}/socket.io/?EIO=4&transport=websocket", timeout=10
    )
    assert str(ws.recv()).startswith("0{")
    return ws


def receive(client: socketio.SimpleClient, event: str) -> list[Any]:
    """Return the arguments of the next event, which must have this name."""
    name, *arguments = client.receive(timeout=10)
    assert name == event
    return list(arguments)


def test_acknowledgement_of_the_server(client: socketio.SimpleClient) -> None:
    assert client.call("sum", (1, 2, 3), timeout=10) == (6, "done")


def test_acknowledgement_of_the_client(local: LocalServer, connect: Connect) -> None:
    client = connect()
    client.client.on("question", lambda number: number + 1)
    client.emit("ask")
    local.record.wait_for("answer", 42)


def test_call_waits_for_the_client(connect: Connect) -> None:
    client = connect()
    client.client.on("question", lambda number: number + 1)
    assert client.call("ask_and_wait", timeout=10) == 2


def test_rooms(connect: Connect) -> None:
    first, second, outside = connect(), connect(), connect()
    for client in (first, second):
        client.emit("join", "here")
        assert receive(client, "joined") == ["here"]
    receive(first, "joined")
    outside.call("to_room", ("here", "hello"), timeout=10)
    assert receive(first, "room_text") == receive(second, "room_text") == ["hello"]
    assert second.call("leave", "here", timeout=10)
    outside.call("to_room", ("here", "again"), timeout=10)
    assert receive(first, "room_text") == ["again"]
    assert outside.call("close_room", "here", timeout=10)
    outside.call("to_room", ("here", "nobody"), timeout=10)
    for client in (first, second, outside):
        client.call("to_all", "end", timeout=10)
        assert receive(client, "all_text") == ["end"]
        break


def test_broadcast(connect: Connect) -> None:
    clients = [connect() for _ in range(3)]
    clients[0].call("to_all", "everybody", timeout=10)
    assert [receive(client, "all_text") for client in clients] == [["everybody"]] * 3


def test_several_namespaces_on_one_socket(local: LocalServer) -> None:
    client = socketio.Client(reconnection=False, handle_sigint=False)
    welcome: list[str] = []
    client.on("welcome", welcome.append, namespace="/room")
    client.connect(local.url, transports=["websocket"], namespaces=["/", "/second", "/room"])
    tasks = [client.eio.read_loop_task, client.eio.write_loop_task]
    try:
        assert client.call("echo", 1, namespace="/second", timeout=10) == ["second", 1]
        assert client.call("echo", "x", namespace="/room", timeout=10) == "x"
        assert client.call("sum", (1, 1), timeout=10) == (2, "done")
        assert len(local.socketio.server.eio.sockets) == 1
        assert client.get_sid("/room") != client.get_sid("/")
    finally:
        client.disconnect()
        for task in tasks:
            task.join(10)
    assert welcome


def test_binary_both_ways(client: socketio.SimpleClient) -> None:
    data = bytes(range(256)) * 300
    assert client.call("binary", data, timeout=10) == data[::-1]
    assert receive(client, "binary_event") == [{"data": data, "more": [data]}]


def test_session_and_sid(client: socketio.SimpleClient) -> None:
    assert [client.call("count", timeout=10) for _ in range(3)] == [1, 2, 3]
    assert client.call("who", timeout=10) == client.sid


def test_message_and_json(client: socketio.SimpleClient) -> None:
    client.emit("message", "text")
    assert receive(client, "message") == ["text"]
    client.emit("json", {"a": [1]})
    assert receive(client, "json") == [{"a": [1]}]


def test_error_handler(local: LocalServer, client: socketio.SimpleClient) -> None:
    assert client.call("fail", timeout=10) == "handled"
    local.record.wait_for("error", "scripted")


def test_background_task_emits(client: socketio.SimpleClient) -> None:
    client.emit("background")
    assert [receive(client, "tick") for _ in range(3)] == [[0], [1], [2]]


def test_disconnect_by_the_server(local: LocalServer, client: socketio.SimpleClient) -> None:
    sid = client.sid
    # With a namespace left the client keeps its connection. Flask-SocketIO drops the event when the
    # connection is gone before its handler is called, on any transport.
    client.client.namespaces["/other"] = "any"
    client.emit("leave_me")
    local.record.wait_for("disconnect", sid, "server disconnect")
    client.client.disconnect()


def test_disconnect_by_the_client(local: LocalServer) -> None:
    with closing(raw_websocket(local)) as ws:
        ws.send("40")
        sid = json.loads(ws.recv()[2:])["sid"]
        ws.send("41")
        local.record.wait_for("disconnect", sid, "client disconnect")


def test_lost_connection(local: LocalServer, connect: Connect) -> None:
    client = connect()
    sid = client.sid
    client.client.eio.ws.sock.shutdown(socket.SHUT_RDWR)
    local.record.wait_for("disconnect", sid, "transport close")


def test_refused_connect(local: LocalServer) -> None:
    with closing(raw_websocket(local)) as ws:
        ws.send('40{"refuse": true}')
        assert json.loads(ws.recv()[2:]) == {"message": "not you"}
        ws.send("40")
        assert "sid" in json.loads(ws.recv()[2:])


def test_a_slow_handler_delays_only_its_own_client(
    start_local: StartLocal, local: LocalServer, connect: Connect
) -> None:
    slow, quick = connect(), connect()
    slow.emit("hold", "slow")
    local.record.wait_for("holding", "slow")
    assert quick.call("sum", (2, 2), timeout=10) == (4, "done")
    local.record.add("let go", "slow")


@pytest.mark.parametrize("async_handlers", [True, False])
def test_events_are_answered_either_way(start_local: StartLocal, async_handlers: bool) -> None:
    server = start_local(async_handlers=async_handlers)
    client = socketio.SimpleClient(reconnection=False, handle_sigint=False)
    client.connect(server.url, transports=["websocket"])
    tasks = [client.client.eio.read_loop_task, client.client.eio.write_loop_task]
    try:
        assert [client.call("sum", (n,), timeout=10)[0] for n in range(50)] == list(range(50))
    finally:
        client.disconnect()
        for task in tasks:
            task.join(10)
