"""Whom the server asks who they are, by its settings and by where it listens."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from textstream.access.own_token import make_token
from textstream.settings import Settings
from textstream.web.links import links
from textstream.web.listening import Whom, needs_own_token, whom_to_ask

EVERYBODY, ELSEWHERE, NOBODY = Whom.EVERYBODY, Whom.ELSEWHERE, Whom.NOBODY
SECRET = "x" * 40

LOOPBACK = ("127.0.0.1", "127.3.2.1", "::1", "localhost", "unix:///run/app.sock")
OTHERS = ("0.0.0.0", "::", "192.168.1.5", "fd00::1", "den.example", "den")


@pytest.mark.parametrize("host", [*LOOPBACK, None])
def test_on_loopback_and_where_nobody_knows(host: str | None) -> None:
    assert whom_to_ask(Settings(), host) is ELSEWHERE


@pytest.mark.parametrize("host", OTHERS)
def test_on_other_addresses(host: str) -> None:
    assert whom_to_ask(Settings(), host) is EVERYBODY
    assert needs_own_token(Settings(), host)
    assert not needs_own_token(Settings(token=SECRET), host)
    assert not needs_own_token(Settings(open=True), host)
    assert not needs_own_token(Settings(auth_keys=SECRET), host)


@pytest.mark.parametrize("host", [*LOOPBACK, None, *OTHERS])
@pytest.mark.parametrize(
    ("settings", "whom"),
    [
        ({"open": True}, NOBODY),
        ({"token": SECRET}, EVERYBODY),
        ({"auth_keys": SECRET}, EVERYBODY),
        ({"authorize": "a:b"}, EVERYBODY),
    ],
)
def test_settings_that_say_it(settings: dict[str, Any], whom: Whom, host: str | None) -> None:
    assert whom_to_ask(Settings(**settings), host) is whom


@pytest.mark.parametrize("host", LOOPBACK)
def test_on_loopback_no_token_is_made(host: str) -> None:
    assert not needs_own_token(Settings(), host)


def test_links_are_what_a_browser_can_open() -> None:
    token = make_token()
    tail = f":5002/app/#token={token}"
    assert links("192.168.1.5", 5002, token) == [f"http://192.168.1.5{tail}"]
    assert links("fd00::1", 5002, token) == [f"http://[fd00::1]{tail}"]
    for wildcard in ("0.0.0.0", "::"):
        found = links(wildcard, 5002, token)
        assert found[-1] == f"http://127.0.0.1{tail}"
        assert len(found) <= 2
        assert not any("0.0.0.0" in link or "[::]" in link for link in found)


def test_a_machine_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    assert links("::", 80, "t") == ["http://127.0.0.1:80/app/#token=t"]


def test_a_token_with_other_characters_stays_whole_in_a_link() -> None:
    assert links("127.0.0.1", 1, "a+/=~") == ["http://127.0.0.1:1/app/#token=a%2B%2F%3D~"]
