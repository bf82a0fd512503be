"""A server that a proxy has under a path: every request of the client keeps to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import StartServer
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer
from textstream.client import ReconnectPolicy, StreamClient

pytestmark = pytest.mark.live

QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, give_up_after=20)
TEXT = "".join(f"{n:03d} 这是 " for n in range(20))


@pytest.fixture
def proxy(text_server: RunningServer) -> Iterator[ReverseProxy]:
    with ReverseProxy(text_server.address, prefix="/stream") as proxy:
        yield proxy


def streams_and_comes_back(client: StreamClient, cut: Callable[[], None]) -> None:
    assert {"text", "endless"} <= {source["name"] for source in client.sources()["sources"]}
    stream = client.stream(text=TEXT, rate=300)
    text = next(stream)
    cut()
    assert text + "".join(stream) == TEXT
    assert stream.result
    assert stream.result.verified


@pytest.mark.parametrize("behind", ["", "/", "/app/", "/socket.io/", "//"])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_under_a_prefix(proxy: ReverseProxy, behind: str, transport: str) -> None:
    with StreamClient(proxy.url + behind, transports=[transport], reconnect=QUICK) as client:
        streams_and_comes_back(client, proxy.cut_all)
    assert proxy.outside == []


def test_under_a_prefix_without_websockets(proxy: ReverseProxy) -> None:
    proxy.upgrade = 400
    with StreamClient(proxy.url, reconnect=QUICK) as client:
        streams_and_comes_back(client, proxy.cut_all)
    assert proxy.outside == []


def test_a_path_of_socketio_says_the_prefix_too(proxy: ReverseProxy) -> None:
    host_and_port = proxy.url.removesuffix("/stream").removeprefix("http://")
    with StreamClient(host_and_port, path="/stream/socket.io", reconnect=QUICK) as client:
        streams_and_comes_back(client, proxy.cut_all)
    assert proxy.outside == []


@pytest.mark.parametrize(
    "behind", ["", "/", "/app/", "/lab/", "/socket.io/?EIO=4&transport=polling"]
)
def test_without_a_prefix(text_server: RunningServer, behind: str) -> None:
    for transports in (["websocket"], ["polling"]):
        with StreamClient(text_server.url + behind, transports=transports) as client:
            assert client.sources()["sources"]
            assert "".join(client.stream(text="abc", rate=0)) == "abc"


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_an_ipv6_address(start_server: StartServer, transport: str) -> None:
    server = start_server("--host", "::1")
    try:
        for url in (server.url, server.url.removeprefix("http://")):
            assert "[::1]" in url
            with StreamClient(url, transports=[transport]) as client:
                assert client.sources()["sources"]
                assert "".join(client.stream(text="abc", rate=0)) == "abc"
    finally:
        server.stop()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_password_and_query_go_with_every_request(proxy: ReverseProxy, transport: str) -> None:
    url = proxy.url.replace("//", "//Aladdin:open%20sesame@") + "/?key=1"
    with StreamClient(url, transports=[transport]) as client:
        assert client.url == proxy.url
        assert client.sources()["sources"]
        assert "".join(client.stream(text="abc", rate=0)) == "abc"
    assert len(proxy.heads) > 1
    for target, headers in proxy.heads:
        assert "?key=1" in target
        assert headers["Authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 7617, 2


def test_what_is_no_browser_says_no_origin(proxy: ReverseProxy) -> None:
    """A proxy may tell the server another host: an origin made up from the address is foreign."""
    with StreamClient(proxy.url, transports=["websocket"]) as client:
        assert "".join(client.stream(text="abc", rate=0)) == "abc"
    assert [headers["Origin"] for _target, headers in proxy.heads] == [None]
