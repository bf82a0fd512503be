"""What an address may have, at a real server behind a proxy that it trusts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.conftest import Connect, StartServer
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient

CONNECTIONS, STREAMS, STARTS, HANDSHAKES = 3, 4, 6, 60

Visitor = Callable[[str], RecordingClient]


@pytest.fixture(scope="module")
def shared(start_server: StartServer) -> RunningServer:
    return start_server(
        *("--trusted-proxies", "127.0.0.0/8", "--grace", "0.3"),
        *("--connections-per-address", str(CONNECTIONS)),
        *("--streams-per-address", str(STREAMS)),
        *("--starts-per-address", f"{STARTS}/minute"),
        *("--handshakes-per-address", f"{HANDSHAKES}/minute"),
    )


@pytest.fixture
def visitor(shared: RunningServer, sio: Connect) -> Visitor:
    """Connect from an address."""
    return lambda address: sio(shared, headers={"X-Forwarded-For": address})


def handshake(server: RunningServer, address: str) -> requests.Response:
    return requests.get(
        f"{server.url}/socket.io/?EIO=4&transport=polling",
        headers={"X-Forwarded-For": address, "Origin": "https://a.example"},
        timeout=20,
    )


def start(client: RecordingClient, **more: Any) -> dict[str, Any]:
    payload = {"text": "x" * 1000, "rate": 1, "format": "chunk", **more}
    answer: dict[str, Any] = client.call("start_stream", payload)
    return answer


def test_a_connection_too_many_gets_429_and_others_are_let_in(
    shared: RunningServer, visitor: Visitor
) -> None:
    clients = [visitor("203.0.113.7, 127.0.0.9") for _ in range(CONNECTIONS)]
    refused = handshake(shared, "1.2.3.4, 203.0.113.7")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "5"
    assert refused.headers["Access-Control-Allow-Origin"], "a page can read it"
    error = refused.json()
    assert (error["code"], error["scope"], error["retryable"]) == ("rate_limited", "address", True)
    assert handshake(shared, "203.0.113.8").status_code == 200
    clients[0].close()
    # Its disconnect is under way.
    again = (handshake(shared, "203.0.113.7") for _ in range(HANDSHAKES // 2))
    assert any(answer.ok for answer in again)


def test_neighbours_in_one_ipv6_site_count_together(
    shared: RunningServer, visitor: Visitor
) -> None:
    for number in range(CONNECTIONS):
        visitor(f"2001:db8:1:2::{number + 1}")
    assert handshake(shared, "[2001:db8:1:2:ffff::9]:4711").status_code == 429
    assert handshake(shared, "2001:db8:1:3::1").status_code == 200


def test_whoever_connects_too_often_is_told_when_to_come_again(shared: RunningServer) -> None:
    for _ in range(HANDSHAKES):
        answer = handshake(shared, "203.0.113.20")
        assert answer.ok
        sid = json.loads(answer.text[1:])["sid"]
        url = f"{shared.url}/socket.io/?EIO=4&transport=polling&sid={sid}"
        assert requests.post(url, "1", timeout=20).ok, "it closes its session"
    refused = handshake(shared, "203.0.113.20")
    assert refused.status_code == 429
    assert 30 <= int(refused.headers["Retry-After"]) <= 60


def test_an_address_runs_so_many_streams_over_all_its_connections(visitor: Visitor) -> None:
    one, two, other = (visitor(f"203.0.113.{n}") for n in (30, 30, 31))
    for client in (one, one, two, two):
        assert start(client)["ok"]
    refused = start(one)
    assert refused["error"]["code"] == "too_many_streams"
    assert refused["error"]["scope"] == "address"
    assert refused["error"]["retry_after"] > 0
    assert one.wait_for_event("stream_error").data == refused["error"]
    assert start(other)["ok"]
    # Those that have hung up count until their time of grace is over.
    two.close()
    assert not start(one)["ok"]


def test_who_starts_too_often_is_told_when_to_come_again(
    shared: RunningServer, visitor: Visitor
) -> None:
    client = visitor("203.0.113.40")
    for number in range(STARTS):
        assert start(client, text="x", rate=0)["ok"]
        client.wait_for_event("stream_end", number + 1)
    error = start(client)["error"]
    assert (error["code"], error["scope"]) == ("rate_limited", "address")
    assert 0 < error["retry_after"] <= 60
    assert len(error["message"]) <= 300
    shared.wait_for_log(re.compile("refused: This address starts.*=203.0.113.40").search)


def test_a_header_that_no_trusted_proxy_wrote_changes_nothing(
    start_server: StartServer, sio: Connect
) -> None:
    server = start_server("--connections-per-address", "1", "--open")
    sio(server, headers={"X-Forwarded-For": "203.0.113.1"})
    assert handshake(server, "203.0.113.2").status_code == 429
    server.wait_for_log(re.compile("no trusted proxy.*TEXTSTREAM_TRUSTED_PROXIES").search)
