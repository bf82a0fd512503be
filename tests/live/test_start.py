"""Starting a stream over real sockets: what plain and demanding clients get."""

from __future__ import annotations

import pytest
import regex

from tests.conftest import Connect
from tests.live.streams import CLUSTERS, chars, finish, sha256, start
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream.sources.text import SAMPLE_TEXT

pytestmark = pytest.mark.live

TRANSPORTS = [("websocket",), ("polling",), ("polling", "websocket")]


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_plain_client_gets_the_built_in_text(
    server: RunningServer, sio: Connect, transports: tuple[str, ...]
) -> None:
    client = sio(server, transports)
    client.emit("start_stream", {"rate": 300})
    end = finish(client)
    assert chars(client) == regex.findall(r"\X", SAMPLE_TEXT)
    assert end["text_sha256"] == sha256(SAMPLE_TEXT)
    assert end["reason"] == "completed"


def test_nothing_is_the_built_in_text(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    client.emit("start_stream")
    info = client.wait_for_event("stream_start").data
    assert info == {**info, "source": "text", "unit": "char", "rate": 30, "format": "char"}
    client.wait_for_event("new_char", count=20)
    assert SAMPLE_TEXT.startswith(client.text)


def test_a_string_is_the_text(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    client.emit("start_stream", "这是一段要逐步返回的文字")
    finish(client)
    assert chars(client) == list("这是一段要逐步返回的文字")


def test_no_cluster_is_cut(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    start(client, {"text": "".join(CLUSTERS), "rate": 1000})
    finish(client)
    assert chars(client) == CLUSTERS


def test_events_are_in_order(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    start(client, {"text": "abc", "rate": 0})
    finish(client)
    names = [event.name for event in client.events]
    assert names == ["stream_start", "new_char", "new_char", "new_char", "stream_end"]


def test_empty_text_ends_at_once(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    start(client, "")
    assert finish(client)["offset"] == 0


@pytest.mark.parametrize(
    ("unit", "units"), [("char", 13), ("word", 3), ("token", None)], ids=["char", "word", "token"]
)
def test_units_join_to_the_text(
    server: RunningServer, sio: Connect, unit: str, units: int | None
) -> None:
    text = "one two three"
    client = sio(server)
    start(client, {"text": text, "unit": unit, "rate": 0})
    end = finish(client)
    assert client.text == text
    assert units in {None, end["offset"]}


def test_chunks_carry_exact_positions(server: RunningServer, sio: Connect) -> None:
    text = "".join(CLUSTERS) * 50
    client = sio(server)
    start(client, {"text": text, "format": "chunk", "rate": 2000})
    end = finish(client)
    position, assembled = 0, ""
    for event in client.named("stream_chunk"):
        assert event.data["offset"] == position
        position = event.data["next"]
        assembled += event.data["text"]
    assert (position, assembled) == (end["offset"], text)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_what_is_due_at_once_comes_in_as_few_chunks_as_there_is_room_for(
    server: RunningServer, sio: Connect, transport: str
) -> None:
    client = sio(server, (transport,))
    families, ideographs = "👨‍👩‍👧‍👦" * 12, "字" * 10_000
    start(client, {"text": families, "format": "chunk", "rate": 0})
    finish(client)
    assert [event.data["text"] for event in client.named("stream_chunk")] == [families]
    start(client, {"text": ideographs, "format": "chunk", "rate": 0})
    client.wait_for_event("stream_end", count=2)
    chunks = [event.data["text"] for event in client.named("stream_chunk")[1:]]
    assert "".join(chunks) == ideographs
    # 64, 128, … 2,048, and what is left in a burst of the window each: nine. A client that is slow
    # has more room than there is text when it comes, and gets a few more.
    assert len(chunks) <= 30


def test_several_chunk_streams_on_one_connection(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    texts = {
        start(client, {"text": letter * 100, "format": "chunk", "rate": 200})["id"]: letter * 100
        for letter in "abcd"
    }
    client.wait_for_event("stream_end", count=4)
    assembled = dict.fromkeys(texts, "")
    for event in client.named("stream_chunk"):
        assembled[event.data["id"]] += event.data["text"]
    assert assembled == texts


def test_another_char_stream_replaces_the_first(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    first = start(client, {"text": "a" * 1000, "rate": 200})
    client.wait_for_event("new_char", count=3)
    second = start(client, {"text": "b" * 20, "rate": 0})
    client.wait_for_event("stream_end", count=2)
    names = [e.name for e in client.events if e.name != "new_char"]
    assert names == ["stream_start", "stream_end", "stream_start", "stream_end"]
    ends = [event.data for event in client.named("stream_end")]
    assert [(e["id"], e["reason"]) for e in ends] == [
        (first["id"], "replaced"),
        (second["id"], "completed"),
    ]
    # Every character before the first end is of the first stream, and its end tells how many.
    assert client.text == "a" * ends[0]["offset"] + "b" * 20
    assert ends[0]["text_sha256"] == sha256("a" * ends[0]["offset"])


def test_the_same_request_id_starts_once(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    payload = {"text": "once", "rate": 0, "request_id": "41b4a0de-9f9a-4d4e-8a3b-0a4f5f6b7c11"}
    first = start(client, payload)
    finish(client)
    assert start(client, payload)["id"] == first["id"]


def test_a_short_request_id_is_the_connections_own(server: RunningServer, sio: Connect) -> None:
    payload = {"text": "mine", "rate": 0, "request_id": "1"}
    client = sio(server)
    assert start(client, payload)["id"] == start(client, payload)["id"]
    assert start(sio(server), payload)["id"] != start(client, payload)["id"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_unpaced_text_arrives_complete(server: RunningServer, sio: Connect, transport: str) -> None:
    size = 500_000 if transport == "websocket" else 20_000
    text = ("0123456789" * (size // 10))[:size]
    client = sio(server, (transport,))
    start(client, {"text": text, "rate": 0, "format": "chunk"})
    finish(client, timeout=patient(60))
    assert "".join(event.data["text"] for event in client.named("stream_chunk")) == text


def test_unpaced_characters_arrive_complete(server: RunningServer, sio: Connect) -> None:
    # Not more of them: python-socketio starts a thread for each event, and on a busy machine that
    # client is too slow for the server, which closes it.
    client = sio(server)
    start(client, {"text": "xyz" * 1_000, "rate": 0})
    finish(client, timeout=patient(60))
    assert client.text == "xyz" * 1_000
