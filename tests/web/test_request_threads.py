"""How many connections may have a thread, and which of them give way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from textstream.access.address import Proxies
from textstream.web.request_threads import (
    FAR,
    MOST,
    RequestThreads,
)

NEAR, ELSEWHERE, OTHER = "127.0.0.1", "203.0.113.7", "203.0.113.8"


class Threads:
    """Eight of them at most, three of an address elsewhere; and sockets to fill them with."""

    def __init__(self) -> None:
        self.table = RequestThreads(Proxies(["10.0.0.0/8"]), most=8, far=3)
        self.working = ExitStack()
        self.pairs: list[tuple[socket.socket, socket.socket]] = []

    def enter(self, peer: str) -> socket.socket | None:
        """Connect; return the server's socket, None: there was no room."""
        pair = socket.socketpair()
        self.pairs.append(pair)
        return pair[0] if self.table.enter(pair[0], peer) else None

    def fill(self, peer: str, count: int) -> list[socket.socket]:
        entered = [self.enter(peer) for _ in range(count)]
        assert None not in entered
        return [one for one in entered if one]

    def send(self, sock: socket.socket) -> None:
        """Let the client of a connection ask for something."""
        next(there for here, there in self.pairs if here is sock).send(b"GET")

    def work(self, *socks: socket.socket) -> None:
        """Let requests of these connections be answered until the test ends."""
        for sock in socks:
            self.working.enter_context(self.table.at_work(sock))

    def ended(self, sock: socket.socket) -> bool:
        """Whether a connection was ended."""
        there = next(there for here, there in self.pairs if here is sock)
        there.setblocking(False)
        try:
            return there.recv(1) == b""
        except BlockingIOError:
            return False


@pytest.fixture
def threads() -> Iterator[Threads]:
    one = Threads()
    yield one
    one.working.close()
    for pair in one.pairs:
        for sock in pair:
            sock.close()


@pytest.mark.parametrize(
    ("peer", "share"),
    [(NEAR, 6), ("::1", 6), ("", 6), ("10.1.2.3", 6), (ELSEWHERE, 3), ("2001:db8::1", 3)],
)
def test_shares(threads: Threads, peer: str, share: int) -> None:
    threads.work(*threads.fill(peer, share))
    assert threads.enter(peer) is None
    assert threads.enter(OTHER), "there is room for others"


def test_an_ipv6_site_has_one_share(threads: Threads) -> None:
    threads.work(*threads.fill("2001:db8:1:2::1", 2), *threads.fill("2001:db8:1:2:ffff::2", 1))
    assert threads.enter("2001:db8:1:2::3") is None
    assert threads.enter("2001:db8:1:3::1")


def test_all_together(threads: Threads) -> None:
    threads.work(*threads.fill(NEAR, 6), *threads.fill(ELSEWHERE, 2))
    assert threads.enter(OTHER) is None
    threads.table.make_room(1)
    assert threads.table.counts() == {"connections": 8, "addresses": 2}


def test_who_has_left_makes_room(threads: Threads) -> None:
    entered = threads.fill(ELSEWHERE, 3)
    threads.work(*entered)
    for _ in range(2):
        threads.table.leave(entered[0])
    assert threads.enter(ELSEWHERE)
    assert not any(threads.ended(sock) for sock in entered)
    for sock in entered:
        threads.table.leave(sock)


def test_the_oldest_that_asks_for_nothing_gives_way_to_its_own_address(threads: Threads) -> None:
    near = threads.fill(NEAR, 1)
    entered = threads.fill(ELSEWHERE, 3)
    threads.work(entered[0])
    assert threads.enter(ELSEWHERE)
    assert [threads.ended(sock) for sock in (*near, *entered)] == [False, False, True, False]
    threads.table.leave(entered[1])  # its thread has found out
    assert threads.table.counts() == {"connections": 4, "addresses": 2}


def test_whoever_has_asked_stays_though_its_thread_has_not_read_it(threads: Threads) -> None:
    entered = threads.fill(ELSEWHERE, 3)
    for sock in entered[:2]:
        threads.send(sock)
    assert threads.enter(ELSEWHERE)
    assert [threads.ended(sock) for sock in entered] == [False, False, True]


def test_one_that_was_served_may_give_way_again(threads: Threads) -> None:
    entered = threads.fill(ELSEWHERE, 3)
    with threads.table.at_work(entered[0]):
        pass
    assert threads.enter(ELSEWHERE)
    assert threads.ended(entered[0])


def test_where_all_is_taken_the_largest_gives_way(threads: Threads) -> None:
    small = threads.fill(OTHER, 2)
    large = threads.fill(NEAR, 6)
    assert threads.enter(ELSEWHERE)
    assert threads.ended(large[0])
    threads.table.make_room(2)
    assert threads.ended(large[1])
    assert threads.ended(large[2])
    assert not any(threads.ended(sock) for sock in (*small, *large[3:]))


def test_there_is_nobody_to_give_way(threads: Threads) -> None:
    threads.table.make_room(3)
    assert threads.table.counts() == {"connections": 0, "addresses": 0}


def test_few_descriptors_are_few_threads() -> None:
    few = RequestThreads(Proxies(), descriptors=lambda: 256)
    assert (few.most, few.share(NEAR), few.share(ELSEWHERE)) == (128, 96, FAR)
    many = RequestThreads(Proxies(), descriptors=lambda: 65_536)
    assert (many.most, many.share(NEAR), many.share(ELSEWHERE)) == (MOST, 768, FAR)
