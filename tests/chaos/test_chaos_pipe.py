"""One connection, step by step.

Its sockets keep the bounds of what is written, as TCP does not.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from textstream.chaos import Cut, ScriptedPlan, Stall
from textstream.chaos.pipe import LINGER_SECONDS, Pipe
from textstream.chaos.plan import Passage


@dataclass(frozen=True)
class Piped:
    """A pipe, and what is at its two ends."""

    pipe: Pipe
    client: socket.socket
    server: socket.socket

    def step(self, now: float = 0.0) -> Cut | Stall | None:
        """Let it read from the server's side, and write."""
        return self.pipe.step(now, self.pipe.server)


@contextmanager
def piped(plan: ScriptedPlan, trickle: int | None = None) -> Iterator[Piped]:
    client, clients_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server, servers_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with client, clients_end, server, servers_end:
        for each in (client, clients_end, server, servers_end):
            each.setblocking(False)
        passage = Passage(plan.faults(1))
        pipe = Pipe(1, clients_end, servers_end, passage, bucket=None, trickle=trickle)
        yield Piped(pipe, client, server)


def test_a_trickle_writes_little_at_a_time() -> None:
    with piped(ScriptedPlan(), trickle=3) as it:
        it.server.send(b"abcdefg")
        it.step()
        while it.pipe.down.waiting:
            it.pipe.step(0.0, None)
        assert [it.client.recv(100) for _ in range(3)] == [b"abc", b"def", b"g"]
        it.client.send(b"1234")
        it.pipe.step(0.0, it.pipe.client)
        it.pipe.step(0.0, None)
        assert [it.server.recv(100) for _ in range(2)] == [b"123", b"4"]


def test_stalled_it_does_nothing_though_something_was_ready() -> None:
    with piped(ScriptedPlan([2], stall=5.0)) as it:
        it.server.send(b"abcdefg")
        assert it.step() == Stall(2, 5.0)
        it.pipe.stall(5.0)
        it.client.send(b"1234")
        assert it.pipe.step(4.9, it.pipe.client) is None
        assert [it.pipe.interest(each, 4.9) for each in it.pipe.sockets] == [0, 0]
        with pytest.raises(BlockingIOError):
            it.server.recv(100)
        assert it.client.recv(100) == b"ab"
        assert it.pipe.wake_at(4.9) == 5.0
        it.pipe.step(5.0, it.pipe.client)
        assert (it.server.recv(100), it.client.recv(100)) == (b"1234", b"cdefg")


def test_hanging_up_drops_what_comes_and_does_not_wait_for_ever() -> None:
    with piped(ScriptedPlan([2], cut="fin")) as it:
        it.server.send(b"abcdefg")
        assert it.step() == Cut(2, "fin")
        it.pipe.hang_up(10.0)
        assert [it.client.recv(100) for _ in range(2)] == [b"ab", b""]
        it.server.send(b"more")
        assert it.step(10.0) is None
        assert not it.pipe.down.waiting
        assert (it.pipe.over, it.pipe.overdue(10.0)) == (False, False)
        assert it.pipe.wake_at(10.0) == 10.0 + LINGER_SECONDS
        assert it.pipe.overdue(10.0 + LINGER_SECONDS)
        it.client.close()
        it.server.close()
        it.step(10.1)
        it.pipe.step(10.1, it.pipe.client)
        assert it.pipe.over
