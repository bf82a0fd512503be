"""Stopping, dropping and coming back, over real sockets."""

from __future__ import annotations

import random

import pytest

from tests.conftest import Connect, StartServer
from tests.live.streams import CLUSTERS, chars, finish, named, sha256, start
from tests.sources.waiting import wait_until
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream.loggable import fingerprint

pytestmark = pytest.mark.live


def test_stop_seals_the_text(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    stream = start(client, {"text": "x" * 10_000, "rate": 100})
    client.wait_for_event("new_char", count=10)
    answer = client.call("stop_stream", {"id": stream["id"]})
    end = finish(client)
    assert end["reason"] == "stopped"
    assert answer["offset"] == end["offset"] == len(chars(client))
    assert end["text_sha256"] == sha256(client.text)
    replay = sio(server)
    assert replay.call("resume_stream", {"id": stream["id"], "offset": 0, "rate": 0})["ok"]
    finish(replay)
    assert replay.text == client.text


def test_stop_without_an_id_stops_the_connections_own(server: RunningServer, sio: Connect) -> None:
    client, other = sio(server), sio(server)
    own = [start(client, {"text": "x" * 9000, "rate": 50, "format": "chunk"}) for _ in range(2)]
    start(other, {"text": "y" * 100, "rate": 200})
    answer = client.call("stop_stream")
    assert set(answer["stopped"]) == {stream["id"] for stream in own}
    client.wait_for_event("stream_end", count=2)
    assert finish(other)["reason"] == "completed"
    assert client.call("stop_stream") == {"ok": True, "offset": 0, "stopped": {}}


def test_all_viewers_are_told_the_same_end(server: RunningServer, sio: Connect) -> None:
    first, second = sio(server), sio(server)
    stream = start(first, {"text": "x" * 10_000, "rate": 200})
    first.wait_for_event("new_char", count=20)
    assert second.call("resume_stream", {"id": stream["id"], "offset": 0, "rate": 10})["ok"]
    second.wait_for_event("new_char")
    assert second.call("stop_stream", named(stream))["ok"]
    assert finish(first) == finish(second)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_after_any_cut_the_text_is_exact(
    server: RunningServer, sio: Connect, transport: str
) -> None:
    rng = random.Random(20)
    text = "".join(rng.choice(CLUSTERS) for _ in range(400))
    client = sio(server, (transport,))
    stream = start(client, {"text": text, "rate": 1000})
    got: list[str] = []
    for _ in range(6):
        wanted = rng.randint(1, 60)
        client.wait_for_event("new_char", count=wanted)
        client.close()
        got += chars(client)
        client = sio(server, (transport,))
        answer = client.call("resume_stream", {"id": stream["id"], "offset": len(got)})
        assert answer["ok"], answer
        assert answer["recovered"]
        assert answer["stream"]["offset"] == len(got)
    end = finish(client)
    got += chars(client)
    assert "".join(got) == text
    assert end["text_sha256"] == sha256(text)


def test_what_was_sent_before_the_cut_comes_at_once(
    start_server: StartServer, sio: Connect
) -> None:
    server = start_server()
    client = sio(server)
    stream = start(client, {"text": "x" * 400 + "y" * 400, "rate": 400})
    client.wait_for_event("new_char", count=400)
    client.close()
    back = sio(server)
    # At one a second the first four hundred would take minutes.
    answer = back.call("resume_stream", {"id": stream["id"], "offset": 0, "rate": 1})
    assert answer["ok"]
    back.wait_for_event("new_char", count=400, timeout=patient(5))
    assert back.call("stop_stream", named(stream))["ok"]


def test_a_stream_without_readers_expires(start_server: StartServer, sio: Connect) -> None:
    endless = "endless=tests.client.sources_for_tests:endless"
    # Hardly ahead of its reader: what there is, is read one by one at the end.
    server = start_server("--grace", "0.2", "--lookahead", "100", "--sources", endless)
    client = sio(server)
    stream = start(client, {"source": "endless", "prompt": "go"})
    client.wait_for_event("new_char")
    client.close()
    log = server.wait_for_log(lambda text: "reason=expired" in text)
    assert fingerprint(stream["id"]) in log
    back = sio(server)
    assert back.call("resume_stream", {"id": stream["id"], "offset": 0, "rate": 0})["ok"]
    assert finish(back)["reason"] == "expired"


def test_an_ended_stream_is_forgotten(start_server: StartServer, sio: Connect) -> None:
    server = start_server("--retention", "0")
    client = sio(server)
    stream = start(client, {"text": "short", "rate": 0})
    finish(client)
    # The end is told before the stream is forgotten, so ask until it is: some round trips.
    answers = (client.call("stop_stream", {"id": stream["id"]}) for _ in range(1000))
    assert any(answer.get("error", {}).get("code") == "unknown_stream" for answer in answers)


def test_shutdown_tells_every_reader(start_server: StartServer, sio: Connect) -> None:
    server = start_server()
    clients = [sio(server, (transport,)) for transport in ("websocket", "polling")]
    for client in clients:
        start(client, {"text": "x" * 10_000, "rate": 100})
        client.wait_for_event("new_char", count=5)
    assert server.stop() == 0
    for client in clients:
        end = finish(client)
        assert end["reason"] == "shutdown"
        assert end["text_sha256"] == sha256(client.text)


def test_a_stream_that_is_cancelled_with_its_reader(server: RunningServer, sio: Connect) -> None:
    owner, other = sio(server), sio(server)
    stream = start(owner, {"text": "x" * 9000, "rate": 10, "on_disconnect": "cancel"})
    owner.wait_for_event("new_char", count=5)
    seen = other.call("describe_stream", {"id": stream["id"]})["stream"]
    assert (seen["state"], seen["readers"], seen["reason"]) == ("held", 1, None)
    owner.close()
    wait_until(
        lambda: other.call("describe_stream", {"id": stream["id"]})["stream"]["state"] == "ended"
    )
    assert other.call("resume_stream", {"id": stream["id"], "offset": 0, "rate": 0})["ok"]
    end = finish(other)
    assert end["reason"] == "expired"
    assert end["text_sha256"] == sha256(other.text)
    answer = other.call("describe_stream", {"id": "none"})
    assert answer["error"]["code"] == "unknown_stream"
