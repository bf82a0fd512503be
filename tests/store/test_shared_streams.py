"""Started on one process, read on others: every character, and every event, from any of them."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Connect
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.store import Store
from tests.support.timing import patient

pytestmark = pytest.mark.live

TEXT = "".join(f"{number} 字, 👨‍👩‍👧‍👦 und é.\n" for number in range(60))

KEY = "a client key that nobody guesses"


def start(client: RecordingClient, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.call("start_stream", {"text": TEXT, "format": "chunk", **asked})
    assert answer["ok"], answer
    return answer


def resume(client: RecordingClient, stream_id: str, offset: int = 0, **asked: Any) -> Any:
    return client.call(
        "resume_stream", {"id": stream_id, "offset": offset, "format": "chunk", **asked}
    )


def text_of(client: RecordingClient, first: int = 0) -> str:
    """Return the text of the chunks that came, each where the one before has ended."""
    at, text = first, ""
    for chunk in client.named("stream_chunk"):
        assert chunk.data["offset"] == at
        at, text = chunk.data["next"], text + chunk.data["text"]
    return text


def ending(client: RecordingClient) -> dict[str, Any]:
    return dict(client.wait_for_event("stream_end").data)


def described(client: RecordingClient, stream_id: str) -> dict[str, Any]:
    answer = client.call("describe_stream", {"id": stream_id})
    assert answer["ok"], answer
    return dict(answer["stream"])


def stands_with(stream: dict[str, Any], state: str, readers: int) -> bool:
    return bool(stream["state"] == state and stream["readers"] == readers)


def until(holds: Any, seconds: float = patient(5.0)) -> None:
    """Wait until something is so that nobody tells."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_it_is_read_on_every_process(
    servers: list[RunningServer], sio: Connect, transport: str
) -> None:
    a, b, c = (sio(one, [transport]) for one in servers)
    stream_id = start(a, rate=300)["stream"]["id"]
    assert resume(b, stream_id, rate=0)["ok"]
    a.wait_for(lambda _: len(text_of(a)) > 20)
    assert resume(c, stream_id, 10)["ok"]
    ends = [ending(one) for one in (a, b, c)]
    assert ends[0] == ends[1] == ends[2]
    assert ends[0]["reason"] == "completed"
    assert ends[0]["text_sha256"] == sha256(TEXT)
    assert text_of(a) == text_of(b) == TEXT
    assert TEXT.endswith(text_of(c, 10))


def test_it_can_be_read_again_anywhere_after_its_end(
    servers: list[RunningServer], sio: Connect
) -> None:
    a, b, c = map(sio, servers)
    stream_id = start(a, rate=0)["stream"]["id"]
    ending(a)
    for one in (b, c):
        assert resume(one, stream_id, rate=0)["ok"]
        assert ending(one)["text_sha256"] == sha256(TEXT)
        assert text_of(one) == TEXT
    assert described(c, stream_id)["state"] == "ended"


def test_an_id_that_no_process_knows_is_unknown_on_all(
    servers: list[RunningServer], sio: Connect
) -> None:
    for server in servers:
        client = sio(server)
        for wrong in ("nothing like it", "00" + "x" * 22):
            assert resume(client, wrong)["error"]["code"] == "unknown_stream"


def test_what_is_not_deterministic_is_the_same_for_all(
    servers: list[RunningServer], sio: Connect
) -> None:
    a, b, c = map(sio, servers)
    answer = a.call("start_stream", {"source": "drip", "prompt": "40", "format": "chunk"})
    stream_id = answer["stream"]["id"]
    assert resume(b, stream_id)["ok"]
    assert resume(c, stream_id)["ok"]
    ends = [ending(one) for one in (a, b, c)]
    assert ends[0] == ends[1] == ends[2]
    assert text_of(a) == text_of(b) == text_of(c)
    assert sha256(text_of(a)) == ends[0]["text_sha256"]


def test_one_process_pauses_the_others_go_on(servers: list[RunningServer], sio: Connect) -> None:
    a, b, c = map(sio, servers)
    stream_id = start(a, text="x" * 100_000, rate=200)["stream"]["id"]
    assert resume(b, stream_id)["ok"]
    assert b.call("pause_stream", {"id": stream_id})["ok"]
    stands = len(text_of(b))
    before = len(text_of(a))
    a.wait_for(lambda _: len(text_of(a)) > before + 100)
    assert len(text_of(b)) == stands
    assert resume(c, stream_id, rate=0)["ok"]  # the fastest
    assert c.call("set_rate", {"id": stream_id, "rate": 50})["ok"]
    for one in (a, c):
        assert one.call("pause_stream", {"id": stream_id})["ok"]
    for one in (a, b, c):
        until(lambda one=one: stands_with(described(one, stream_id), "held", 3))
    assert a.call("leave_stream", {"id": stream_id})["ok"]
    for one in (b, c):
        until(lambda one=one: described(one, stream_id)["readers"] == 2)
    there = described(b, stream_id)["next"]
    assert c.call("set_rate", {"id": stream_id, "rate": 5000})["ok"]
    assert c.call("continue_stream", {"id": stream_id})["ok"]
    until(lambda: described(b, stream_id)["next"] > there + 2048)
    assert a.call("stop_stream", {"id": stream_id})["ok"]


