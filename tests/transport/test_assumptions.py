"""Pins what our transport assumes about others. An upgrade that breaks it fails here.

Where one of these fails after an upgrade, look at what its message names, and compare it with
``textstream/transport/``: ``driver.py`` for Engine.IO's dictionary and tasks, ``session_queue.py``
for its polls, ``peer.py`` for its session, ``handoff.py`` for the WSGI servers' sockets.
"""

from __future__ import annotations

import importlib
import inspect
import queue
import threading
from collections.abc import Iterator
from itertools import chain
from typing import Any

import engineio
import gunicorn.http.wsgi
import gunicorn.workers.gthread
import pytest
import simple_websocket
import socketio
import werkzeug.serving
from engineio import packet, payload
from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI
from engineio.base_server import BaseServer
from engineio.server import Server as EngineServer
from engineio.socket import Socket
from wsproto.frame_protocol import FrameProtocol, ParseFailed

from textstream.transport import install
from textstream.transport.session_queue import MAX_POLL_PACKETS, SessionQueue


@pytest.fixture
def server() -> Iterator[socketio.Server]:
    made = socketio.Server(async_mode="threading")
    transport = install(made)
    assert transport
    yield made
    transport.close()


# Engine.IO: the dictionary and the tasks


def test_the_driver_of_the_threading_mode_is_the_dictionary_we_know() -> None:
    driver = importlib.import_module("engineio.async_drivers.threading")._async
    assert set(driver) == {"thread", "queue", "queue_empty", "event", "websocket", "sleep"}, (
        "Engine.IO's threading driver has other entries now: see base_server.py for their use"
    )
    assert driver["queue"] is queue.Queue
    assert driver["queue_empty"] is queue.Empty
    assert driver["websocket"] is SimpleWebSocketWSGI


def test_our_driver_belongs_to_one_server_and_changes_three_entries(
    server: socketio.Server,
) -> None:
    stock = importlib.import_module("engineio.async_drivers.threading")._async
    ours = server.eio._async
    changed = {key for key in stock if ours[key] is not stock[key]}
    assert changed == {"thread", "queue", "websocket"}
    assert set(ours) == set(stock)
    other = socketio.Server(async_mode="threading")
    assert other.eio._async is stock, "other servers in this process keep the stock driver"


def test_in_another_async_mode_nothing_is_changed(caplog: pytest.LogCaptureFixture) -> None:
    class Wrapper:  # as a server in another mode
        class eio:  # noqa: N801 (python-socketio's name)
            async_mode = "gevent"

    assert install(Wrapper) is None
    assert "gevent" in caplog.text


def test_every_session_gets_our_queue(server: socketio.Server) -> None:
    session = Socket(server.eio, "sid")
    assert type(session.queue) is SessionQueue, (
        "Engine.IO makes a session's queue in another way now: see base_socket.py"
    )
    assert session.queue.connection is None


def test_tasks_are_told_apart_by_their_functions_names() -> None:
    assert "self.server.start_background_task(self._send_ping)" in inspect.getsource(Socket), (
        "heartbeats start in another way now: see HeartbeatSocket.schedule_ping"
    )
    assert "self._handle_event_internal" in inspect.getsource(socketio.Server._handle_event), (
        "asynchronous events start in another way now: see Transport.task"
    )
    assert "self._async['thread'](target=target, args=args, kwargs=kwargs)" in inspect.getsource(
        EngineServer.start_background_task
    )


def test_a_ping_is_sent_as_engine_io_sends_it() -> None:
    source = inspect.getsource(Socket._send_ping)
    for line in (
        "self.server.sleep(self.server.ping_interval)",
        "if not self.closing and not self.closed:",
        "self.last_ping = time.time()",
        "self.send(packet.Packet(packet.PING))",
    ):
        assert line in source, "HeartbeatSocket.schedule_ping does the same with a timer: compare"


def test_a_session_has_what_the_peer_sets(server: socketio.Server) -> None:
    session = Socket(server.eio, "sid")
    for attribute in ("connected", "upgraded", "upgrading", "closing", "closed", "last_ping"):
        assert hasattr(session, attribute), f"Engine.IO's session has no {attribute} any more"
    assert BaseServer.reason.TRANSPORT_CLOSE == "transport close"


