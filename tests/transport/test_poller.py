"""Waiting for sockets: one contract, held by ``epoll`` itself and by `selectors`."""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Iterator

import pytest

from textstream.transport import poller as pollers
from textstream.transport.poller import Poller, SelectorPoller, new_poller

KINDS = [SelectorPoller] + ([pollers.EpollPoller] if sys.platform == "linux" else [])

NOW = 0.0


class Handler:
    """Someone to be called."""

    def on_ready(self, readable: bool, writable: bool) -> None: ...


@pytest.fixture(params=KINDS)
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    made = request.param()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def test_who_waits_to_read_is_called_when_something_is_there(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    handler = Handler()
    poller.watch(ours, handler, read=True, write=False)
    assert poller.poll(NOW) == []
    theirs.send(b"x")
    assert poller.poll(None) == [(handler, True, False)]
    assert poller.sockets() == [ours]


def test_who_waits_for_both_is_told_which(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    handler = Handler()
    poller.watch(ours, handler, read=True, write=True)
    assert poller.poll(NOW) == [(handler, False, True)]
    theirs.send(b"x")
    assert poller.poll(NOW) == [(handler, True, True)]


def test_what_is_waited_for_can_be_changed_and_who_is_called(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    first, second = Handler(), Handler()
    theirs.send(b"x")
    poller.watch(ours, first, read=True, write=False)
    poller.watch(ours, second, read=False, write=True)
    assert poller.poll(NOW) == [(second, False, True)]
    poller.watch(ours, second, read=False, write=False)
    assert poller.poll(NOW) == []
    assert poller.sockets() == []
    poller.watch(ours, first, read=True, write=False)
    assert poller.poll(NOW) == [(first, True, False)]


def test_a_socket_that_was_forgotten_may_go_on_and_come_back(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    poller.watch(ours, Handler(), read=True, write=False)
    poller.forget(ours)
    poller.forget(ours)
    theirs.send(b"x")
    assert poller.poll(NOW) == []
    again = Handler()
    poller.watch(ours, again, read=True, write=False)
    assert poller.poll(NOW) == [(again, True, False)]


def test_a_descriptor_that_is_used_again_is_the_new_socket(poller: Poller) -> None:
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    poller.watch(ours, Handler(), read=True, write=False)
    poller.forget(ours)
    ours.close()
    theirs.close()
    again, peer = socket.socketpair()
    with again, peer:
        assert number in {again.fileno(), peer.fileno()}
        handler = Handler()
        poller.watch(again, handler, read=True, write=False)
        peer.send(b"x")
        assert poller.poll(NOW) == [(handler, True, False)]


def test_the_end_of_the_peer_is_there_to_be_read(poller: Poller, pair: Pair) -> None:
    ours, theirs = pair
    handler = Handler()
    poller.watch(ours, handler, read=True, write=False)
    theirs.close()
    ((called, readable, _),) = poller.poll(NOW)
    assert (called, readable) == (handler, True)
    assert ours.recv(1) == b""


def test_a_closed_one_says_so(poller: Poller) -> None:
    poller.close()
    poller.close()
    with pytest.raises(OSError, match="closed"):
        poller.poll(NOW)


def test_where_epoll_was_taken_away_there_is_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """As gevent does."""
    monkeypatch.delattr(select, "epoll", raising=False)
    made = new_poller()
    made.close()
    assert isinstance(made, SelectorPoller)
