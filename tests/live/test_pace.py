"""Pace over real sockets. The exact average is proved in ``tests/reading/test_pacing.py``; here the
whole way is measured, with room for a busy machine.
"""

from __future__ import annotations

import time

import pytest

from tests.conftest import Connect
from tests.live.streams import chars, finish, measured_rate, start
from tests.support.running_server import RunningServer
from tests.support.timing import patient

pytestmark = pytest.mark.live


@pytest.mark.parametrize(("rate", "units"), [(10, 51), (100, 501), (1000, 5001)])
def test_the_average_rate_is_kept(
    server: RunningServer, sio: Connect, rate: int, units: int
) -> None:
    client = sio(server)
    # For five seconds: a busy machine may be late by a tenth of a second at either end.
    start(client, {"text": "x" * units, "rate": rate})
    finish(client)
    assert measured_rate(client) == pytest.approx(rate, rel=0.05)


WORD = "x" * 500 + " "


@pytest.mark.parametrize(
    ("text", "unit", "rate"),
    [
        ("x" * 12_000, "char", 5000),
        ("👨‍👩‍👧‍👦" * 8000, "char", 3000),
        (WORD * 300, "word", 100),
    ],
    ids=["fast", "wide", "words"],
)
def test_what_goes_ahead_of_time_never_outruns_the_client(
    server: RunningServer, sio: Connect, text: str, unit: str, rate: int
) -> None:
    """A run as large as the flow-control window left no room for the ping that opens it again."""
    first, late = sio(server), sio(server)
    stream = start(first, {"text": text, "unit": unit, "rate": rate})
    first.wait_for_event("new_char", count=100)
    assert late.call("resume_stream", {"id": stream["id"], "offset": 0, "format": "char"})["ok"]
    for client in (first, late):
        assert finish(client)["reason"] == "completed"
        assert client.text == text


def test_streams_started_at_once_do_not_drift_apart(server: RunningServer, sio: Connect) -> None:
    clients = [sio(server) for _ in range(20)]
    for client in clients:
        client.emit("start_stream", {"text": "x" * 151, "rate": 30})
    for client in clients:
        finish(client)
    rates = [measured_rate(client) for client in clients]
    assert min(rates) == pytest.approx(30, rel=0.05)
    assert max(rates) == pytest.approx(30, rel=0.05)


def test_a_paused_reader_gets_nothing_and_then_the_rest(
    server: RunningServer, sio: Connect
) -> None:
    client, other = sio(server), sio(server)
    stream = start(client, {"text": "x" * 600, "rate": 500})
    client.wait_for_event("new_char", count=50)
    offset = client.call("pause_stream", {"id": stream["id"]})["offset"]
    client.wait_for_event("new_char", count=offset)
    # The time that another stream takes is time in which this one would have moved.
    start(other, {"text": "y" * 100, "rate": 500})
    finish(other)
    assert len(chars(client)) == offset
    assert client.call("continue_stream", {"id": stream["id"]})["ok"]
    assert finish(client)["offset"] == 600
    assert client.text == "x" * 600


def test_the_rate_changes_while_it_runs(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    stream = start(client, {"text": "x" * 10_000, "rate": 1})
    client.wait_for_event("new_char")
    changed = time.perf_counter()
    assert client.call("set_rate", {"id": stream["id"], "rate": 0}) == {"ok": True, "rate": 0}
    finish(client)
    assert len(chars(client)) == 10_000
    assert time.perf_counter() - changed < patient(10)  # at the old rate: hours
