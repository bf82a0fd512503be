"""Leaving a stream that others read: the server counts this reader no longer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client.test_client_faults import QUICK
from tests.client.test_client_link import ScriptedConnection, answer, new_link, receive_all
from tests.client.test_client_live import PATIENCE, ended
from tests.conftest import Connect, StartServer
from tests.live.streams import start
from tests.sources.waiting import wait_until
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from textstream.chaos import ChaosProxy
from textstream.client import StreamClient
from textstream.client.link import Link
from textstream.client.reader import Reader

TEXT = "0123456789" * 1000


def owner_of(server: RunningServer, sio: Connect) -> tuple[RecordingClient, str]:
    """Start a stream that outlasts the test; return its client, which reads it, and its id."""
    client = sio(server)
    return client, str(start(client, {"text": TEXT, "rate": 20})["id"])


def readers(client: RecordingClient, stream_id: str) -> int:
    described: dict[str, Any] = client.call("describe_stream", {"id": stream_id})["stream"]
    return int(described["readers"])


@pytest.mark.live
@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
def test_closing_a_stream_leaves_it_to_its_other_readers(
    text_server: RunningServer, sio: Connect, transports: list[str]
) -> None:
    owner, stream_id = owner_of(text_server, sio)
    with StreamClient(text_server.url, transports=transports) as client:
        stream = client.resume(stream_id)
        next(stream)
        assert readers(owner, stream_id) == 2
        stream.close()
        wait_until(lambda: readers(owner, stream_id) == 1)
        assert list(stream) == []
    arrived = len(owner.named("new_char"))
    owner.wait_for_event("new_char", count=arrived + 5)


@pytest.mark.live
def test_a_stream_whose_reader_is_just_over_is_read_again_at_once(
    text_server: RunningServer,
) -> None:
    """By a thread that is faster than the client's own, which lets go of readers."""
    with StreamClient(text_server.url) as client:
        stream = client.stream(source="text", text="short", rate=0)
        assert "".join(stream) == "short"
        assert stream.id is not None
        client._session._readers.append(Reader(id=stream.id, over=True))
        assert "".join(client.resume(stream.id, 0)) == "short"


@pytest.mark.live
def test_a_stream_that_was_left_expires(start_server: StartServer, sio: Connect) -> None:
    server = start_server("--grace", "0.5")
    owner, stream_id = owner_of(server, sio)
    watcher = sio(server)
    with StreamClient(server.url) as client:
        with client.resume(stream_id) as stream:
            next(stream)
            owner.close()
            wait_until(lambda: readers(watcher, stream_id) == 1)
        ended(server, stream_id, "expired")
    assert server.stop() == 0


@pytest.mark.live
def test_a_stream_of_one_s_own_is_stopped_beside_one_that_is_left(
    text_server: RunningServer, sio: Connect
) -> None:
    owner, stream_id = owner_of(text_server, sio)
    with StreamClient(text_server.url) as client:
        other, own = client.resume(stream_id), client.stream("x", source="endless", rate=10)
        other.close()
        next(own)
        own.close()
        ended(text_server, own.id, "stopped")
        assert readers(owner, stream_id) == 1


@pytest.mark.live
def test_what_was_left_can_be_read_again(text_server: RunningServer, sio: Connect) -> None:
    _owner, stream_id = owner_of(text_server, sio)
    with StreamClient(text_server.url) as client:
        for _ in range(3):
            stream = client.resume(stream_id, rate=0)
            assert next(stream).startswith("0123")
            stream.close()
        again = client.resume(stream_id, rate=0)
        assert "".join(again) == TEXT


@pytest.mark.live
def test_a_stream_that_was_left_while_disconnected_is_not_resumed(
    text_server: RunningServer, sio: Connect
) -> None:
    owner, stream_id = owner_of(text_server, sio)
    with (
        ChaosProxy(text_server.address) as network,
        StreamClient(network.url, reconnect=QUICK) as client,
    ):
        other, stays = client.resume(stream_id), client.stream(text=TEXT, source="text", rate=20)
        assert readers(owner, stream_id) == 2
        network.hold()
        network.cut_all()
        changed, reader = other._session.changed, other._reader
        with changed:
            assert changed.wait_for(lambda: not reader.attached, PATIENCE)
        wait_until(lambda: readers(owner, stream_id) == 1)
        other.close()
        network.release()
        # Resumed after the other, if that were; a connection's requests are handled in order.
        with changed:
            assert changed.wait_for(lambda: stays._reader.attached, PATIENCE)
        assert readers(owner, stream_id) == 1


# Answers and connections in the order that a test wants


def left(link: Link, reader: Reader) -> None:
    """Leave `reader`, as the session does."""
    reader.leave()
    link.leave(reader)


def leaves(connection: ScriptedConnection) -> list[dict[str, Any]]:
    return [payload for event, payload in connection.asked if event == "leave_stream"]


def test_leaving_waits_for_the_answer_that_attaches() -> None:
    reader = Reader(id="s")
    link, connection = new_link(reader)
    left(link, reader)
    assert leaves(connection) == []
    answer(connection, 0, "s")
    assert leaves(connection) == [{"id": "s"}]


def test_leaving_waits_for_the_answer_to_a_second_resume() -> None:
    reader = Reader(id="s")
    link, connection = new_link(reader)
    answer(connection, 0, "s")
    link.attach(reader)
    left(link, reader)
    assert leaves(connection) == []
    answer(connection, 1, "s")
    assert leaves(connection) == [{"id": "s"}]


def test_a_second_resume_that_is_refused_is_left_where_it_was() -> None:
    reader = Reader(id="s")
    link, connection = new_link(reader)
    answer(connection, 0, "s")
    link.attach(reader)
    left(link, reader)
    connection.answers[1](
        {"ok": False, "error": {"code": "offset_gone", "message": "", "first": 9}}
    )
    assert leaves(connection) == [{"id": "s"}]


def test_a_resume_that_is_refused_is_nothing_to_leave() -> None:
    reader = Reader(id="s")
    link, connection = new_link(reader)
    left(link, reader)
    connection.answers[0]({"ok": False, "error": {"code": "unknown_stream", "message": ""}})
    assert leaves(connection) == []


def test_a_late_leave_does_not_take_the_stream_from_who_reads_it_anew() -> None:
    first, second = Reader(id="s"), Reader(id="s")
    readers = [first]
    link, connection = new_link(first)
    link._readers = lambda: [reader for reader in readers if not reader.over]
    left(link, first)
    readers.append(second)
    link.attach(second)
    answer(connection, 0, "s")
    answer(connection, 1, "s")
    assert leaves(connection) == []
    assert second.attached


def test_a_stream_that_has_ended_is_not_left() -> None:
    reader = Reader(id="s")
    link, connection = new_link(reader)
    answer(connection, 0, "s")
    receive_all(link, "s", "abc")
    left(link, reader)
    assert leaves(connection) == []


def test_a_server_that_does_not_know_leaving_is_not_taken_for_gone() -> None:
    """It answers nothing, and the connection goes on for other streams."""
    reader = Reader(id="s")
    link, connection = new_link(reader)
    answer(connection, 0, "s")
    left(link, reader)
    assert leaves(connection) == [{"id": "s"}]
    assert link.deadline is None
