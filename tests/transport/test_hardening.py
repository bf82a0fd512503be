"""What `install` gives a server that has nothing to do with streams, however that was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import socketio
from engineio.payload import Payload
from flask import Flask
from flask_socketio import SocketIO
from werkzeug.test import Client

from tests.transport.conftest import StartLocal
from tests.transport.raw import RawWebSocket
from textstream.transport import Bounds, Transport, install
from textstream.transport.manager import ThreadSafeManager

LIMIT = 10_000
"""Bytes of a message."""

OPTIONS: dict[str, Any] = {
    "async_mode": "threading",
    "async_handlers": False,
    "max_http_buffer_size": LIMIT,
    "monitor_clients": False,  # or a thread outlives the test
}

Wsgi = Callable[..., Any]


@dataclass
class Served:
    """A server without a network, and what its handler and `install`'s callback got.

    Attributes:
        http: sends it requests.
        path: where it is mounted, with a slash at both ends.
        server: python-socketio's.
        transport: what `install` returned.

    """

    http: Client
    path: str
    server: socketio.Server
    transport: Transport
    said: list[Any]
    oversized: list[tuple[str, str, int]]

    def open(self) -> str:
        """Make a polling handshake and connect; return the Engine.IO session's id."""
        answer = self.http.get(self.url())
        assert answer.status_code == 200
        sid = str(json.loads(answer.get_data()[1:])["sid"])
        assert self.post(sid, "40") == 200
        return sid

    def url(self, sid: str = "", transport: str = "polling") -> str:
        """Return the address of a session."""
        return f"{self.path}?EIO=4&transport={transport}{sid and '&sid=' + sid}"

    def post(self, sid: str, body: str) -> int:
        """Post `body` for a session; return the status."""
        return self.http.post(self.url(sid), data=body.encode()).status_code


Install = Callable[[Any], Transport | None]


def flask_with_app(path: str, install_: Install) -> tuple[Wsgi, Any, Transport | None]:
    app = Flask(__name__)
    made = SocketIO(app, path=path, **OPTIONS)
    return app, made, install_(made)


def flask_installed_after_init_app(
    path: str, install_: Install
) -> tuple[Wsgi, Any, Transport | None]:
    app, made = Flask(__name__), SocketIO(path=path, **OPTIONS)
    made.init_app(app)
    return app, made, install_(made)


def flask_installed_before_init_app(
    path: str, install_: Install
) -> tuple[Wsgi, Any, Transport | None]:
    app, made = Flask(__name__), SocketIO(path=path, **OPTIONS)
    transport = install_(made)
    made.init_app(app)
    return app, made, transport


def bare(path: str, install_: Install) -> tuple[Wsgi, Any, Transport | None]:
    made = socketio.Server(**OPTIONS)
    return socketio.WSGIApp(made, socketio_path=path), made, install_(made)


WAYS = [flask_with_app, flask_installed_after_init_app, flask_installed_before_init_app, bare]
PATHS = ["socket.io", "real/time"]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest) -> Any:
    """A way to make a server and install on it."""
    return request.param


