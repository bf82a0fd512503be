"""``/metrics``, read by Prometheus's own parser: it says what clients have seen, exactly."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests
from socketio.exceptions import ConnectionError  # noqa: A004 (the library's name)

from tests.conftest import Connect
from tests.live.streams import endless, finish, start
from tests.support.figures import TIMEOUT, Figures
from tests.support.local_app import local_app
from tests.support.sio_client import RecordingClient
from textstream.access.account import Kind
from textstream.chaos.address import parse_address
from textstream.settings import Settings
from textstream.web.server import Server

pytestmark = pytest.mark.live

OFFSET_GONE = "textstream_offset_gone_total"


@pytest.fixture
def site() -> Iterator[tuple[str, Server]]:
    with local_app(Settings(max_stream_bytes=4096)) as running:
        yield running


def received(*clients: RecordingClient) -> int:
    """Return how many units clients have: whether each in an event, or in chunks."""
    chunks = (event.data for client in clients for event in client.named("stream_chunk"))
    in_chunks: int = sum(chunk["next"] - chunk["offset"] for chunk in chunks)
    return in_chunks + sum(len(client.named("new_char")) for client in clients)


def test_streams_and_units_are_those_that_clients_have_seen(
    site: tuple[str, Server], sio: Connect
) -> None:
    url, _ = site
    clients = [sio(url), sio(url), sio(url, ("polling",))]
    for number, client in enumerate(clients):
        start(client, {"text": "0123456789" * (number + 1), "rate": 0})
        assert finish(client)["reason"] == "completed"
    chunks = sio(url)
    start(chunks, {"text": "ab" * 500, "rate": 0, "format": "chunk"})
    finish(chunks)
    owner, viewer = sio(url), sio(url, ("polling",))
    stream = start(owner, {"text": "x" * 100_000, "rate": 200})
    viewer.call("resume_stream", {"id": stream["id"], "offset": 0, "rate": 100})
    for client in (owner, viewer):
        client.wait_for_event("new_char", 20)
    assert owner.call("stop_stream", {"id": stream["id"]})["ok"]
    for client in (owner, viewer):
        assert finish(client)["reason"] == "stopped"

    found = Figures.of(url)
    units = received(*clients, chunks, owner, viewer)
    assert units > 10 + 20 + 30 + 1000 + 40
    assert found.sum("textstream_units_sent_total") == units
    assert found.sum("textstream_streams_started_total", source="text") == 5
    assert found.sum("textstream_streams_ended_total", reason="completed") == 4
    assert found.sum("textstream_streams_ended_total", reason="stopped") == 1
    assert found.sum("textstream_streams_ended_total") == 5
    assert found.sum("textstream_streams_running") == 0
    assert found.sum("textstream_streams", state="ended") == 5
    assert found.sum("textstream_resumes_total") == 1
    assert found.sum("textstream_first_unit_seconds_count", source="text") == 5
    assert found.sum("textstream_connects_total", transport="websocket") == 4
    assert found.sum("textstream_connects_total", transport="polling") == 2
    assert found.sum("textstream_connections", transport="websocket") == 4
    assert found.sum("textstream_connections", transport="polling") == 2


def test_of_a_pace_the_gaps_are_those_that_clients_have_seen(
    site: tuple[str, Server], sio: Connect
) -> None:
    url, _ = site
    clients = [sio(url) for _ in range(4)]
    for client in clients:
        start(client, {"text": "0123456789" * 4, "rate": 100})
    for client in clients:
        finish(client)
    found = Figures.of(url)
    writes = found.sum("textstream_unit_gap_seconds_count") + len(clients)
    # As many as there are units, but where a machine that is busy had two of them due at once.
    assert len(clients) * 20 < writes <= received(*clients) == 160
    last = max(client.named("new_char")[-1].at for client in clients)
    first = min(client.named("new_char")[0].at for client in clients)
    seconds = found.sum("textstream_unit_gap_seconds_sum") / len(clients)
    assert 0.3 < seconds < last - first + 0.5
    assert found.sum("textstream_delivery_lateness_seconds_count") > 0
    assert found.sum("textstream_loop_turn_seconds_count") > 0


def test_what_runs_is_told_while_it_runs(site: tuple[str, Server], sio: Connect) -> None:
    url, parts = site
    clients = [sio(url), sio(url)]
    endless(*clients)
    parts.clients.account.add(Kind.QUEUED, 12_345)
    found = Figures.of(url)
    assert found.sum("textstream_streams_running", source="text") == 2
    assert found.sum("textstream_readers") == 2
    assert found.sum("textstream_kept_bytes", kind="queued") == 12_345
    assert found.sum("textstream_kept_bytes", kind="text") > 0
    assert found.sum("textstream_kept_bytes_limit") == 256 * 2**20
    assert found.sum("textstream_threads", name="reactor") >= 1  # of the whole process
    assert found.sum("textstream_pool_limit", pool="requests") == 16
    assert "textstream_pool_queue" in found.names
    assert found.sum("textstream_source_waiting", source="llm") == 0
    assert found.sum("textstream_draining") == 0
    assert found.sum("process_resident_memory_bytes") > 1_000_000
    parts.clients.account.add(Kind.QUEUED, -12_345)


def test_each_refusal_is_counted_by_its_code(site: tuple[str, Server], sio: Connect) -> None:
    url, _ = site
    client = sio(url)
    refused = [
        ("start_stream", {"rate": -1}, "invalid_request"),
        ("start_stream", {"source": "nope"}, "unknown_source"),
        ("stop_stream", {"id": "x" * 22}, "unknown_stream"),
        ("resume_stream", {"id": "x" * 22, "offset": 0}, "unknown_stream"),
        ("no such event", {}, "unknown_event"),
        ("nor this one", {}, "unknown_event"),
    ]
    for event, payload, code in refused:
        assert client.call(event, payload)["error"]["code"] == code
    found = Figures.of(url)
    assert found.sum("textstream_refusals_total") == len(refused)
    for event, _, code in refused[:4]:
        assert found.sum("textstream_refusals_total", event=event, code=code) == 1
    assert found.sum("textstream_refusals_total", event="unknown", code="unknown_event") == 2


def test_requests_that_no_application_has_seen_are_counted(site: tuple[str, Server]) -> None:
    url, _ = site
    address = parse_address(url.removeprefix("http://"))
    for line, status in ((b"NO REQUEST", b"400"), (b"GET /" + b"x" * 20_000, b"4")):
        with socket.create_connection(address, TIMEOUT) as sock:
            sock.sendall(line + b"\r\n\r\n")
            assert sock.recv(12).startswith(b"HTTP/1.1 " + status)
    assert requests.get(f"{url}/nowhere", timeout=TIMEOUT).status_code == 404
    found = Figures.of(url)
    assert found.sum("textstream_http_refusals_total") == 2
    assert found.sum("textstream_http_refusals_total", status="400") >= 1


def test_who_is_refused_by_address_or_origin_is_counted(sio: Connect) -> None:
    settings = Settings(connections_per_address=1, cors_origins="https://a.example")
    with local_app(settings) as (url, _):
        poll = f"{url}/socket.io/?EIO=4&transport=polling"
        page = {"Origin": "https://b.example"}
        assert requests.get(poll, headers=page, timeout=TIMEOUT).status_code == 400
        with pytest.raises(ConnectionError):
            sio(url, headers=page)
        sio(url)
        assert requests.get(poll, timeout=TIMEOUT).status_code == 429
        found = Figures.of(url)
    assert found.sum("textstream_refusals_total", event="connect", code="rate_limited") == 1
    assert found.sum("textstream_refusals_total", event="connect", code="origin") == 2


def test_a_text_that_is_gone_is_counted(site: tuple[str, Server], sio: Connect) -> None:
    url, _ = site
    fast, late = sio(url), sio(url)
    stream = start(fast, {"text": "0123456789" * 2000, "rate": 0})
    finish(fast)
    answer = late.call("resume_stream", {"id": stream["id"], "offset": 0})
    assert answer["error"]["code"] == "offset_gone"
    found = Figures.of(url)
    assert found.sum(OFFSET_GONE, when="resuming") == 1
    assert found.sum(OFFSET_GONE) == 1
    assert found.sum("textstream_resumes_total") == 0


def test_two_servers_in_one_process_have_their_own(sio: Connect) -> None:
    with ExitStack() as stack:
        sites = [stack.enter_context(local_app(Settings())) for _ in range(2)]
        client = sio(sites[0][0])
        start(client, {"text": "abc", "rate": 0})
        finish(client)
        found = [Figures.of(url) for url, _ in sites]
    assert [one.sum("textstream_units_sent_total") for one in found] == [3, 0]
    assert [one.sum("textstream_connects_total") for one in found] == [1, 0]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/plain; version=0.0.4"),
        ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text"),
    ],
)
def test_it_is_told_in_the_format_that_is_asked_for(
    site: tuple[str, Server], accept: str, kind: str
) -> None:
    headers = {"Accept": accept, "Accept-Encoding": "gzip"}
    answer = requests.get(f"{site[0]}/metrics", headers=headers, timeout=TIMEOUT)
    assert answer.headers["Content-Type"].startswith(kind)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "textstream_units_sent_total" in answer.text
    assert answer.text.endswith("# EOF\n") is kind.startswith("application")
