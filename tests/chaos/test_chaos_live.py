"""A server, the Python client, and ``textstream chaos`` between them."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from tests.chaos.command import chaos
from tests.support.running_server import RunningServer
from tests.support.scripts import clusters
from textstream import errors
from textstream.client import ReconnectPolicy, StreamClient, TextStream

pytestmark = pytest.mark.live

QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, give_up_after=30)

TEXT = "".join(clusters("chaos", 3000))


def start(client: StreamClient, text: str, rate: float) -> TextStream:
    """Start it. A first handshake that is cut is not tried again: nobody may be there."""
    request_id = str(uuid.uuid4())
    for _ in range(20):
        try:
            return client.stream(text=text, rate=rate, request_id=request_id)
        except errors.ServerUnreachable:
            continue
    raise AssertionError("cut in each of 20 handshakes")


@pytest.mark.parametrize(
    ("text", "rate", "cut_every"),
    [
        (TEXT, 2000, "200-2000"),
        # Without a pace an event has up to 4,096 units: a connection must live for some of them.
        (TEXT * 20, 0, "20000-100000"),
    ],
    ids=["paced", "as fast as possible"],
)
def test_a_text_in_many_scripts_survives_many_cuts(
    server: RunningServer, text: str, rate: float, cut_every: str
) -> None:
    states: list[str] = []
    with (
        chaos(
            "--to", server.url.removeprefix("http://"),
            "--cut-every", cut_every, "--cut", "both", "--seed", "4",
        ) as network,
        StreamClient(
            network.url, transports=["websocket"], reconnect=QUICK, on_state=states.append
        ) as client,
    ):  # fmt: skip
        stream = start(client, text, rate)
        assert "".join(stream) == text
        assert stream.result
        assert stream.result.verified
        assert stream.result.text_sha256 == hashlib.sha256(text.encode()).hexdigest()
        lines = network.end()
    cuts = [line for line in lines if "cut with" in line]
    assert states.count("reconnecting") >= 5
    assert len(cuts) >= states.count("reconnecting")
    assert any("FIN" in line for line in cuts)
    assert any("RST" in line for line in cuts)


def test_polling_survives_cuts_too(server: RunningServer) -> None:
    """Also within the head of an answer."""
    states: list[str] = []
    with (
        chaos(
            "--to", server.url.removeprefix("http://"), "--cut-every", "1-3000", "--seed", "4"
        ) as network,
        StreamClient(
            network.url, transports=["polling"], reconnect=QUICK, on_state=states.append
        ) as client,
    ):  # fmt: skip
        stream = start(client, TEXT, 2000)
        assert "".join(stream) == TEXT
        assert stream.result
        assert stream.result.verified
    assert "reconnecting" in states