@pytest.fixture(params=PATHS)
def served(way: Any, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server of each kind at each path."""
    oversized: list[tuple[str, str, int]] = []
    said: list[Any] = []

    def install_(made: Any) -> Transport | None:
        return install(made, on_oversized=lambda *what: oversized.append(what[:3]))

    app, made, transport = way(request.param, install_)
    server = getattr(made, "server", made)
    server.on("say", lambda _sid, what: said.append(what))
    assert transport
    yield Served(Client(app), f"/{request.param}/", server, transport, said, oversized)
    transport.close()


def say(what: Any) -> str:
    """Return the Engine.IO packet of an event."""
    return "42" + json.dumps(["say", what])


def test_many_packets_in_one_request_are_handled_in_order(served: Served) -> None:
    sid = served.open()
    assert served.post(sid, "\x1e".join(map(say, range(500)))) == 200
    assert served.said == list(range(500))
    assert Payload.max_decode_packets == 16, "that is the whole process's"


def test_half_an_upgrade_is_answered(served: Served) -> None:
    sid = served.open()
    for session in ("", sid):
        answer = served.http.get(served.url(session, "websocket"), headers={"Upgrade": "websocket"})
        assert answer.status_code == 400
    assert list(served.server.eio.sockets) == [sid], "no session of nobody's"


def test_a_post_for_a_closed_session_is_answered(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    sid = served.open()
    served.server.eio.sockets[sid].close(wait=False, abort=True)
    assert served.post(sid, say(1)) == 400
    assert served.said == []
    assert not [record for record in caplog.records if record.exc_info]


def test_an_oversized_post_is_dropped_and_its_session_goes_on(served: Served) -> None:
    sid = served.open()
    body = say("x" * LIMIT)
    assert served.post(sid, body) == 200
    [(session, head, size)] = served.oversized
    assert (session, size) == (sid, len(body))
    assert body.startswith(head)
    assert served.post(sid, say("after")) == 200
    assert served.said == ["after"]


def test_a_post_that_is_larger_still_ends_the_session(served: Served) -> None:
    sid = served.open()
    assert served.post(sid, say("x" * 8 * LIMIT)) == 400
    assert served.oversized == served.said == []
    assert sid not in served.server.eio.sockets


def test_the_manager_is_for_many_threads(served: Served) -> None:
    assert type(served.server.manager) is ThreadSafeManager


def test_another_server_of_the_process_stays_stock(served: Served) -> None:
    other = socketio.Server(**OPTIONS)
    assert type(other.manager) is socketio.Manager
    assert other.packet_class is socketio.packet.Packet
    assert "handle_request" not in vars(other.eio)


def test_a_second_init_app_makes_a_server_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    made = SocketIO(**OPTIONS)
    transport = install(made)
    made.init_app(Flask("first"))
    first = made.server
    made.init_app(Flask("second"))
    assert transport
    assert transport.server is first
    assert type(made.server.manager) is socketio.Manager
    transport.close()


def test_before_init_app_nobody_knows_the_mode(caplog: pytest.LogCaptureFixture) -> None:
    """It is found when the server is made."""
    made = SocketIO(monitor_clients=False)
    transport = install(made)
    made.init_app(Flask("first"), async_mode="threading")
    assert transport
    assert transport.server is made.server
    assert not caplog.records
    transport.close()


def test_another_mode_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    made = SocketIO(monitor_clients=False)
    install(made)
    made.init_app(Flask("first"), async_mode="gevent")
    assert [record.getMessage() for record in caplog.records] == [
        "async mode gevent: stock transport"
    ]
    assert "Transport" not in repr(made.server.eio._async["websocket"])


def test_the_packets_of_a_request_are_bounded() -> None:
    made = socketio.Server(**OPTIONS)
    transport = install(made, bounds=Bounds(max_packets=2))
    assert transport
    said: list[Any] = []
    made.on("say", lambda _sid, what: said.append(what))
    http = Client(socketio.WSGIApp(made))
    served = Served(http, "/socket.io/", made, transport, said, [])
    sid = served.open()
    assert served.post(sid, "\x1e".join(map(say, range(2)))) == 200
    assert said == [0, 1]
    assert served.post(sid, "\x1e".join(map(say, range(3)))) == 400
    assert said == [0, 1]
    assert sid not in made.eio.sockets, "its client would never know which were handled"
    transport.close()


def test_flask_socketio_s_own_test_client_works() -> None:
    app = Flask(__name__)
    made = SocketIO(app, **OPTIONS)
    transport = install(made)
    assert transport
    made.on_event("say", lambda what: made.emit("said", what))
    client = made.test_client(app)
    client.emit("say", "it")
    assert [(event["name"], event["args"]) for event in client.get_received()] == [("said", ["it"])]
    client.disconnect()
    transport.close()


# Over sockets


@pytest.mark.live
def test_few_attachments_are_waited_for(start_local: StartLocal) -> None:
    local = start_local(Bounds(max_attachments=2))
    refused = RawWebSocket(local.port)
    refused.send("40")
    refused.send('453-["binary",{"_placeholder":true,"num":0}]')
    assert refused.close_code() == 1008
    refused.close()
    ws = RawWebSocket(local.port)
    ws.send("40")
    places = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(2))
    ws.send(f'452-7["binary",[{places}]]')
    ws.send_frame("binary", b"ab")
    ws.send_frame("binary", b"cd")
    assert any(text.startswith("462-7") for text in ws.messages())
    ws.close()


@pytest.mark.live
@pytest.mark.parametrize("told", [True, False])
def test_an_oversized_message_is_told_or_logged(
    start_local: StartLocal, caplog: pytest.LogCaptureFixture, told: bool
) -> None:
    sizes: list[int] = []
    local = start_local(
        Bounds(1000, 8000),
        on_oversized=(lambda _sid, _head, size, _limit: sizes.append(size)) if told else None,
    )
    ws = RawWebSocket(local.port)
    ws.send("40")
    ws.send('42["echo_text","' + "x" * 1000 + '"]')
    ws.send('42["echo_text","small"]')
    local.record.wait_for("echoed", 1)
    assert len(sizes) == told
    assert ("too large" in caplog.text) is not told
    ws.close()
