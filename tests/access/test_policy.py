"""Who a client is, and what it may do with a stream."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from textstream.access.policy import check_control, owns
from textstream.access.principal import ANYBODY, MAX_CLIENT_KEY, Principal, principal_of
from textstream.errors import Forbidden

KEY = "0123456789abcdef"
ME, YOU = Principal("client:me"), Principal("client:you")


@dataclass
class Stream:
    owner: str = "my connection"
    principal: Principal = ME
    key: str = "the key"


def test_a_client_is_the_same_on_each_of_its_connections() -> None:
    mine, again, other = (principal_of({"client_key": key}) for key in (KEY, KEY, KEY + "x"))
    assert mine == again != other
    assert mine.known
    assert KEY not in repr(mine)


@pytest.mark.parametrize(
    "auth",
    [
        None,
        "a string",
        [],
        {},
        {"client_key": None},
        {"client_key": 12345678901234567890},
        {"client_key": KEY[:-1]},
        {"client_key": "x" * (MAX_CLIENT_KEY + 1)},
        {"client_key": [KEY]},
        {"token": KEY},
    ],
    ids=repr,
)
def test_what_is_no_key_says_nothing(auth: object) -> None:
    assert principal_of(auth) == ANYBODY
    assert not ANYBODY.known


def test_a_key_of_any_characters_is_one() -> None:
    assert principal_of({"client_key": "\ud83d" * 16}).known


@pytest.mark.parametrize(
    ("principal", "connection", "key", "expected"),
    [
        (ANYBODY, "my connection", None, True),
        (ME, "another of mine", None, True),
        (ANYBODY, "another", "the key", True),
        (YOU, "yours", "the key", True),
        (YOU, "yours", None, False),
        (ANYBODY, "another", None, False),
        (ANYBODY, "", None, False),
    ],
)
def test_who_owns_a_stream(
    principal: Principal, connection: str, key: str | None, *, expected: bool
) -> None:
    stream = Stream()
    assert owns(stream, principal, connection, key) is expected
    if expected:
        check_control(stream, principal, connection, key)
    else:
        with pytest.raises(Forbidden, match="key"):
            check_control(stream, principal, connection, key)


def test_two_that_nothing_is_known_of_are_not_the_same() -> None:
    assert not owns(Stream(principal=ANYBODY), ANYBODY, "another", None)


@pytest.mark.parametrize("connection", ["my connection", "another"])
@pytest.mark.parametrize("key", ["the keY", "", "é", "the key "])
def test_another_streams_key_is_refused_whoever_shows_it(connection: str, key: str) -> None:
    with pytest.raises(Forbidden):
        owns(Stream(), ME, connection, key)
