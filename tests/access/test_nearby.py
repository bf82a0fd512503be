"""Where requests come from: by peer, by what proxies say, and by the name that is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from textstream.access.address import Proxies
from textstream.access.nearby import REMEMBERED, Nearby, Place, is_loopback_host

HERE, ELSEWHERE, FOREIGN = Place.HERE, Place.ELSEWHERE, Place.FOREIGN_PAGE
PORT = "5002"


def environ(host: str | None = "127.0.0.1:5002", peer: str = "127.0.0.1", **more: str) -> Any:
    made = {"REMOTE_ADDR": peer, "SERVER_PORT": PORT, **more}
    return made if host is None else {**made, "HTTP_HOST": host}


def place(*names: str, proxies: tuple[str, ...] = (), **asked: Any) -> Place:
    """Return where it comes from, asked twice: what is remembered changes nothing."""
    nearby, made = Nearby(Proxies(proxies), names), environ(**asked)
    first = nearby.place_of(made)
    assert nearby.place_of(made) is first
    assert nearby.is_elsewhere(made) is (first is not HERE)
    assert bool(nearby.find_fault(made)) is (first is FOREIGN)
    return first


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "127.0.0.1:5002",
        "127.8.9.1",
        "localhost:5002",
        "LOCALHOST.:5002",
        "app.localhost",
        "[::1]:5002",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]:5002",
        "localhost:8080",  # a proxy, or a forwarded port, of this machine's
    ],
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.0.0.3", "::ffff:127.0.0.1", ""])
def test_this_machines_own(host: str | None, peer: str) -> None:
    assert place(host=host, peer=peer) is HERE


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:5002",
        "evil.example:8080",
        "127.0.0.1.evil.example:5002",
        "localhost.evil.example:5002",
        "evillocalhost:5002",
        "0.0.0.0:5002",
        "192.168.1.7:5002",
        "[::2]:5002",
        "xn--lcalhost-54a:5002",
        "evil.example:05002",
        "a b:5002",
        "evil.example:99999",
    ],
)
def test_a_browser_that_came_by_a_wrong_name(host: str) -> None:
    assert place(host=host) is FOREIGN
    assert place(host=host, peer="::1") is FOREIGN
    assert place(host=host, peer="203.0.113.7") is ELSEWHERE, "it is asked for a token anyway"


@pytest.mark.parametrize("forwarded", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"])
def test_a_page_that_pretends_to_be_a_proxy_gets_no_further(forwarded: str) -> None:
    asked: Any = {"host": "evil.example:5002", forwarded: "127.0.0.1"}
    assert place(**asked) is FOREIGN
    assert place(proxies=("127.0.0.1",), **asked) is FOREIGN


def test_on_port_80_a_browser_says_none() -> None:
    for host in ("evil.example", "evil.example:80"):
        assert place(host=host, SERVER_PORT="80") is FOREIGN
        assert place(host=host) is ELSEWHERE, "a proxy's public name"


@pytest.mark.parametrize(
    "host", ["stream.example.org", "stream.example.org:443", "stream.example.org:80", "127.0.0.1"]
)
@pytest.mark.parametrize("forwarded", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"])
def test_what_a_proxy_has_brought(host: str, forwarded: str) -> None:
    asked: Any = {"host": host, forwarded: "203.0.113.7"}
    assert place(**asked) is ELSEWHERE
    assert place(proxies=("10.0.0.0/8",), **asked) is ELSEWHERE
    assert place(proxies=("127.0.0.0/8",), **asked) is HERE
    assert place("stream.example.org", **asked) is ELSEWHERE, "a name is no proxy"
    assert place(proxies=("10.0.0.0/8",), peer="10.0.0.1", **asked) is ELSEWHERE


def test_a_proxy_that_says_nothing_of_itself() -> None:
    asked: Any = {"host": "stream.example.org"}
    assert place(**asked) is ELSEWHERE
    assert place(proxies=("127.0.0.1",), **asked) is HERE
    assert place("stream.example.org", **asked) is HERE
    odd: Any = {"host": "stream.example.org:8443"}
    assert place(**odd) is FOREIGN
    assert place(proxies=("127.0.0.1",), **odd) is HERE
    assert place("stream.example.org", **odd) is HERE
    assert place(HTTP_X_FORWARDED_FOR="203.0.113.7", **odd) is ELSEWHERE


def test_over_a_unix_socket_comes_no_browser() -> None:
    assert place(host="evil.example:5002", peer="") is ELSEWHERE
    assert place(host="x", peer="", proxies=("127.0.0.1",)) is HERE


def test_any_name_may_do() -> None:
    assert place("*", host="whatever.example:5002") is HERE
    lax = Nearby(Proxies(), lax=True)
    assert not lax.find_fault(environ("whatever.example:5002"))


def test_the_machines_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Den")
    assert place(host="den:5002") is HERE


def test_the_sentence_names_the_cure_and_repeats_nothing_that_harms() -> None:
    why = Nearby(Proxies()).find_fault(environ("\x1b[2J" + "é" * 500))
    assert "TEXTSTREAM_HOSTS" in why
    assert why.isascii()
    assert "\x1b" not in why
    assert len(why) <= 300


def test_made_up_hosts_do_not_gather() -> None:
    nearby = Nearby(Proxies(), ["*"])
    for number in range(10_000):
        nearby.place_of(environ(f"{number}.example"))
    assert len(nearby.right) == REMEMBERED
    assert nearby.place_of(environ("x.example")) is HERE


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True), ("Localhost.", True), ("a.localhost", True), ("127.0.0.1", True),
        ("127.1.2.3", True), ("::1", True), ("[::1]", True), ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("den", False), ("", False),
        ("localhost.example", False), ("notlocalhost", False),
    ],
)  # fmt: skip
def test_loopback_by_its_names(host: str, *, own: bool) -> None:
    assert is_loopback_host(host) is own
