"""How the source ``openai`` reaches an API: certificates, proxies, redirects; or why not."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import pytest

from tests.sources.asking import ANSWER, Ask
from tests.sources.wire_endpoint import Request, Script, WireEndpoint
from tests.sources.wire_rows import head
from textstream.errors import SourceFailed, SourceUnavailable
from textstream.sources.openai_network import is_loopback

pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def unknown_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no name be known, without asking anybody."""

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)


# Nobody there


@pytest.mark.usefixtures("unknown_names")
def test_an_unknown_name(ask: Ask) -> None:
    with pytest.raises(SourceFailed, match=r"cannot be reached: its name is not known.*BASE_URL"):
        ask("http://api.invalid/v1")


def test_refused(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceFailed, match="cannot be reached: the connection was refused"):
        ask(f"http://127.0.0.1:{port}/v1")


def test_connecting_takes_too_long(ask: Ask) -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # what comes next gets no answer at all
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(SourceFailed, match="cannot be reached: connecting timed out"):
            ask(f"http://127.0.0.1:{full.getsockname()[1]}/v1", timeout=0.2)


# Proxies


@pytest.mark.usefixtures("unknown_names")
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment(
    wire: WireEndpoint, ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{wire.port}")
    assert ask("http://api.invalid/v1") == ["Hi"]
    assert wire.requests[0].target == "http://api.invalid/v1/chat/completions"
    monkeypatch.setenv("NO_PROXY", "api.invalid")
    with pytest.raises(SourceFailed, match="its name is not known"):
        ask("http://api.invalid/v1")


@pytest.mark.usefixtures("unknown_names")
@pytest.mark.parametrize(
    ("status", "says"), [("407 No", "let the request through.*NO_PROXY"), ("502 No", "NO_PROXY")]
)
def test_a_proxy_that_refuses(
    wire: WireEndpoint, ask: Ask, monkeypatch: pytest.MonkeyPatch, status: str, says: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{wire.port}")
    wire.script = [head(None, status=status)]
    with pytest.raises(SourceFailed, match=says):
        ask("https://api.invalid/v1")
    assert wire.requests[0].target == "api.invalid:443"


@pytest.mark.usefixtures("unknown_names")
def test_a_proxy_that_is_not_there(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(SourceFailed, match=r"refused. Check TEXTSTREAM.*the proxy in HTTPS_PROXY"):
        ask("http://api.invalid/v1")


@pytest.mark.parametrize("proxy", ["gopher://u:s3cret@x", "socks5://u:s3cret@x"])
def test_a_proxy_that_cannot_be_used(
    wire: WireEndpoint, ask: Ask, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(SourceUnavailable, match="HTTPS_PROXY, HTTP_PROXY and ALL_PROXY") as caught:
        ask("http://api.invalid/v1")
    assert "s3cret" not in str(caught.value)
    assert ask(wire.base_url) == ["Hi"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("localhost", "LOCALHOST.", "api.localhost", "127.0.0.1")),
        *((host, True) for host in ("127.1", "2130706433", "::1", "::ffff:127.0.0.1", "0.0.0.0")),
        *((host, False) for host in ("example.org", "localhost.org", "10.0.0.1", "fe80::1%eth0")),
        *((host, False) for host in ("", "::ffff:10.0.0.1", "1270.0.0.1")),
    ],
)
def test_this_machine_is_known_by_all_its_names(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# Addresses


@pytest.mark.parametrize(
    ("added", "target"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("?api-version=2024-06-01", "/v1/chat/completions?api-version=2024-06-01"),
        ("/?a=%2F&a=b+c&d", "/v1/chat/completions?a=%2F&a=b+c&d"),
    ],
)
def test_a_query_is_kept(wire: WireEndpoint, ask: Ask, added: str, target: str) -> None:
    ask(wire.base_url + added)
    assert wire.requests[0].target == target


def redirect(status: int, location: str) -> Script:
    return [head(None, f"Location: {location}", status=f"{status} Over There")]


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_on_the_same_host_is_followed(wire: WireEndpoint, ask: Ask, status: int) -> None:
    def script(request: Request) -> Script:
        return ANSWER if request.target == "/v2" else redirect(status, "/v2")

    wire.script = script
    assert ask(wire.base_url) == ["Hi"]
    first, second = wire.requests
    assert second.body == first.body
    assert second.headers["authorization"] == "Bearer k"


@pytest.mark.parametrize(
    ("status", "location"),
    [
        *((status, "/v2") for status in (301, 302, 303)),
        *((307, to) for to in ("/v1/again", "", "http://localhost:1/", "https://api.invalid/")),
        (308, "http://[/"),
    ],
)
def test_no_other_redirect_is_followed(
    wire: WireEndpoint, ask: Ask, status: int, location: str
) -> None:
    wire.script = redirect(status, location)
    with pytest.raises(SourceFailed, match=rf"moved.*HTTP {status}.*TEXTSTREAM_OPENAI_BASE_URL"):
        ask(wire.base_url)
    assert all(request.target.startswith("/v1/") for request in wire.requests)
    assert len(wire.requests) <= 4


def test_nothing_is_asked_again_by_itself(wire: WireEndpoint, ask: Ask) -> None:
    wire.script = [head(None, "Retry-After: 1", status="503 Busy")]
    with pytest.raises(SourceFailed, match="HTTP 503"):
        ask(wire.base_url)
    assert len(wire.requests) == 1
