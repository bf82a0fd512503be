"""Who a client is, and what it may do with a stream."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.clock import ManualClock
from textstream.access.grants import Grant, guest
from textstream.access.policy import Policy, owns
from textstream.access.principal import (
    ANYBODY,
    LEEWAY,
    MAX_CLIENT_KEY,
    Principal,
    Scope,
    principal_of,
    user,
)
from textstream.errors import Forbidden, Unauthorized

KEY = "0123456789abcdef"
ME, YOU = Principal("client:me"), Principal("client:you")


@dataclass
class Stream:
    owner: str = "my connection"
    principal: Principal = ME
    key: str = "the key"
    id: str = "the stream"
    is_private: bool = False
    share: int = 0


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
        Policy().check_control(stream, principal, connection, key)
    else:
        with pytest.raises(Forbidden, match="key"):
            Policy().check_control(stream, principal, connection, key)


def test_two_that_nothing_is_known_of_are_not_the_same() -> None:
    assert not owns(Stream(principal=ANYBODY), ANYBODY, "another", None)


@pytest.mark.parametrize("connection", ["my connection", "another"])
@pytest.mark.parametrize("key", ["the keY", "", "é", "the key "])
def test_another_streams_key_is_refused_whoever_shows_it(connection: str, key: str) -> None:
    with pytest.raises(Forbidden):
        owns(Stream(), ME, connection, key)


def test_a_user_with_a_newer_token_is_the_same() -> None:
    stream = Stream(principal=user("alice", None, 1000.0))
    newer = user("alice", frozenset({"read", "control"}), 2000.0)
    assert owns(stream, newer, "another")
    Policy(clock=lambda: 1500.0).check_control(stream, newer, "another")
    assert not owns(stream, user("bob"), "another")
    assert not owns(stream, Principal("client:alice"), "another")


@pytest.mark.parametrize(
    ("scopes", "scope", "source", "expected"),
    [
        (None, "start", "llm", True),
        (None, "read", "", True),
        (None, "control", "", True),
        (None, "share", "", True),
        (None, "admin", "", False),
        ((), "read", "", False),
        (("start",), "start", "llm", True),
        (("start",), "read", "", False),
        (("start:llm",), "start", "llm", True),
        (("start:llm",), "start", "llm2", False),
        (("start:llm",), "start", "text", False),
        (("start:",), "start", "llm", False),
        (("start:llm",), "control", "", False),
        (("read",), "control", "", False),
        (("admin",), "start", "llm", True),
        (("admin",), "control", "", True),
        (("admin",), "admin", "", True),
        (("READ",), "read", "", False),
    ],
)
def test_scopes(
    scopes: tuple[str, ...] | None, scope: Scope, source: str, *, expected: bool
) -> None:
    principal = user("alice", None if scopes is None else frozenset(scopes))
    if expected:
        Policy().check(principal, scope, source)
    else:
        with pytest.raises(Forbidden, match=f"scope {scope}"):
            Policy().check(principal, scope, source)


def test_who_has_expired_may_nothing_and_the_clock_is_asked_each_time(clock: ManualClock) -> None:
    policy, principal = Policy(clock=clock), user("alice", None, clock.now + 5)
    policy.check(principal, "read")
    clock.advance(5 + LEEWAY - 0.001)
    policy.check(principal)
    clock.advance(0.001)
    scopes: tuple[Scope | None, ...] = (None, "read", "start")
    for scope in scopes:
        with pytest.raises(Unauthorized) as caught:
            policy.check(principal, scope)
        assert caught.value.to_wire()["reason"] == "expired"
        assert caught.value.retryable


def test_an_admin_stops_what_is_not_its_own() -> None:
    Policy().check_control(Stream(), user("root", frozenset({"admin"})), "another")
    with pytest.raises(Forbidden, match="scope control"):
        Policy().check_control(Stream(), user("me", frozenset({"read"})), "my connection")


GRANT = Grant("the stream", 0, 2e9, "a grant")


@pytest.mark.parametrize("is_private", [False, True])
@pytest.mark.parametrize("private", [False, True])
def test_who_may_read(*, private: bool, is_private: bool) -> None:
    policy, stream = Policy(private=private), Stream(is_private=is_private)
    policy.check_read(stream, ME, "another")
    policy.check_read(stream, YOU, "another", key="the key")
    policy.check_read(stream, YOU, "another", grant=GRANT)
    policy.check_read(stream, user("root", frozenset({"admin"})), "another")
    policy.check_read(stream, guest(GRANT), "another", grant=GRANT)
    if private or is_private:
        with pytest.raises(Forbidden, match="link"):
            policy.check_read(stream, YOU, "another")
    else:
        policy.check_read(stream, YOU, "another")
    with pytest.raises(Forbidden, match="scope read"):
        policy.check_read(stream, guest(GRANT), "another")


@pytest.mark.parametrize(
    "grant", [GRANT._replace(stream="another"), GRANT._replace(share=1)], ids=["stream", "share"]
)
def test_a_grant_is_for_one_sharing_of_one_stream(grant: Grant) -> None:
    with pytest.raises(Forbidden, match="any more"):
        Policy().check_read(Stream(), YOU, "another", grant=grant)


def test_who_may_share() -> None:
    Policy().check_share(Stream(), ME, "another")
    Policy().check_share(Stream(), YOU, "another", "the key")
    Policy().check_share(Stream(), user("root", frozenset({"admin"})), "another")
    for principal in (YOU, guest(GRANT), user("me", frozenset({"read", "control"}))):
        with pytest.raises(Forbidden):
            Policy().check_share(Stream(), principal, "another")