def test_the_websocket_handler_is_bound_to_its_session(server: socketio.Server) -> None:
    session = Socket(server.eio, "sid")
    handler = session._websocket_handler
    assert inspect.ismethod(handler), "the driver finds the session through the handler"
    assert handler.__self__ is session
    source = inspect.getsource(Socket._upgrade_websocket)
    assert "self._async['websocket']" in source.replace("self.server._async", "self._async")


# What is hardened


def test_all_requests_come_through_the_method_that_is_wrapped() -> None:
    assert "self.eio.handle_request(environ, start_response)" in inspect.getsource(
        socketio.Server.handle_request
    ), "requests reach Engine.IO in another way now: see hardening.py"
    assert "self.engineio_app.handle_request(environ, start_response)" in inspect.getsource(
        engineio.WSGIApp
    )


def test_a_session_is_in_the_table_when_its_connect_handler_is_called() -> None:
    source = inspect.getsource(EngineServer._handle_connect)
    entered = source.index("self.sockets[sid] = s")
    assert entered < source.index("self._trigger_event('connect', sid, environ"), (
        "Engine.IO enters a session later now: see sessions.py"
    )
    assert entered < source.index("s.send(pkt)"), "the OPEN packet is corrected by Session.send"
    assert "self.handlers[event](*args)" in inspect.getsource(EngineServer._trigger_event)


def test_a_polling_request_is_handled_as_engine_io_handles_it() -> None:
    source = inspect.getsource(Socket.handle_post_request)
    for line in (
        "if length > self.server.max_http_buffer_size:",
        "raise exceptions.ContentTooLongError()",
        "body = environ['wsgi.input'].read(length).decode('utf-8')",
        "p = payload.Payload(encoded_payload=body)",
        "self.receive(pkt)",
    ):
        assert line in source, "Session.handle_post_request does the same: compare"
    assert "len(encoded_packets) > self.max_decode_packets" in inspect.getsource(payload.Payload)


def test_messages_are_dispatched_as_python_socketio_dispatches_them() -> None:
    source = inspect.getsource(socketio.Server._handle_eio_message)
    for line in (
        "if eio_sid in self._binary_packet:",
        "pkt.add_attachment(data)",
        "self.packet_class(encoded_packet=data)",
        "self._handle_connect(eio_sid, pkt.namespace, pkt.data)",
        "self._handle_disconnect(eio_sid, pkt.namespace,",
        "self._handle_event(eio_sid, pkt.namespace, pkt.id, pkt.data)",
        "self._handle_ack(eio_sid, pkt.namespace, pkt.id, pkt.data)",
    ):
        assert line in source, "Messages in messages.py does the same: compare"
    source = inspect.getsource(socketio.Server._handle_connect)
    for line in ("namespace in self.handlers", "self.namespaces == '*'", "'Unable to connect'"):
        assert line in source, "Messages._is_served tells which namespaces are refused: compare"
    for line in (
        "'connect', namespace, sid, self.environ[eio_sid], None)",
        "fail_reason = exc.error_args",
        "self.manager.disconnect(sid, namespace, ignore_queue=True)",
        "packet.CONNECT, {'sid': sid}, namespace=namespace))\n            self.manager.connect(",
    ):
        assert line in source, "Direct.connect does the same: compare"


def test_what_a_session_is_told_is_what_engine_io_tells_it() -> None:
    source = inspect.getsource(Socket.receive)
    for line in ("self.schedule_ping()", "run_async=self.server.async_handlers"):
        assert line in source, "Session.receive does the same: compare"
    assert "if isinstance(packets, list):" in inspect.getsource(EngineServer.handle_request), (
        "what handle_get_request returns is answered in another way now: see session.py"
    )
    assert "int(" in inspect.getsource(EngineServer._handle_connect).partition("pingInterval")[2]


# Polls


def test_polls_are_taken_from_our_queue_and_answered_as_engine_io_does() -> None:
    for method in (Socket.handle_get_request, EngineServer._handle_connect):
        assert ".poll()" in inspect.getsource(method), "PollingSocket.poll is asked no more"
    source = inspect.getsource(EngineServer.handle_request)
    for line in ("jsonp_index=jsonp_index", "self.http_compression", "'HTTP_ACCEPT_ENCODING'"):
        assert line in source, "Parking.answer does the same: compare"
    assert "'Access-Control-Allow-Origin'" in inspect.getsource(BaseServer._cors_headers)
    for made in (gunicorn.http.wsgi.Response.start_response, werkzeug.serving.WSGIRequestHandler):
        assert made.__qualname__.startswith(("Response.", "WSGIRequestHandler")), (
            "start_response has another name now: see handed_poll.py"
        )


