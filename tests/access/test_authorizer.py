"""The operator's callable: believed where it makes sense, waited for with patience that ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.clock import ManualClock
from tests.support.timing import patient
from textstream.access.authorizer import Authorizer
from textstream.access.credentials import Credentials
from textstream.access.principal import Principal
from textstream.access.revocations import Revocations
from textstream.errors import RateLimited, Unauthorized

SHOWN = Credentials("the token", {"user-agent": "x"}, None, "203.0.113.7")


def at_once(job: Callable[[], None]) -> None:
    job()


def asking(result: Any) -> Authorizer:
    def authorize(_shown: Credentials) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    return Authorizer(authorize, submit=at_once)


class Threads:
    """Runs each job in a thread; they are joined after the test."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def submit(self, job: Callable[[], None]) -> None:
        self.threads.append(threading.Thread(target=job))
        self.threads[-1].start()


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads()
    yield made
    for thread in made.threads:
        thread.join(patient(10))


def test_it_is_given_what_was_shown_and_believed() -> None:
    seen: list[Credentials] = []

    def authorize(shown: Credentials) -> Principal:
        seen.append(shown)
        return Principal("alice", {"read"}, 1000)  # type: ignore[arg-type]  # as people write it

    asked = Authorizer(authorize, submit=at_once, wall_clock=lambda: 500.0)
    principal = asked.principal_of(SHOWN)
    assert principal == Principal("user:alice", frozenset({"read"}), 1000.0, issued=500.0)
    assert seen == [SHOWN]


def test_what_is_taken_back_while_it_answers_is_taken_back() -> None:
    clock = ManualClock()
    revocations = Revocations(clock)

    def authorize(_shown: Credentials) -> Principal:
        clock.advance(1)
        revocations.revoke_user("alice")
        clock.advance(1)
        return Principal("alice")

    asked = Authorizer(authorize, submit=at_once, wall_clock=clock)
    assert revocations.cover(asked.principal_of(SHOWN))
    clock.advance(1)
    later = Authorizer(lambda _: Principal("alice"), submit=at_once, wall_clock=clock)
    assert not revocations.cover(later.principal_of(SHOWN))


def test_it_says_nobody() -> None:
    with pytest.raises(Unauthorized, match="Sign in") as caught:
        asking(None).principal_of(SHOWN)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "result",
    [
        ValueError("the token of alice"),
        SystemExit(1),
        True,
        "alice",
        {"id": "alice"},
        Principal(),
        Principal("x" * 129),
        Principal(7),  # type: ignore[arg-type]
        Principal("alice", "read"),  # type: ignore[arg-type]
        Principal("alice", frozenset({1})),  # type: ignore[arg-type]
        Principal("alice", None, "soon"),  # type: ignore[arg-type]
        Principal("alice", None, float("nan")),
        Principal("alice", None, float("inf")),
        Principal("alice", None, 10**400),
    ],
    ids=lambda result: repr(result)[:60],
)
def test_what_makes_no_sense_is_a_refusal_and_one_line(
    result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    authorizer = asking(result)
    with caplog.at_level(logging.INFO):
        for _ in range(100):
            with pytest.raises(Unauthorized) as caught:
                authorizer.principal_of(SHOWN)
            assert caught.value.to_wire()["reason"] == "unavailable"
            assert caught.value.retryable
    (line,) = caplog.messages
    assert "authorize" in line
    assert "\n" not in line
    assert "the token" not in line
    assert authorizer.calls == 0


def test_one_that_hangs_is_left_and_keeps_its_place(
    threads: Threads, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()

    def authorize(_shown: Credentials) -> None:
        go_on.wait(patient(10))

    authorizer = Authorizer(authorize, submit=threads.submit, seconds=0.01, at_a_time=2)
    try:
        for _ in range(2):
            with pytest.raises(Unauthorized, match="Try again"):
                authorizer.principal_of(SHOWN)
        with pytest.raises(RateLimited) as caught:
            authorizer.principal_of(SHOWN)
        assert caught.value.scope == "server"
        assert len(threads.threads) == 2
    finally:
        go_on.set()
    for thread in threads.threads:
        thread.join(patient(10))
    assert authorizer.calls == 0
    assert len(caplog.messages) == 1
    assert "0.01 s" in caplog.text


def test_an_address_has_its_share_of_the_calls(threads: Threads) -> None:
    go_on = threading.Event()

    def authorize(shown: Credentials) -> Principal | None:
        if shown.address == "slow":
            go_on.wait(patient(10))
        return Principal("alice")

    authorizer = Authorizer(authorize, submit=threads.submit, seconds=0.01, per_address=lambda _: 1)
    slow = SHOWN._replace(address="slow")
    try:
        with pytest.raises(Unauthorized):
            authorizer.principal_of(slow)
        with pytest.raises(RateLimited) as caught:
            authorizer.principal_of(slow)
        assert caught.value.scope == "address"
        other = Authorizer(authorize, submit=at_once)
        assert other.principal_of(SHOWN).known
    finally:
        go_on.set()


def test_what_nobody_waits_for_any_more_is_not_asked() -> None:
    jobs: list[Callable[[], None]] = []
    asked: list[Credentials] = []

    def authorize(shown: Credentials) -> None:
        asked.append(shown)

    authorizer = Authorizer(authorize, submit=jobs.append, seconds=0.0)
    with pytest.raises(Unauthorized):
        authorizer.principal_of(SHOWN)
    jobs[0]()
    assert asked == []
    assert authorizer.calls == 0
