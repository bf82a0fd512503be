"""Polls that wait without a thread: over real sockets, as their WSGI server has let them go."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from typing import Any

import pytest
from engineio.packet import PING, Packet

from tests.transport.conftest import DialPolling, LocalServer, StartLocal
from tests.transport.poll_client import PATIENCE, read, request_threads, stopped, until
from tests.transport.raw import RawWebSocket
from textstream.access.account import Account, Kind
from textstream.transport import handed_poll, handed_post, polling
from textstream.transport.bounds import LARGE, Bounds
from textstream.transport.session import Session
from textstream.transport.waits import PARKED

pytestmark = pytest.mark.live


def test_polls_that_wait_hold_no_threads(local: LocalServer, dial_polling: DialPolling) -> None:
    clients = [dial_polling(local) for _ in range(20)]
    waiting = [client.wait() for client in clients]
    for number, client in enumerate(clients):
        client.send(f"to {number}")
    for number, sock in enumerate(waiting):
        answer = read(sock)
        assert (answer.status, answer.text) == (200, f"4to {number}")
        assert answer.headers["connection"] == "close"
        assert sock.recv(1) == b"", "and it is closed"


def test_what_comes_together_goes_together_up_to_what_clients_accept(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait()
    with stopped(local.transport.reactor):
        for number in range(20):
            client.send(str(number))
    first = read(sock).text.split("\x1e")
    assert first == [f"4{number}" for number in range(16)]
    assert client.poll().text.split("\x1e") == [f"4{number}" for number in range(16, 20)]


def test_a_session_ends_with_the_connection_of_its_poll(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    """As on the reference server: nobody polls again with it, and its readers know at once."""
    client = dial_polling(local)
    client.wait().close()
    local.record.wait_for("disconnect", client.sio_sid, "transport error")
    assert client.poll().status == 400
    until(lambda: not local.socketio.server.eio.sockets)


def test_a_poll_that_comes_before_that_is_noticed_is_refused_too(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait()
    with stopped(local.transport.reactor):
        sock.close()
        assert client.poll().status == 400
    local.record.wait_for("disconnect", client.sio_sid, "transport error")


def test_what_was_woken_and_has_gone_is_not_answered(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait()
    environ = {PARKED: client.session._polling}
    with stopped(local.transport.reactor):
        client.send("too late")
        local.transport.parking.leave(environ)
    sock.close()
    assert client.poll().status == 400
    until(lambda: client.session.closed)
    assert client.session.queue.nbytes == 0


def test_a_second_poll_ends_the_session_and_the_first(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait()
    refused = client.poll()
    assert (refused.status, "Two polls" in refused.text) == (400, True)
    assert read(sock).text == "1", "the packet that ends a session"
    assert client.poll().status == 400


def test_who_says_goodbye_gets_its_poll_back(local: LocalServer, dial_polling: DialPolling) -> None:
    client = dial_polling(local)
    sock = client.wait()
    assert client.post("1").status == 200
    assert read(sock).text == "6"
    assert client.poll().status == 400
    assert not local.socketio.server.eio.sockets


def test_a_session_that_the_server_ends_tells_the_poll(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait()
    client.send("last words")
    client.session.close(wait=False)
    texts = read(sock).text.split("\x1e")
    texts += client.poll().text.split("\x1e") if texts[-1] != "1" else []
    assert texts[0] == "4last words"


def test_a_heartbeat_reaches_a_poll_and_without_a_pong_the_next_is_ended(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    server, client = start_asked(start_local, dial_polling)
    sock, session, parked = client.wait(), client.session, parked_poll(client)
    assert 0 < parked._timer.when - server.transport.reactor.clock() <= 60
    session.ping_due -= 60
    parked._check_heartbeat()
    assert read(sock).text == "1"
    assert session.closed


def test_a_pong_lets_a_poll_wait_on_and_so_does_a_request_that_is_at_work(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    server, client = start_asked(start_local, dial_polling)
    sock, session, parked = client.wait(), client.session, parked_poll(client)
    session.ping_due -= 60
    session._held = True
    parked._check_heartbeat()
    assert parked._timer.callback, "it looks again"
    assert parked._timer.when > server.transport.reactor.clock(), "and not in each turn until then"
    session.hold(False)
    assert client.post("3").status == 200
    parked._check_heartbeat()
    client.send("on and on")
    assert read(sock).text == "4on and on"


def start_asked(start_local: StartLocal, dial_polling: DialPolling) -> tuple[LocalServer, Any]:
    """Return a server, and a client of it that has fetched a ping, and not answered it."""
    server = start_local(ping_interval=60, ping_timeout=60, monitor_clients=False)
    client = dial_polling(server)
    ping(client.session)
    assert client.poll().text == "2"
    return server, client


def ping(session: Session) -> None:
    """Send the heartbeat, as the timer does."""
    session.last_ping, session.ping_due = time.time(), time.monotonic()
    session.send(Packet(PING))


def parked_poll(client: Any) -> Any:
    """Return the poll of a client, which waits."""
    return client.session._polling


def test_an_upgrade_ends_the_poll_and_takes_what_waits(
    local: LocalServer, dial_polling: DialPolling, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = dial_polling(local)
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


def test_an_upgrade_that_comes_to_nothing_leaves_it_polling(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait()
    ws = RawWebSocket(local.port, sid=client.sid)
    ws.send("2probe")
    assert read(sock).text == "6"
    ws.close()
    until(lambda: not client.session.upgrading)
    sock = client.wait()
    client.send("on and on")
    assert read(sock).text == "4on and on"


def test_a_page_of_another_origin_may_read_the_answer(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    page, asked = "https://page.example", []

    def admits(origin: str | None) -> bool:
        asked.append(threading.current_thread())
        return origin in (None, page)

    server = start_local()
    server.socketio.server.eio.cors_allowed_origins = admits
    client = dial_polling(server, headers=f"Origin: {page}\r\n")
    sock = client.wait()
    asked.clear()
    client.send("x")
    headers = read(sock).headers
    assert headers["access-control-allow-origin"] == page
    assert headers["access-control-allow-credentials"] == "true"
    assert not asked, "a user's code does not run in the reactor's thread"
    refused = client.poll(more="Origin: https://other.example\r\n")
    assert refused.status == 400


def test_a_large_answer_is_compressed_and_for_jsonp_wrapped(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait(more="Accept-Encoding: br, gzip;q=0.5\r\n")
    client.send("x" * 100_000)
    answer = read(sock)
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b"4" + b"x" * 100_000
    client.query += "&j=7"
    sock = client.wait()
    client.send('a "word"')
    assert read(sock).text == '___eio[7]("4a \\"word\\"");'


def test_who_reads_slowly_holds_no_thread_and_gets_all(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local, receive=4096)
    account = client.session.account = Account()
    sock = client.wait()
    client.send("x" * 900_000)
    until(lambda: account.count(Kind.OUTGOING))
    assert not request_threads()
    assert not client.session._polling, "its next poll may come"
    assert len(read(sock).text) == 900_001
    until(lambda: account.total == 0)


def test_who_takes_nothing_of_its_answer_is_closed(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    server = start_local(Bounds(stall=0.2))
    client = dial_polling(server, receive=4096)
    account = client.session.account = Account()
    sock = client.wait()
    client.send("x" * 900_000)
    until(lambda: account.count(Kind.OUTGOING))
    until(lambda: account.total == 0)
    with pytest.raises(ConnectionResetError):  # noqa: PT012 (what had come first)
        while sock.recv(65_536):
            pass


def test_who_goes_on_sending_behind_its_poll_is_closed(
    local: LocalServer, dial_polling: DialPolling
) -> None:
    client = dial_polling(local)
    sock = client.wait()
    with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 (it takes some)
        for _ in range(1000):
            sock.sendall(b"x" * 65_536)
    until(lambda: client.session.closed)


def no_descriptor(_raw: socket.socket) -> socket.socket:
    raise OSError("too many open files")


def test_where_there_is_no_descriptor_it_waits_in_its_thread(
    local: LocalServer, dial_polling: DialPolling, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = dial_polling(local)
    monkeypatch.setattr(handed_poll, "steal", no_descriptor)
    sock = client.begin()
    until(lambda: client.session._polling is True)
    client.send("all the same")
    answer = read(sock)
    assert answer.text == "4all the same"


@pytest.mark.parametrize("descriptors", [True, False])
def test_a_post_that_has_to_wait_leaves_its_thread(
    start_local: StartLocal,
    dial_polling: DialPolling,
    monkeypatch: pytest.MonkeyPatch,
    descriptors: bool,
) -> None:
    server = start_local(Bounds(events_per_second=5), async_handlers=False)
    client = dial_polling(server)
    if not descriptors:
        monkeypatch.setattr(handed_post, "steal", no_descriptor)
    body = "\x1e".join(f'42["echo_text","{n}"]' for n in range(8)).encode()
    sock = client.begin("POST", body)
    until(lambda: client.session.queue.watchers._waiting)
    if descriptors:
        until(lambda: not request_threads())
    answer = read(sock)
    assert (answer.status, answer.text) == (200, "ok")
    server.record.wait_for("echoed", 8)
    assert client.post('42["sum"]').status == 200


def test_a_large_body_is_read_in_its_thread_when_it_is_its_turn(
    start_local: StartLocal, dial_polling: DialPolling
) -> None:
    server = start_local(Bounds(large_in_all=1), async_handlers=False)
    client = dial_polling(server)
    ticket = server.transport.turns.enter(client.session.caller, lambda: None)
    sock = client.begin("POST", b'42["echo_text","' + b"x" * LARGE + b'"]')
    until(lambda: client.session._posting)
    ticket.leave()
    assert read(sock).text == "ok"


@pytest.mark.parametrize("why", ["a middleware", "a body", "HTTP/2"])
def test_what_cannot_be_handed_off_waits_in_its_thread(
    local: LocalServer, dial_polling: DialPolling, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    client = dial_polling(local)
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
