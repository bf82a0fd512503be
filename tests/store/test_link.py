"""The connection to the store: deadlines, loss, users, Sentinel. With a real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.test_shared_streams import until
from tests.support.ports import free_ports
from tests.support.store import Store, running_store, watched_stores
from tests.support.timing import patient
from textstream.errors import SourceUnavailable, Unavailable
from textstream.store import scripts
from textstream.store.connect import Connector
from textstream.store.keys import Keys, new_shared_id
from textstream.store.link import Link

pytestmark = pytest.mark.live

USER = (
    "user textstream on >password ~ts:* &ts:* "
    "+@read +@write +@stream +@pubsub +@connection +@scripting +time -@dangerous"
)
"""As in docs/scaling.md."""


class Linked:
    """A link that has begun."""

    def __init__(self, url: str) -> None:
        self.link = Link(Connector(url))
        self.ups = 0
        self.downs = 0
        self.messages: list[tuple[bytes, bytes]] = []
        self.link.on_up = self._up
        self.link.on_down = self._down
        self.link.on_message = lambda *message: self.messages.append(message)
        self.link.start()

    def _up(self) -> None:
        self.ups += 1

    def _down(self) -> None:
        self.downs += 1


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    with running_store(tmp_path) as running:
        yield running


@pytest.fixture
def linked(own_store: Store) -> Iterator[Linked]:
    linked = Linked(own_store.url)
    yield linked
    linked.link.close(5.0)


def test_it_is_asked_and_told(linked: Linked, own_store: Store) -> None:
    link = linked.link
    assert link.ask([("SET", "ts:a", "字"), ("GET", "ts:a")], 5.0) == [b"OK", "字".encode()]
    link.ask([("SUBSCRIBE", "ts:channel"), ("PING",)], 5.0)
    own_store.ask("PUBLISH", "ts:channel", "hello")
    until(lambda: linked.messages == [(b"ts:channel", b"hello")])


def test_what_waits_when_it_breaks_is_told_so(linked: Linked, own_store: Store) -> None:
    link = linked.link
    link.ask([("PING",)], 5.0)
    own_store.stand_still()
    told: list[Any] = []
    link.send([("GET", "ts:a")], told.append)
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        link.ask([("GET", "ts:a")], 0.2)
    assert time.monotonic() - begun < patient(1.0)
    until(lambda: told == [None], patient(8.0))
    assert (linked.ups, linked.downs, link.up) == (1, 1, False)
    own_store.go_on()
    until(lambda: linked.ups == 2)
    assert link.ask([("PING",)], 5.0) == [b"PONG"]


def test_where_nobody_answers_it_is_tried_again(tmp_path: Path) -> None:
    port = free_ports()
    linked = Linked(f"redis://127.0.0.1:{port}")
    try:
        with pytest.raises(Unavailable):
            linked.link.ask([("PING",)], 0.3)
        store = Store(tmp_path, port=port)
        try:
            until(lambda: linked.ups == 1)
            assert linked.link.ask([("PING",)], 5.0) == [b"PONG"]
        finally:
            store.kill()
    finally:
        linked.link.close(5.0)


def test_a_step_that_fails_ends_nothing(linked: Linked, caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> None:
        raise ValueError("a fault of ours")

    linked.link.soon(fails)
    assert linked.link.ask([("PING",)], 5.0) == [b"PONG"]
    assert "a step of the store's failed" in caplog.text


def test_calls_come_in_their_order(linked: Linked) -> None:
    called: list[int] = []
    done = threading.Event()
    now = time.monotonic()
    linked.link.call_at(now + 0.09, done.set)
    linked.link.call_at(now + 0.06, lambda: called.append(3))
    linked.link.call_at(now + 0.03, lambda: called.append(2))
    linked.link.soon(lambda: called.append(1))
    assert done.wait(5.0)
    assert called == [1, 2, 3]


def test_a_user_of_its_own_may_all_that_is_needed(own_store: Store) -> None:
    own_store.ask("ACL", "SETUSER", *USER.split()[1:])
    keys, stream_id = Keys("ts"), new_shared_id(None)
    linked = Linked(f"redis://textstream:password@127.0.0.1:{own_store.port}")
    try:
        linked.link.ask(
            [
                ("EVAL", scripts.RENEW, 1, keys.processes, "me", 5000),
                ("EVAL", scripts.CREATE, 1, keys.record(stream_id), 60, stream_id, "owner", "me"),
                ("EVAL", scripts.CLAIM, 1, keys.record(stream_id), "me", "you"),
                ("XADD", keys.log(stream_id), "3-0", "t", "abc", "c", 3),
                ("XRANGE", keys.log(stream_id), "-", "+", "COUNT", 10),
                ("XREVRANGE", keys.log(stream_id), "+", "-", "COUNT", 1),
                ("SADD", keys.owned("me"), stream_id),
                ("SMEMBERS", keys.owned("me")),
                ("SUBSCRIBE", keys.channel(stream_id)),
                ("PUBLISH", keys.channel(stream_id), "3|3||abc"),
                ("ZREM", keys.processes, "me"),
            ],
            5.0,
        )
        with pytest.raises(Unavailable):
            linked.link.ask([("GET", "somebody else's")], 5.0)
        with pytest.raises(Unavailable):
            linked.link.ask([("FLUSHALL",)], 5.0)
    finally:
        linked.link.close(5.0)


def test_behind_sentinel_it_is_the_primary_of_now(tmp_path: Path) -> None:
    with watched_stores(tmp_path) as (primary, replica, url):
        linked = Linked(url)
        try:
            linked.link.ask([("SET", "ts:a", "1")], patient(5.0))
            until(lambda: replica.ask("GET", "ts:a") == "1")
            primary.kill()
            until(lambda: linked.ups >= 2 and replica.ask("ROLE")[0] == "master", patient(30.0))
            until(lambda: linked.link.up, patient(10.0))
            assert linked.link.ask([("SET", "ts:a", "2")], patient(5.0)) == [b"OK"]
            assert replica.ask("GET", "ts:a") == "2"
        finally:
            linked.link.close(5.0)


@pytest.mark.parametrize("wrong", ["redis+sentinel://host:26379", "nothing"])
def test_what_is_no_address_is_said_at_once(wrong: str) -> None:
    with pytest.raises(SourceUnavailable, match="TEXTSTREAM_STORE"):
        Connector(wrong)
