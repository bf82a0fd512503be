"""Polls that wait without a thread: over real sockets, as their WSGI server has let them go."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import pytest
from engineio.packet import MESSAGE, Packet

from tests.support.timing import patient
from tests.transport.conftest import LocalServer, StartLocal
from tests.transport.raw import RawWebSocket
from textstream.access.account import Account, Kind
from textstream.transport import handed_poll, polling
from textstream.transport.bounds import Bounds
from textstream.transport.parking import PARKED, Parking
from textstream.transport.polling import THREADLESS
from textstream.transport.session import Session

pytestmark = pytest.mark.live

PATIENCE = patient(10.0)


def until(true: Callable[[], Any]) -> None:
    deadline = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if true():
            return
        deadline.wait(0.005)
    raise AssertionError("it has not come to that")


@dataclass
class Answer:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    text: str
    body: bytes


class Client:
    """A client of one session, with a connection for each request."""

    def __init__(self, server: LocalServer, *, headers: str = "", receive: int = 0) -> None:
        self._server = server
        self._headers = headers
        self._receive = receive
        self._open: list[socket.socket] = []
        self.query = "EIO=4&transport=polling"
        opened = json.loads(self.poll().text[1:])
        self.sid = str(opened["sid"])
        self.query += f"&sid={self.sid}"
        self.session: Session = server.socketio.server.eio.sockets[self.sid]
        assert self.post("40").status == 200
        self.sio_sid = json.loads(self.poll().text[2:])["sid"]

    def begin(self, method: str = "GET", body: bytes = b"", *, more: str = "") -> socket.socket:
        """Send a request."""
        sock = socket.socket()
        self._open.append(sock)
        if self._receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self._server.port))
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        sock.sendall(
            f"{method} /socket.io/?{self.query} HTTP/1.1\r\nHost: {self._server.port}\r\n"
            f"{self._headers}{more}{length}\r\n".encode()
            + body
        )
        return sock

    def wait(self, **options: Any) -> socket.socket:
        """Poll, and return when that waits."""
        sock = self.begin(**options)
        until(lambda: self.session._polling)
        until(lambda: not request_threads())
        return sock

    def poll(self, **options: Any) -> Answer:
        """Poll once."""
        return read(self.begin(**options))

    def post(self, *packets: str) -> Answer:
        """Send packets."""
        return read(self.begin("POST", "\x1e".join(packets).encode()))

    def send(self, data: str) -> None:
        """Have the server send a message."""
        self.session.send(Packet(MESSAGE, data))

    def close(self) -> None:
        """Close what is open."""
        for sock in self._open:
            sock.close()


def read(sock: socket.socket) -> Answer:
    response = HTTPResponse(sock)
    response.begin()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    text = "" if "content-encoding" in headers else body.decode()
    return Answer(response.status, headers, text, body)


def request_threads() -> list[threading.Thread]:
    """Return the threads of the WSGI server that are at a request."""
    return [one for one in threading.enumerate() if "process_request_thread" in one.name]


Dial = Callable[..., Client]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Connect clients; closed after the test."""
    opened: list[Client] = []

    def make(server: LocalServer, **options: Any) -> Client:
        opened.append(Client(server, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_polls_that_wait_hold_no_threads(local: LocalServer, dial: Dial) -> None:
    clients = [dial(local) for _ in range(20)]
    waiting = [client.wait() for client in clients]
    for number, client in enumerate(clients):
        client.send(f"to {number}")
    for number, sock in enumerate(waiting):
        answer = read(sock)
        assert (answer.status, answer.text) == (200, f"4to {number}")
        assert answer.headers["connection"] == "close"
        assert sock.recv(1) == b"", "and it is closed"


def test_what_comes_together_goes_together_up_to_what_clients_accept(
    local: LocalServer, dial: Dial
) -> None:
    client = dial(local)
    sock = client.wait()
    with stopped(local):
        for number in range(20):
            client.send(str(number))
    first = read(sock).text.split("\x1e")
    assert first == [f"4{number}" for number in range(16)]
    assert client.poll().text.split("\x1e") == [f"4{number}" for number in range(16, 20)]


@contextmanager
def stopped(local: LocalServer) -> Iterator[None]:
    """Stop the reactor for a while."""
    there, go = threading.Event(), threading.Event()

    def stop() -> None:
        there.set()
        go.wait(PATIENCE)

    local.transport.reactor.call_soon(stop)
    assert there.wait(PATIENCE)
    yield
    go.set()


def test_a_session_ends_with_the_connection_of_its_poll(local: LocalServer, dial: Dial) -> None:
    """As on the reference server: nobody polls again with it, and its readers know at once."""
    client = dial(local)
    client.wait().close()
    local.record.wait_for("disconnect", client.sio_sid, "transport error")
    assert client.poll().status == 400
    assert not local.socketio.server.eio.sockets


def test_a_poll_that_comes_before_that_is_noticed_is_refused_too(
    local: LocalServer, dial: Dial
) -> None:
    client = dial(local)
    sock = client.wait()
    with stopped(local):
        sock.close()
        assert client.poll().status == 400
    local.record.wait_for("disconnect", client.sio_sid, "transport error")


def test_what_was_woken_and_has_gone_is_not_answered(local: LocalServer, dial: Dial) -> None:
    client = dial(local)
    sock = client.wait()
    environ = {PARKED: client.session._polling}
    with stopped(local):
        client.send("too late")
        local.transport.parking.leave(environ)
    sock.close()
    assert client.poll().status == 400
    until(lambda: client.session.closed)
    assert client.session.queue.nbytes == 0


def test_a_second_poll_ends_the_session_and_the_first(local: LocalServer, dial: Dial) -> None:
    client = dial(local)
    sock = client.wait()
    refused = client.poll()
    assert (refused.status, "Two polls" in refused.text) == (400, True)
    assert read(sock).text == "1", "the packet that ends a session"
    assert client.poll().status == 400


def test_who_says_goodbye_gets_its_poll_back(local: LocalServer, dial: Dial) -> None:
    client = dial(local)
    sock = client.wait()
    assert client.post("1").status == 200
    assert read(sock).text == "6"
    assert client.poll().status == 400
    assert not local.socketio.server.eio.sockets


def test_a_session_that_the_server_ends_tells_the_poll(local: LocalServer, dial: Dial) -> None:
    client = dial(local)
    sock = client.wait()
    client.send("last words")
    client.session.close(wait=False)
    texts = read(sock).text.split("\x1e")
    texts += client.poll().text.split("\x1e") if texts[-1] != "1" else []
    assert texts[0] == "4last words"


def test_a_heartbeat_reaches_a_poll_and_without_a_pong_the_next_is_ended(
    start_local: StartLocal, dial: Dial
) -> None:
    server = start_local(ping_interval=0.3, ping_timeout=0.3, monitor_clients=False)
    client = dial(server)
    assert read(client.begin()).text == "2"
    assert read(client.begin()).text == "1", "it was there before the heartbeat was overdue"
    assert client.session.closed


def test_a_pong_lets_a_poll_wait_on(start_local: StartLocal, dial: Dial) -> None:
    server = start_local(ping_interval=0.2, ping_timeout=0.6, monitor_clients=False)
    client = dial(server)
    for _ in range(5):
        assert read(client.begin()).text == "2"
        assert client.post("3").status == 200


def test_an_upgrade_ends_the_poll_and_takes_what_waits(
    local: LocalServer, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = dial(local)
    sock = client.wait()
    ws = RawWebSocket(local.port, sid=client.sid)
    ws.send("2probe")
    assert read(sock).text == "6"
    assert client.poll().text == "6", "come again"
    monkeypatch.setattr(polling, "UPGRADE_SECONDS", PATIENCE)
    waits = client.wait()
    client.send("kept for the WebSocket")
    ws.send("5")
    assert read(waits).status == 400, "it has a WebSocket"
    messages = ws.messages()
    assert next(messages) == "3probe"
    assert next(messages) == "4kept for the WebSocket"
    assert client.poll().status == 400
    ws.close()


def test_an_upgrade_that_comes_to_nothing_leaves_it_polling(local: LocalServer, dial: Dial) -> None:
    client = dial(local)
    sock = client.wait()
    ws = RawWebSocket(local.port, sid=client.sid)
    ws.send("2probe")
    assert read(sock).text == "6"
    ws.close()
    until(lambda: not client.session.upgrading)
    sock = client.wait()
    client.send("on and on")
    assert read(sock).text == "4on and on"


def test_a_page_of_another_origin_may_read_the_answer(start_local: StartLocal, dial: Dial) -> None:
    page, asked = "https://page.example", []

    def admits(origin: str | None) -> bool:
        asked.append(threading.current_thread())
        return origin in (None, page)

    server = start_local()
    server.socketio.server.eio.cors_allowed_origins = admits
    client = dial(server, headers=f"Origin: {page}\r\n")
    sock = client.wait()
    asked.clear()
    client.send("x")
    headers = read(sock).headers
    assert headers["access-control-allow-origin"] == page
    assert headers["access-control-allow-credentials"] == "true"
    assert not asked, "a user's code does not run in the reactor's thread"
    refused = client.poll(more="Origin: https://other.example\r\n")
    assert refused.status == 400


def test_a_large_answer_is_compressed_and_for_jsonp_wrapped(local: LocalServer, dial: Dial) -> None:
    client = dial(local)
    sock = client.wait(more="Accept-Encoding: br, gzip;q=0.5\r\n")
    client.send("x" * 100_000)
    answer = read(sock)
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b"4" + b"x" * 100_000
    client.query += "&j=7"
    sock = client.wait()
    client.send('a "word"')
    assert read(sock).text == '___eio[7]("4a \\"word\\"");'


def test_who_reads_slowly_holds_no_thread_and_gets_all(local: LocalServer, dial: Dial) -> None:
    client = dial(local, receive=4096)
    account = client.session.account = Account()
    sock = client.wait()
    client.send("x" * 900_000)
    until(lambda: account.count(Kind.OUTGOING))
    assert not request_threads()
    assert not client.session._polling, "its next poll may come"
    assert len(read(sock).text) == 900_001
    until(lambda: account.total == 0)


def test_who_takes_nothing_of_its_answer_is_closed(start_local: StartLocal, dial: Dial) -> None:
    server = start_local(Bounds(stall=0.2))
    client = dial(server, receive=4096)
    account = client.session.account = Account()
    sock = client.wait()
    client.send("x" * 900_000)
    until(lambda: account.count(Kind.OUTGOING))
    until(lambda: account.total == 0)
    with pytest.raises(ConnectionResetError):  # noqa: PT012 (what had come first)
        while sock.recv(65_536):
            pass


def test_who_goes_on_sending_behind_its_poll_is_closed(local: LocalServer, dial: Dial) -> None:
    client = dial(local)
    sock = client.wait()
    with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 (it takes some)
        for _ in range(1000):
            sock.sendall(b"x" * 65_536)
    until(lambda: client.session.closed)


def test_where_there_is_no_descriptor_it_waits_in_its_thread(
    local: LocalServer, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = dial(local)

    def fail(_raw: socket.socket) -> socket.socket:
        raise OSError("too many open files")

    monkeypatch.setattr(handed_poll, "steal", fail)
    sock = client.begin()
    until(lambda: client.session._polling is True)
    client.send("all the same")
    answer = read(sock)
    assert answer.text == "4all the same"


@pytest.mark.parametrize("why", ["a middleware", "a body", "HTTP/2"])
def test_what_cannot_be_handed_off_waits_in_its_thread(
    local: LocalServer, dial: Dial, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    client = dial(local)
    handle = local.socketio.server.eio.handle_request

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if why == "a middleware":
            return handle(environ, lambda *answer: start_response(*answer))  # noqa: PLW0108
        changed = {"CONTENT_LENGTH": "1"} if why == "a body" else {"SERVER_PROTOCOL": "HTTP/2.0"}
        return handle({**environ, **changed}, start_response)

    monkeypatch.setattr(local.socketio.server.eio, "handle_request", serve)
    sock = client.begin()
    until(lambda: client.session._polling is True)
    client.send("all the same")
    assert read(sock).text == "4all the same"


# What a server asks that lets requests wait itself.


def environ(client: Client, query: str = "", /, **more: Any) -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "QUERY_STRING": client.query + query, **more}


NO_POLLS: list[tuple[str, dict[str, Any]]] = [
    ("", {"REQUEST_METHOD": "POST"}),
    ("", {"REQUEST_METHOD": "HEAD"}),
    ("", {"QUERY_STRING": ""}),
    ("", {"QUERY_STRING": "EIO=4&transport=polling"}),
    ("", {"QUERY_STRING": "EIO=4&transport=polling&sid=nobody"}),
    ("&j=x", {}),
    ("", {"HTTP_ORIGIN": "https://elsewhere.example"}),
    ("", {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"}),
    ("", {"HTTP_UPGRADE": "websocket"}),
    ("", {"QUERY_STRING": None}),
]


def test_a_request_is_parked_only_if_it_is_a_poll_that_has_to_wait(
    local: LocalServer, dial: Dial, subtests: pytest.Subtests
) -> None:
    client, parking, woken = dial(local), local.transport.parking, []
    for query, more in NO_POLLS:
        with subtests.test(f"{query} {more}"):
            asked = environ(client, query, **more)
            assert not parking.park(asked, lambda: woken.append(True))
            assert PARKED not in asked
    client.send("there is something")
    assert not parking.park(environ(client), lambda: woken.append(True))
    assert client.poll().text == "4there is something"
    assert not client.session._polling
    assert woken == []


def test_a_parked_request_is_woken_once_and_answered_by_the_application(
    local: LocalServer, dial: Dial
) -> None:
    client, parking, woken = dial(local), local.transport.parking, []
    asked = environ(client, wsgi_input="the server's")
    assert parking.park(asked, lambda: woken.append(True))
    assert not parking.park(environ(client), lambda: None), "a second one is refused"
    client.send("a")
    client.send("b")
    assert woken == [True]
    assert serve(local, asked) == ("200 OK", "4a\x1e4b")
    parking.leave(asked)
    assert not client.session._polling, "it was answered before"
    given = environ(client)
    assert parking.park(given, lambda: woken.append(True))
    parking.give_back(given)
    assert PARKED not in given
    client.send("c")
    assert woken == [True]
    again = environ(client)
    assert not parking.park(again, lambda: None)
    assert serve(local, {**again, "wsgi.input": None})[1] == "4c"


def serve(local: LocalServer, environ: dict[str, Any]) -> tuple[str, str]:
    """Have the application answer; return status and body."""
    begun: list[Any] = []
    body = b"".join(
        local.socketio.server.eio.handle_request(environ, lambda *answer: begun.append(answer))
    )
    return begun[0][0], body.decode()


def test_a_thread_that_must_not_wait_answers_what_cannot_be_parked(
    local: LocalServer, dial: Dial
) -> None:
    """One with another Origin than its session's, say: Engine.IO has to be asked about that."""
    client = dial(local)
    odd = {**environ(client, HTTP_UPGRADE="h2c"), THREADLESS: True}
    assert serve(local, odd) == ("200 OK", "6")
    assert not client.session._polling
    client.send("x")
    assert serve(local, odd) == ("200 OK", "4x")


def test_what_fails_while_it_is_parked_is_for_the_application_to_tell(
    local: LocalServer, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    client = dial(local)

    class Broken(Parking):
        def _session_of(self, environ: dict[str, Any]) -> Any:
            raise RuntimeError("broken")

    assert not Broken(None, local.transport.parking._pace).park(environ(client), lambda: None)
    assert "a poll could not be parked" in caplog.text
