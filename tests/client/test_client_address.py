"""What people write as the address of a server, and what the client makes of it."""

from __future__ import annotations

import pytest

from textstream.client.address import parse_address
from textstream.errors import InvalidRequest


@pytest.mark.parametrize(
    ("url", "base", "socketio"),
    [
        ("http://127.0.0.1:5002", "http://127.0.0.1:5002", "socket.io"),
        ("http://127.0.0.1:5002/", "http://127.0.0.1:5002", "socket.io"),
        (" HTTP://Host.example:80 ", "http://Host.example:80", "socket.io"),
        ("https://h/stream", "https://h/stream", "stream/socket.io"),
        ("https://h/stream/", "https://h/stream", "stream/socket.io"),
        ("https://h//a//b///", "https://h/a/b", "a/b/socket.io"),
        ("https://h/a/./b/../c/.", "https://h/a/c", "a/c/socket.io"),
        ("https://h/a b/ü", "https://h/a%20b/%C3%BC", "a%20b/%C3%BC/socket.io"),
        ("wss://h/stream", "https://h/stream", "stream/socket.io"),
        ("ws://h:1", "http://h:1", "socket.io"),
        # What is the server's own, pasted.
        ("http://h:1/app/", "http://h:1", "socket.io"),
        ("http://h:1/app/index.html#/s/abc", "http://h:1", "socket.io"),
        ("http://h:1/stream/app/", "http://h:1/stream", "stream/socket.io"),
        ("http://h:1/stream/lab", "http://h:1/stream", "stream/socket.io"),
        ("http://h:1/socket.io/", "http://h:1", "socket.io"),
        ("http://h:1/stream/socket.io", "http://h:1/stream", "stream/socket.io"),
        ("http://h:1/app/socket.io/", "http://h:1/app", "app/socket.io"),
        ("http://h:1/stream/api/sources", "http://h:1/stream", "stream/socket.io"),
        ("http://h:1/healthz", "http://h:1", "socket.io"),
        ("http://h:1/x/readyz", "http://h:1/x", "x/socket.io"),
        ("http://h:1/metrics", "http://h:1", "socket.io"),
        ("http://h:1/apply/", "http://h:1/apply", "apply/socket.io"),
        # Without a scheme.
        ("127.0.0.1:5002", "http://127.0.0.1:5002", "socket.io"),
        ("localhost:5002/stream/", "http://localhost:5002/stream", "stream/socket.io"),
        ("example.org:443", "https://example.org:443", "socket.io"),
        ("[::1]:5002", "http://[::1]:5002", "socket.io"),
        ("http://[::1]:5002/stream", "http://[::1]:5002/stream", "stream/socket.io"),
        ("http://localhost.:5002", "http://localhost:5002", "socket.io"),
        ("https://example.org./stream", "https://example.org/stream", "stream/socket.io"),
    ],
)
def test_an_address(url: str, base: str, socketio: str) -> None:
    address = parse_address(url)
    assert (address.url, address.socketio_path) == (base, socketio)
    assert address.at("/api/sources") == f"{base}/api/sources"


@pytest.mark.parametrize(
    ("url", "path", "base", "socketio"),
    [
        ("http://h:1", "/custom/socket.io", "http://h:1/custom", "custom/socket.io"),
        ("http://h:1/", "custom/socket.io/", "http://h:1/custom", "custom/socket.io"),
        ("http://h:1", "/socket.io/", "http://h:1", "socket.io"),
        ("http://h:1", "/ws", "http://h:1", "ws"),
        ("http://h:1/stream", "/custom/socket.io", "http://h:1/stream", "custom/socket.io"),
    ],
)
def test_a_path_of_socketio(url: str, path: str, base: str, socketio: str) -> None:
    address = parse_address(url, path)
    assert (address.url, address.socketio_path) == (base, socketio)


def test_a_query_goes_with_every_request() -> None:
    address = parse_address("http://h:1/socket.io/?EIO=4&transport=polling&key=a%20b&x=#top")
    assert address.socketio_url == "http://h:1?key=a+b&x="
    assert address.at("/healthz") == "http://h:1/healthz?key=a+b&x="
    assert address.url == "http://h:1"


def test_a_password_is_sent_and_not_shown() -> None:
    address = parse_address("http://Aladdin:open%20sesame@h:1/stream/")
    assert address.authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 7617, 2
    assert address.url == "http://h:1/stream"
    assert "sesame" not in repr(address)
    assert "QWxh" not in repr(address)
    with pytest.raises(InvalidRequest) as refused:
        parse_address("http://user:secret@h:port")
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nowhere",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http://h:port",
        "http://h:99999",
        "http://a b:1",
        "http://:5002",
        "host:",
        "::1",
        "user@host",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="an address looks like"):
        parse_address(url)


@pytest.mark.parametrize("path", ["", "/", "/socket.io?x=1", "//"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest, match="a path looks like"):
        parse_address("http://h:1", path)
