"""Heads of requests: what is served, and what is refused with which cure."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.transport.http.heads import END, FULL, REFUSED, SERVED, get
from textstream.transport.http.fields import ENVIRON_KEYS, EnvironKeys
from textstream.transport.http.head import MAX_HEAD, BadHead, find_end, parse_head


def refusal(data: bytes) -> BadHead:
    with pytest.raises(BadHead) as caught:
        parse_head(data)
    return caught.value


def test_the_largest_head_is_as_large_as_may_be() -> None:
    assert len(FULL) == MAX_HEAD


@pytest.mark.parametrize("name", SERVED)
def test_what_is_served(name: str) -> None:
    data, expected = SERVED[name]
    head = parse_head(data)
    assert {attribute: getattr(head, attribute) for attribute in expected} == expected


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    data, status, words = REFUSED[name]
    refused = refusal(data)
    assert refused.status is HTTPStatus(status)
    assert words in refused.cure
    assert len(refused.cure) <= 120
    assert refused.cure.isascii()
    assert refused.cure.isprintable()


@pytest.mark.parametrize("name", SERVED)
def test_the_end_is_found_in_whatever_pieces(name: str) -> None:
    """At each byte: `start` is what was there before. Behind it comes the next request."""
    whole = SERVED[name][0]
    data = bytearray()
    for byte in whole[:-1] if len(whole) < 1000 else whole[:500]:
        searched = len(data)
        data.append(byte)
        assert find_end(data, searched) == -1
        assert find_end(data) == -1
    assert find_end(whole + get(), len(data)) == len(whole)
    assert find_end(whole + b"\r\nnext" + END) == len(whole)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_has_an_end(name: str) -> None:
    """None waits until it is too late, and what was found is refused as the whole is."""
    data, status, _ = REFUSED[name]
    if name in {"no end", "nothing"}:
        assert find_end(data) == -1
        return
    end = find_end(data)
    assert end > 0
    found = data[:end]
    if name == "something behind the end":
        assert parse_head(found).path == "/"
    else:
        assert refusal(found).status is HTTPStatus(status)


@pytest.mark.parametrize(
    ("data", "hopeless"),
    [
        (b"", False),
        (b"\r", False),
        (b"\r\n" * 5, False),
        (b"\r\n" * 5 + b"\r", False),
        (b"\r\n" * 6, True),
        (b"G", False),
        (b"\x16\x03\x01", True),
        (b"\x00", True),
        (b"\n", True),
        (b"\r\r", True),
        (b"\rG", True),
        (b"\r\n\n", True),
        (b"\r\n ", True),
        (b" GET", True),
        (b"GET / HTTP/1.1\n\n", True),
        (b"a" * MAX_HEAD, False),
        (b"a" * (MAX_HEAD + 1), True),
    ],
)
def test_where_no_head_will_come_it_shows_at_once(data: bytes, hopeless: bool) -> None:
    assert find_end(data) == (len(data) if hopeless else -1)
    if hopeless:
        assert refusal(data).status in {400, 414}


def test_a_target_without_end_is_told_from_fields_without_end() -> None:
    assert refusal(b"\r\nGET /" + b"a" * MAX_HEAD).status == HTTPStatus.REQUEST_URI_TOO_LONG
    too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    assert refusal(b"GET / HTTP/1.1\r\nA: " + b"a" * MAX_HEAD).status == too_large


def test_the_cure_shows_little_of_what_was_sent() -> None:
    assert "'" + "a" * 40 + "'" in refusal(get("a" * 1000 + " : b")).cure
    assert "a" * 41 not in refusal(get("a" * 1000 + " : b")).cure
    assert len(refusal(get("\xff" * 1000 + ": b")).cure) <= 120


def test_made_up_names_do_not_fill_the_memory() -> None:
    keys = EnvironKeys()
    for number in range(3 * EnvironKeys.MOST):
        assert keys[f"X-{number}"] == f"HTTP_X_{number}"
    assert len(keys) == EnvironKeys.MOST


def test_a_long_name_is_served_and_not_kept() -> None:
    keys = EnvironKeys()
    assert keys["X" * 65] == "HTTP_" + "X" * 65
    assert not keys


def test_usual_names_are_there_from_the_beginning() -> None:
    assert {"Host", "host", "Sec-WebSocket-Key", "sec-websocket-key"} <= set(ENVIRON_KEYS)
    assert set(ENVIRON_KEYS.values()) >= {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_X_FORWARDED_FOR"}