def test_a_poll_never_hands_out_more_packets_than_clients_accept() -> None:
    assert payload.Payload.max_decode_packets >= MAX_POLL_PACKETS, (
        "Engine.IO's own clients accept fewer packets per poll now: lower MAX_POLL_PACKETS"
    )
    packets, polls = SessionQueue(), []
    sent = [packet.Packet(packet.MESSAGE, str(n)) for n in range(100)]
    for one in sent:
        packets.put(one)
    while not packets.empty():
        assert packets.wait(0)
        polls.append(packets.collect())
    assert list(chain.from_iterable(polls)) == sent, "in order, none lost"
    assert max(map(len, polls)) <= MAX_POLL_PACKETS
    assert len(polls) <= 8, "and not one by one either"


def test_the_end_of_a_session_is_not_lost_in_a_full_poll() -> None:
    packets = SessionQueue()
    for n in range(MAX_POLL_PACKETS):
        packets.put(packet.Packet(packet.MESSAGE, str(n)))
    packets.put(None)
    assert packets.wait(0)
    assert len(packets.collect()) == MAX_POLL_PACKETS
    assert packets.wait(0)
    assert packets.collect() == [], "an empty answer is the end"


def test_a_poll_waits_for_the_first_packet_only() -> None:
    packets, late = SessionQueue(), packet.Packet(packet.MESSAGE, "late")
    taken: list[Any] = []

    def take() -> None:
        packets.wait(10)
        taken.extend(packets.collect())

    thread = threading.Thread(target=take)
    thread.start()
    packets.put(late)
    thread.join(10)
    assert taken == [late]
    assert not packets.wait(0.001)


# simple-websocket, wsproto and the WSGI servers


def test_the_handshake_needs_no_thread() -> None:
    parameters = inspect.signature(simple_websocket.Server).parameters
    assert "thread_class" in parameters, "simple-websocket takes no thread class any more"
    source = inspect.getsource(simple_websocket.Server)
    for key in ("werkzeug.socket", "gunicorn.socket"):
        assert key in source, f"simple-websocket finds the socket elsewhere than in {key} now"


def test_a_websocket_ends_its_wsgi_request_with_these_exceptions() -> None:
    source = inspect.getsource(SimpleWebSocketWSGI.__call__)
    assert "raise StopIteration()" in source
    assert "raise ConnectionError()" in source
    assert "except StopIteration" in inspect.getsource(gunicorn.workers.gthread.ThreadWorker.handle)
    assert ConnectionError in werkzeug.serving.connection_dropped_errors or issubclass(
        ConnectionError, werkzeug.serving.connection_dropped_errors
    )


def test_the_wsgi_servers_hand_out_their_sockets() -> None:
    assert '"werkzeug.socket"' in inspect.getsource(werkzeug.serving.WSGIRequestHandler)
    assert '"gunicorn.socket"' in inspect.getsource(gunicorn.http.wsgi)


def test_wsproto_leaves_out_one_close_code() -> None:
    assert "self._process_close(frame)" in inspect.getsource(FrameProtocol._parse_more_gen), (
        "wsproto reads close frames in another way now: see Protocol in frame_fuzz.py"
    )
    client, server = FrameProtocol(True, []), FrameProtocol(False, [])
    server.receive_bytes(bytes(client.close(1014)))
    with pytest.raises(ParseFailed):  # else that is needed no more
        list(server.received_frames())


def test_wsproto_hands_out_a_message_in_the_pieces_that_arrive() -> None:
    client, server = FrameProtocol(True, []), FrameProtocol(False, [])
    data = bytes(client.send_data("x" * 1000))
    server.receive_bytes(data[:500])
    pieces = list(server.received_frames())
    assert pieces, (
        "it waits for a whole frame now: frame_fuzz.py compares it with ours piece by piece"
    )
    assert not pieces[0].frame_finished
