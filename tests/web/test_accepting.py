"""Accepting connections when there are few descriptors, or none."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from tests.support.clock import ManualClock
from tests.support.timing import patient
from textstream.transport.http.answers import RETRY_AFTER
from textstream.web.accepting import (
    DISCARDED,
    EARLY,
    PAUSE,
    TELL_SECONDS,
    UNSEEN,
    Acceptor,
    turn_away,
)
from textstream.web.descriptors import STALE_SECONDS, for_connections


class Listener(socket.socket):
    """A real one, whose next accepts fail as they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.bind(("127.0.0.1", 0))
        self.listen()
        self.failures: list[int] = []

    def _accept(self) -> tuple[int, object]:  # which `accept` calls, too
        if self.failures:
            number = self.failures.pop(0)
            raise OSError(number, os.strerror(number))
        accepted: tuple[int, object] = super()._accept()  # type: ignore[misc]
        return accepted


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as one:
        yield one


class Door:
    """An acceptor with what it is told, and what it does."""

    def __init__(self, clock: ManualClock) -> None:
        self.limit, self.used, self.can_close = 10_000, 20, 10_000
        self.slept: list[float] = []
        self.room_made: list[int] = []
        self.acceptor = Acceptor(
            clock=clock,
            sleep=self.slept.append,
            limit=lambda: self.limit,
            in_use=lambda: self.used,
            make_room=self._make_room,
        )

    def _make_room(self, count: int) -> int:
        self.room_made.append(count)
        return min(count, self.can_close)


@pytest.fixture
def door(clock: ManualClock) -> Iterator[Door]:
    one = Door(clock)
    yield one
    one.acceptor.close()


@pytest.fixture
def client(listener: Listener) -> Iterator[socket.socket]:
    """One that has connected and asked."""
    with socket.create_connection(listener.getsockname(), timeout=patient(10)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield sock


def assert_turned_away(client: socket.socket) -> None:
    with HTTPResponse(client) as response:
        response.begin()
        body = json.loads(response.read())
    assert response.status == 503
    assert response.headers["Retry-After"] == str(RETRY_AFTER) == str(body["retry_after"])
    assert body["code"] == "too_busy"
    assert client.recv(1) == b""


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]


def test_a_connection_is_accepted(door: Door, listener: Listener, client: socket.socket) -> None:
    sock, peer = door.acceptor.accept(listener)
    with sock:
        assert peer == client.getsockname()
    assert not door.room_made


def test_whoever_comes_too_early_finds_nobody(door: Door, listener: Listener) -> None:
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        door.acceptor.accept(listener)
    listener.failures = [errno.ECONNABORTED]
    with pytest.raises(ConnectionAbortedError):
        door.acceptor.accept(listener)
    assert not door.slept


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_with_a_full_table_one_is_told_so(
    door: Door,
    listener: Listener,
    client: socket.socket,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    listener.failures = [number]
    with pytest.raises(BlockingIOError):
        door.acceptor.accept(listener)
    assert_turned_away(client)
    assert (door.room_made, door.slept) == ([EARLY], [])
    (line,) = warnings(caplog)
    assert "turned away: 1, too few descriptors" in line
    assert "LimitNOFILE" in line
    with socket.create_connection(listener.getsockname()):
        door.acceptor.accept(listener)[0].close()


@pytest.mark.parametrize(
    "failures",
    [[errno.ENOBUFS], [errno.ENOMEM], [errno.EMFILE, errno.EMFILE]],
    ids=["no buffers", "no memory", "another thread was faster"],
)
def test_where_nothing_can_be_done_it_waits_a_moment(
    door: Door,
    listener: Listener,
    client: socket.socket,
    caplog: pytest.LogCaptureFixture,
    failures: list[int],
) -> None:
    for _ in range(3):
        listener.failures = list(failures)
        with pytest.raises(BlockingIOError):
            door.acceptor.accept(listener)
    assert door.slept == [PAUSE] * 3
    assert len(warnings(caplog)) == 1
    sock, peer = door.acceptor.accept(listener)
    sock.close()
    assert peer == client.getsockname()


def test_some_descriptors_are_left_for_others(
    door: Door, listener: Listener, client: socket.socket
) -> None:
    door.limit = 4  # fewer than there are in use
    with pytest.raises(BlockingIOError):
        door.acceptor.accept(listener)
    assert_turned_away(client)


def test_room_is_made_before_there_are_too_few(
    door: Door, listener: Listener, clock: ManualClock
) -> None:
    def accept() -> None:
        with socket.create_connection(listener.getsockname()):
            door.acceptor.accept(listener)[0].close()

    door.limit = 1000
    door.used = for_connections(door.limit) - EARLY
    clock.advance(1)
    for _ in range(4):
        accept()
    assert door.room_made == [1, 1, 1], "one for each that comes"
    door.can_close = 0
    for _ in range(EARLY):
        accept()
    assert door.room_made[3:] == list(range(1, EARLY + 1))
    with pytest.raises(BlockingIOError):
        accept()


def test_where_there_are_many_it_is_not_looked_for_each(
    door: Door, listener: Listener, clock: ManualClock
) -> None:
    def accept() -> int:
        """Return how often the limit was looked at meanwhile."""
        before = looks[0]
        with socket.create_connection(listener.getsockname()):
            door.acceptor.accept(listener)[0].close()
        return looks[0] - before

    looks = [0]

    def limit() -> int:
        looks[0] += 1
        return door.limit

    door.acceptor._limit = limit
    assert [accept() for _ in range(UNSEEN + 2)] == [1, *[0] * UNSEEN, 1]
    assert accept() == 0
    clock.advance(STALE_SECONDS)
    door.limit = 200  # fewer than 512 are left
    assert [accept() for _ in range(3)] == [1, 1, 1]


def test_where_there_is_none_it_is_looked_each_time_again(door: Door, listener: Listener) -> None:
    def accept() -> None:
        with socket.create_connection(listener.getsockname()):
            door.acceptor.accept(listener)[0].close()

    looks: list[None] = []

    def limit() -> int:
        looks.append(None)
        return door.limit

    accept()  # and the next ones without a look
    listener.failures = [errno.EMFILE]
    with pytest.raises(BlockingIOError):
        accept()
    door.acceptor._limit = limit
    accept()
    assert looks


def test_it_is_said_once_a_minute(
    door: Door, listener: Listener, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        with socket.create_connection(listener.getsockname()):
            listener.failures = [errno.EMFILE]
            with pytest.raises(BlockingIOError):
                door.acceptor.accept(listener)

    for _ in range(5):
        refuse()
    assert len(warnings(caplog)) == 1
    clock.advance(TELL_SECONDS)
    refuse()
    assert "turned away: 5," in warnings(caplog)[1]


def test_one_that_is_gone_is_no_matter() -> None:
    here, there = socket.socketpair()
    there.close()
    turn_away(here)
    assert here.fileno() == -1


class Endless(socket.socket):
    """One whose client sends as fast as it is read."""

    reads = 0

    def recv(self, size: int, _flags: int = 0) -> bytes:
        self.reads += 1
        assert self.reads < 10 * DISCARDED, "it is read for ever"
        return bytes(size)


def test_who_sends_without_an_end_is_turned_away_all_the_same() -> None:
    ours, theirs = socket.socketpair()
    with theirs, Endless(fileno=ours.detach()) as endless:
        turn_away(endless)
        assert endless.reads == DISCARDED
        assert theirs.recv(65_536).startswith(b"HTTP/1.1 503 ")
        assert endless.fileno() == -1