@pytest.mark.parametrize("by", [0, 1])
def test_it_is_stopped_from_anywhere(servers: list[RunningServer], sio: Connect, by: int) -> None:
    clients = [sio(servers[number % 3]) for number in range(30)]
    started = start(clients[0], text="字x" * 50_000, rate=300)
    stream_id, key = started["stream"]["id"], started["key"]
    for number, client in enumerate(clients[1:]):
        assert resume(client, stream_id, number, rate=100 + 10 * number)["ok"]
    clients[-1].wait_for(lambda _: len(text_of(clients[-1], 28)) > 200)
    begun = time.perf_counter()
    answer = clients[by].call("stop_stream", {"id": stream_id, "key": key})
    assert answer["ok"], answer
    ends = [client.wait_for_event("stream_end") for client in clients]
    assert max(end.at for end in ends) - begun < patient(0.5)
    told = ends[0].data
    assert all(end.data == told for end in ends)
    assert told["reason"] == "stopped"
    firsts = [0, *range(29)]
    behind = [
        first + len(text_of(client, first)) for first, client in zip(firsts, clients, strict=True)
    ]
    assert told["offset"] == answer["offset"] == max(behind)
    reader = sio(servers[2])
    assert resume(reader, stream_id, rate=0)["ok"]
    assert ending(reader) == told
    assert sha256(text_of(reader)) == told["text_sha256"]
    assert len(text_of(reader)) == told["offset"]


def test_an_offset_that_there_never_was_is_refused_at_once(
    servers: list[RunningServer], sio: Connect
) -> None:
    a = sio(servers[0])
    stream_id = start(a, rate=100)["stream"]["id"]
    for server in servers:
        begun = time.perf_counter()
        answer = resume(sio(server), stream_id, 1_000_000)
        assert answer["error"]["code"] == "invalid_request"
        assert time.perf_counter() - begun < patient(1.0)


def test_controls_of_what_is_not_read_here_wait_for_nobody(
    servers: list[RunningServer], sio: Connect, store: Store
) -> None:
    stream_id = start(sio(servers[0]), rate=100)["stream"]["id"]
    other = sio(servers[1])
    store.ask("CONFIG", "RESETSTAT")
    for _ in range(20):
        answer = other.call("set_rate", {"id": stream_id, "rate": 1})
        assert answer["error"]["code"] == "unknown_stream"
    assert "cmdstat_hgetall" not in store.ask("INFO", "commandstats")


def test_only_who_owns_it_stops_it(servers: list[RunningServer], sio: Connect) -> None:
    a = sio(servers[0])
    stream_id = start(a, rate=100)["stream"]["id"]
    stranger = sio(servers[1])
    answer = stranger.call("stop_stream", {"id": stream_id})
    assert answer["error"]["code"] == "forbidden"
    wrong = stranger.call("stop_stream", {"id": stream_id, "key": "x" * 22})
    assert wrong["error"]["code"] == "forbidden"
    assert described(a, stream_id)["state"] in {"producing", "held", "produced"}


def test_sharing_is_known_on_every_process(servers: list[RunningServer], sio: Connect) -> None:
    a, b, c = map(sio, servers)
    started = start(a, rate=50)
    stream_id, key = started["stream"]["id"], started["key"]
    assert resume(b, stream_id)["ok"]
    assert resume(c, stream_id, key=key)["ok"]
    shared = c.call("share_stream", {"id": stream_id})
    assert shared["ok"], shared
    guest = sio(servers[1])
    until(lambda: resume(sio(servers[1]), stream_id).get("error", {}).get("code") == "forbidden")
    assert resume(guest, stream_id, grant=shared["grant"])["ok"]
    assert c.call("unshare_stream", {"id": stream_id})["ok"]
    assert guest.wait_for_event("stream_error").data["code"] == "forbidden"
    again = resume(sio(servers[0]), stream_id, grant=shared["grant"])
    assert again["error"]["code"] == "forbidden"


def test_a_request_starts_one_stream_whichever_process_it_comes_to(
    servers: list[RunningServer], sio: Connect
) -> None:
    clients = [sio(one, auth={"client_key": KEY}) for one in servers]
    for number in range(20):
        asked = {"request_id": f"the same for all, {number}", "rate": 0, "text": "brief"}
        with ThreadPoolExecutor(3) as pool:
            answers = pool.map(lambda one, asked=asked: start(one, **asked), clients)
        assert len({answer["stream"]["id"] for answer in answers}) == 1


def test_the_store_is_asked_little(
    servers: list[RunningServer], sio: Connect, store: Store
) -> None:
    store.ask("CONFIG", "RESETSTAT")
    a = sio(servers[0])
    readers = [sio(servers[1]) for _ in range(6)]
    stream_id = start(a, rate=500)["stream"]["id"]
    for reader in readers:
        assert resume(reader, stream_id, rate=0)["ok"]
    for reader in readers:
        assert ending(reader)["text_sha256"] == sha256(TEXT)
    said = store.ask("INFO", "commandstats")
    calls = {name.removeprefix("cmdstat_"): row["calls"] for name, row in said.items()}
    assert calls["subscribe"] == 1
    assert not {"keys", "scan", "xread"} & set(calls)
