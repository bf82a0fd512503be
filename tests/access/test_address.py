"""Whose request it is, with and without proxies in front."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.access.address import MAX_HOPS, Proxies, counted, is_loopback

BEHIND = Proxies(["127.0.0.0/8", "::1", "10.0.0.0/8"])


def asked(peer: str, forwarded: str | None = None) -> dict[str, Any]:
    return {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.2", "127.0.0.2"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("<local>", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
    ],
)
def test_what_a_peer_is_counted_by(peer: str, address: str) -> None:
    assert counted(peer) == address
    assert Proxies().address_of(asked(peer)) == address
    assert BEHIND.address_of(asked(peer)) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the left one, anybody can write
        ("198.51.100.1,203.0.113.7,10.1.2.3, 127.0.0.9", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ('"[2001:db8:0:1::1]:443"', "2001:db8:0:1::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("[fe80::1%eth0]:80", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:10.0.0.1]:80, 10.0.0.2", "10.0.0.1"),  # all are proxies: the first of them
        ("203.0.113.7, unknown", "127.0.0.1"),  # the nearest proxy did not know
        ("203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("203.0.113.7, _hidden, [::1]:80", "::1"),
        ("203.0.113.7, , 10.0.0.2", "10.0.0.2"),
        (",", "127.0.0.1"),
        ("unix:", "127.0.0.1"),
        ("203.0.113.7:port", "127.0.0.1"),
        ("203.0.113.7:123456", "127.0.0.1"),
        ("[203.0.113.7", "127.0.0.1"),
        ("[]:80", "127.0.0.1"),
        ("1.2.3", "127.0.0.1"),
        ("٣.2.3.4", "127.0.0.1"),
        ("1.2.3.4" + " " * 5000 + "x", "127.0.0.1"),
    ],
)
def test_the_rightmost_that_is_no_proxy(forwarded: str, address: str) -> None:
    assert BEHIND.address_of(asked("127.0.0.1", forwarded)) == address


@pytest.mark.parametrize("peer", ["::1", "::ffff:127.0.0.1", "", "10.9.9.9"])
def test_a_proxy_is_known_however_its_address_is_spelled(peer: str) -> None:
    assert BEHIND.address_of(asked(peer, "203.0.113.7")) == "203.0.113.7"


@pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::9", "192.168.0.1"])
def test_others_are_not_believed(peer: str) -> None:
    for proxies in (BEHIND, Proxies()):
        assert proxies.address_of(asked(peer, "198.51.100.1")) == counted(peer)


def test_the_search_has_an_end() -> None:
    within = ", ".join(["203.0.113.7", *["10.0.0.1"] * (MAX_HOPS - 1)])
    assert BEHIND.address_of(asked("127.0.0.1", within)) == "203.0.113.7"
    beyond = ", ".join(["203.0.113.7", *["10.0.0.1"] * MAX_HOPS])
    assert BEHIND.address_of(asked("127.0.0.1", f"x, {beyond}")) == "10.0.0.1"


@given(st.text(max_size=80), st.sampled_from(["127.0.0.1", "", "203.0.113.1", "::1"]))
def test_whatever_is_written_gives_an_address(forwarded: str, peer: str) -> None:
    found = BEHIND.address_of(asked(peer, forwarded))
    assert re.fullmatch(r"[0-9a-f.:]+(/64)?", found)


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("10.0.0.1", False),
        ("2001:db8::/64", False),
        ("::/64", False),
    ],
)
def test_loopback(address: str, is_own: bool) -> None:
    assert is_loopback(address) is is_own


def test_a_proxy_without_a_name_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    for proxies in (Proxies(), Proxies(["10.0.0.0/8"])):
        caplog.clear()
        proxies.address_of(asked("127.0.0.1"))
        proxies.address_of(asked("8.8.8.8", "203.0.113.7"))
        assert not caplog.records, "nothing is said of who comes from the internet"
        for peer in ("127.0.0.1", "192.168.0.1", "127.0.0.1"):
            proxies.address_of(asked(peer, "6.6.6.6\nforged line"))
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage() == (
            "X-Forwarded-For came from 127.0.0.1, which is no trusted proxy: all its clients "
            "share one address. Name it in TEXTSTREAM_TRUSTED_PROXIES"
        )


def test_nothing_is_said_of_a_trusted_one(caplog: pytest.LogCaptureFixture) -> None:
    BEHIND.address_of(asked("127.0.0.1", "203.0.113.7"))
    assert not caplog.records
