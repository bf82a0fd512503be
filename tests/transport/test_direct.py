"""Opening a session with a WebSocket from the start, by the short way."""

from __future__ import annotations

import pytest

from textstream.transport.direct import is_opening


@pytest.mark.parametrize(
    "query",
    [
        "EIO=4&transport=websocket",
        "transport=websocket&EIO=4",
        "EIO=4&transport=websocket&t=PqR7x",
        "token=secret&EIO=4&transport=websocket",
        "EIO=4&transport=websocket&sids=1",
    ],
)
def test_what_clients_send_is_an_opening(query: str) -> None:
    assert is_opening(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "EIO=4",
        "transport=websocket",
        "EIO=3&transport=websocket",
        "EIO=4&transport=polling",
        "EIO=4&transport=websocket&sid=abc",
        "EIO=4&transport=websocket&sid",
        "EIO=4&transport=websocket&%73id=abc",
        "EIO=4&transport=websocket&s+id=abc",
        "EIO=4&EIO=4&transport=websocket",
        "EIO=3&EIO=4&transport=websocket",
        "EIO=4&transport=websocket&transport=polling",
        "EIO=4&transport=websocket&j=0",
        "EIO=4;transport=websocket",
        "eio=4&transport=websocket",
    ],
)
def test_whatever_else_goes_the_long_way(query: str) -> None:
    assert not is_opening(query)
