"""What a proxy makes of a WebSocket: the client gets through over polling, by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.reverse_proxy import ReverseProxy, Upgrade
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream import errors
from textstream.client import ReconnectPolicy, StreamClient, transports
from textstream.client.transports import attempts_of

QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, give_up_after=20)
TEXT = "".join(f"{n:03d} 这是e\u0301👨‍👩‍👧‍👦 " for n in range(40))

REFUSALS: list[Upgrade] = ["dropped", 200, 400, 403, 404, 426, 502, "reset"]
SILENCES: list[Upgrade] = ["silent", "swallowed"]


@pytest.fixture
def proxy(text_server: RunningServer) -> Iterator[ReverseProxy]:
    with ReverseProxy(text_server.address) as proxy:
        yield proxy


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a WebSocket's handshake a quarter of a second instead of three."""
    monkeypatch.setattr(transports, "WEBSOCKET_PATIENCE", 0.25)


def carried_by(proxy: ReverseProxy) -> str:
    """Return what the last stream came over."""
    return "polling" if "POST /socket.io/" in proxy.seen else "websocket"


@pytest.mark.live
@pytest.mark.parametrize("upgrade", [*REFUSALS, *SILENCES], ids=str)
@pytest.mark.usefixtures("impatient")
def test_a_websocket_that_does_not_get_through_becomes_polling(
    proxy: ReverseProxy, upgrade: Upgrade
) -> None:
    proxy.upgrade = upgrade
    with StreamClient(proxy.url, reconnect=False) as client:
        stream = client.stream(text=TEXT, rate=0)
        assert "".join(stream) == TEXT
        assert stream.result
        assert stream.result.verified
    assert carried_by(proxy) == "polling"


@pytest.mark.live
def test_where_websockets_get_through_they_are_used(proxy: ReverseProxy) -> None:
    with StreamClient(proxy.url) as client:
        assert "".join(client.stream(text=TEXT, rate=0)) == TEXT
    assert carried_by(proxy) == "websocket"


@pytest.mark.live
@pytest.mark.parametrize("upgrade", [400, "reset", "swallowed"], ids=str)
@pytest.mark.usefixtures("impatient")
def test_a_network_that_loses_websockets_in_mid_stream_goes_on_over_polling(
    proxy: ReverseProxy, upgrade: Upgrade
) -> None:
    with StreamClient(proxy.url, reconnect=QUICK) as client:
        stream = client.stream(text=TEXT, rate=300)
        text = next(stream)
        assert carried_by(proxy) == "websocket"
        proxy.upgrade = upgrade
        proxy.cut_all()
        while len(text) < len(TEXT) // 2:
            text += next(stream)
        proxy.cut_all()  # and once more, from polling to polling
        assert text + "".join(stream) == TEXT
        assert stream.result
        assert stream.result.verified
    assert carried_by(proxy) == "polling"


@pytest.mark.live
def test_what_was_asked_for_alone_is_not_replaced(proxy: ReverseProxy) -> None:
    proxy.upgrade = 403
    with (
        StreamClient(proxy.url, transports=["websocket"]) as client,
        pytest.raises(errors.ServerUnreachable, match="HTTP status 403"),
    ):
        client.stream(text=TEXT)
    assert set(proxy.seen) == {"GET /socket.io/"}
    proxy.upgrade = "carried"
    with StreamClient(proxy.url, transports="polling") as client:
        assert "".join(client.stream(text="abc", rate=0)) == "abc"


@pytest.mark.live
@pytest.mark.parametrize("upgrade", ["carried", 502, "silent", "swallowed"], ids=str)
def test_polling_is_upgraded_where_that_works(proxy: ReverseProxy, upgrade: Upgrade) -> None:
    proxy.upgrade = upgrade
    with StreamClient(
        proxy.url, transports=["polling", "websocket"], timeout=1, reconnect=QUICK
    ) as client:
        assert "".join(client.stream(text=TEXT, rate=0)) == TEXT


@pytest.mark.live
def test_a_proxy_that_swallows_all_is_given_up_in_time(proxy: ReverseProxy) -> None:
    proxy.upgrade = "silent"
    began = time.monotonic()
    with (
        StreamClient(proxy.url, transports=["websocket"], timeout=0.2, reconnect=False) as client,
        pytest.raises(errors.ServerUnreachable, match=r"timed out: no answer in 0\.2 s"),
    ):
        client.stream(text=TEXT)
    assert time.monotonic() - began < patient(5)


def test_what_is_tried() -> None:
    both = (("websocket",), ("polling",))
    assert attempts_of(None) == both
    assert attempts_of(["websocket", "polling"]) == both
    assert attempts_of(["websocket"]) == attempts_of("websocket") == (("websocket",),)
    assert attempts_of(["polling"]) == (("polling",),)
    assert attempts_of(["polling", "websocket"]) == (("polling", "websocket"),)


@pytest.mark.parametrize("wrong", [[], "", "tcp", ["websocket", "carrier pigeon"]])
def test_transports_that_are_none_are_refused(wrong: list[str]) -> None:
    with pytest.raises(errors.InvalidRequest, match="transports"):
        StreamClient(transports=wrong)
