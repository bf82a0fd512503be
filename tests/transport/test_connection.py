"""One connection over a socket pair, with a real reactor and pool."""

from __future__ import annotations

import contextlib
import gc
import select
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sources.waiting import wait_until
from tests.support.timing import patient
from tests.transport.passing import let_pass
from textstream.access.account import Account, Kind
from textstream.threads import ThreadPool
from textstream.transport.assembler import Assembler, Message
from textstream.transport.bounds import Bounds
from textstream.transport.connection import Connection
from textstream.transport.parser import Parser
from textstream.transport.reactor import Reactor
from textstream.transport.receiver import Receiver
from textstream.transport.turns import Turns

TIMEOUT = patient(10.0)

NEVER = 3600.0
"""Seconds until a peer that does not close is given up: what ends these connections is no timer."""

MISTAKE = b"\x83\x80\0\0\0\0"
GOODBYE = b"\x88\x82\0\0\0\0\x03\xe8"
TEXT = b"\x81\x82\0\0\0\0hi"


class Owner:
    """Points at its connection, and is pointed at: as a peer does."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.messages: list[Message] = []
        self.came = threading.Event()
        self.went = threading.Event()

    def on_message(self, message: Message) -> None:
        self.messages.append(message)
        self.came.set()

    def on_close(self) -> None:
        self.went.set()


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    made = Reactor()
    yield made
    made.close()


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    made = ThreadPool(2, "worker", cure="")
    yield made
    made.close(time.monotonic() + TIMEOUT)


Connect = Callable[..., tuple[Connection, Owner, socket.socket]]


@pytest.fixture
def connect(reactor: Reactor, pool: ThreadPool) -> Iterator[Connect]:
    """Make connections, each with its owner and the peer's socket; closed after the test."""
    peers: list[socket.socket] = []

    def make(bounds: Bounds, **options: Any) -> tuple[Connection, Owner, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.settimeout(TIMEOUT)
        owner = Owner()
        connection = Connection(
            ours,
            reactor=reactor,
            pool=pool,
            bounds=bounds,
            turns=Turns(bounds),
            on_message=owner.on_message,
            on_close=owner.on_close,
            **options,
        )
        owner.connection = connection
        connection.start()
        peers.append(theirs)
        return connection, owner, theirs

    yield make
    for theirs in peers:
        with contextlib.suppress(OSError):  # the other half has gone
            theirs.shutdown(socket.SHUT_WR)
            read_to_the_end(theirs)
        wait_until_closed(theirs)
        theirs.close()


def test_what_is_left_for_the_end_of_a_turn_goes_in_one_send(
    connect: Connect, reactor: Reactor
) -> None:
    connection, _, theirs = connect(Bounds())
    early, done = list[bytes](), threading.Event()

    def handle() -> None:
        connection.write_last(b"one ")
        connection.write_last(b"two ")
        connection.write(b"three")  # not before what was written first
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            early.append(theirs.recv(1))
        theirs.settimeout(TIMEOUT)
        reactor.call_soon(done.set)

    reactor.call_soon(handle)
    assert done.wait(TIMEOUT)
    assert theirs.recv(100) == b"one two three"
    assert not early
    connection.write(b"four")
    assert theirs.recv(100) == b"four", "it keeps nothing back any more"


def test_in_another_thread_nothing_is_left_for_the_end_of_a_turn(connect: Connect) -> None:
    connection, _, theirs = connect(Bounds())
    connection.write_last(b"one")
    assert theirs.recv(100) == b"one"
    assert connection.settled


def test_a_cork_does_not_lose_what_was_left_for_the_end_of_a_turn(
    connect: Connect, reactor: Reactor
) -> None:
    connection, _, theirs = connect(Bounds())

    def handle() -> None:
        connection.write_last(b"one ")
        connection.cork()
        connection.write(b"two")
        connection.uncork()

    reactor.call_soon(handle)
    assert theirs.recv(100) == b"one two"


def test_what_is_held_back_is_bounded_as_what_is_not(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    connection, owner, theirs = connect(Bounds(max_buffered=100_000, stall=NEVER))
    frame = b"\x81\x7e\x0f\xff" + b"x" * 4095
    for _ in range(1000):
        connection.cork()
        connection.write(frame)
        connection.uncork()
        assert len(connection._out) <= 100_000 + 2 * len(frame)
    assert owner.went.wait(TIMEOUT)
    assert "too slow" in caplog.text
    with contextlib.suppress(ConnectionResetError):
        read_to_the_end(theirs)


def test_nothing_is_left_for_the_end_by_who_says_goodbye(
    connect: Connect, reactor: Reactor
) -> None:
    connection, _, theirs = connect(Bounds())

    def handle() -> None:
        connection.write_last(b"one ")
        connection.close()
        connection.write_last(b"two")

    reactor.call_soon(handle)
    let_pass(reactor, 0)  # or the goodbye may come first
    theirs.sendall(GOODBYE)
    assert read_to_the_end(theirs) == b"one \x88\x02\x03\xe8"


def read_to_the_end(sock: socket.socket) -> bytes:
    """Return what comes before the FIN."""
    return b"".join(iter(lambda: sock.recv(65_536), b""))


def wait_until_closed(sock: socket.socket) -> None:
    """Wait until the other side is closed, and not one half of it alone."""
    poller = select.poll()
    poller.register(sock, 0)
    assert poller.poll(TIMEOUT * 1000), "a connection outlives its peer"


@pytest.mark.parametrize(
    ("said", "answer"), [(MISTAKE, b"\x03\xeaInvalid opcode 0x3"), (GOODBYE, b"\x03\xe8")]
)
@pytest.mark.parametrize("half", ["stays open", "is ended"])
def test_the_end_follows_what_waits(
    connect: Connect, said: bytes, answer: bytes, half: str
) -> None:
    """Our close frame, and a FIN. The application hears at once that it is over."""
    connection, owner, theirs = connect(Bounds(max_buffered=1 << 30, closing=NEVER))
    sent = b""
    while connection.settled:
        connection.write(b"\x81\x7d" + b"x" * 125)
        sent += b"\x81\x7d" + b"x" * 125
    theirs.sendall(said)
    if half == "is ended":
        theirs.shutdown(socket.SHUT_WR)
    assert owner.went.wait(TIMEOUT)
    assert not connection.settled
    assert read_to_the_end(theirs) == sent + b"\x88" + bytes((len(answer),)) + answer


def test_after_our_close_frame_nothing_is_handled(connect: Connect) -> None:
    """And its end is not kept from the application until the peer has answered, if it ever does."""
    connection, owner, theirs = connect(Bounds(closing=NEVER))
    theirs.sendall(TEXT)
    assert owner.came.wait(TIMEOUT)
    connection.close(1008, "Enough")
    assert owner.went.wait(TIMEOUT)
    theirs.sendall(TEXT + GOODBYE + TEXT)
    assert read_to_the_end(theirs) == b"\x88\x08\x03\xf0Enough"
    assert owner.messages == ["hi"]


def test_a_peer_that_does_not_close_is_given_up(connect: Connect) -> None:
    _, _, theirs = connect(Bounds(closing=0.05))
    theirs.sendall(MISTAKE)
    assert read_to_the_end(theirs).startswith(b"\x88")
    wait_until_closed(theirs)


def test_a_peer_that_goes_on_sending_is_given_up(connect: Connect) -> None:
    _, _, theirs = connect(Bounds(max_dropped=1000, closing=NEVER))
    theirs.sendall(MISTAKE)
    assert read_to_the_end(theirs).startswith(b"\x88")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012 (at some point)
        while True:
            theirs.sendall(TEXT)


def test_one_that_is_being_closed_need_not_confirm_anything(
    connect: Connect, reactor: Reactor, caplog: pytest.LogCaptureFixture
) -> None:
    """Or a second close frame would follow the first."""
    connection, _, theirs = connect(Bounds(stall=20, closing=40))
    while connection.window.open:
        connection.write_units(b"\x81\x7d" + b"x" * 125)
    connection.close(1000)
    for _ in range(2):
        let_pass(reactor, 30)
    assert read_to_the_end(theirs).endswith(b"x\x88\x02\x03\xe8")
    assert "too slow" not in caplog.text  # a turn is long where the clock jumps


@pytest.mark.parametrize("end", ["it reads", "it goes", "it is too slow", "it says goodbye"])
def test_what_waits_is_borne_by_the_account_and_nothing_is_left(connect: Connect, end: str) -> None:
    everybody = Account()
    account = Account(everybody)
    bounds = Bounds(max_buffered=1 << 20, closing=0.05)
    connection, owner, theirs = connect(bounds, account=account)
    theirs.sendall(b"\x01\xfe\x40\0" + bytes(4) + b"x" * 16_384)  # half a message
    theirs.sendall(b"\x89\x80\0\0\0\0")
    assert theirs.recv(2) == b"\x8a\0", "so it has come"
    frame = b"\x81\x7e\x7f\xff" + b"x" * 32_767
    sent = 0
    while connection.settled or end == "it is too slow":
        connection.write(frame)
        sent += len(frame)
        if end == "it is too slow" and owner.went.wait(0):
            break
    if end != "it is too slow":
        assert account.count(Kind.OUTGOING) == len(connection._out) > 0
        assert account.count(Kind.UNFINISHED) == 16_384
        assert everybody.counts() == account.counts()
    if end == "it reads":
        while sent:
            sent -= len(theirs.recv(65_536))
        theirs.sendall(b"\x80\x80\0\0\0\0")
        assert owner.came.wait(TIMEOUT)
    if end in {"it reads", "it goes"}:
        theirs.shutdown(socket.SHUT_WR)
    elif end == "it says goodbye":
        theirs.sendall(GOODBYE)
    assert owner.went.wait(TIMEOUT)
    with contextlib.suppress(ConnectionResetError):
        read_to_the_end(theirs)
    wait_until_closed(theirs)
    assert account.counts() == dict.fromkeys(account.counts(), 0)


def test_what_has_gone_is_freed_without_the_collector(reactor: Reactor, pool: ThreadPool) -> None:
    """The collector of cyclic garbage stops everybody: 340 ms for 8,000 connections."""
    before = living()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    owner = Owner()
    connection = owner.connection = Connection(
        ours,
        reactor=reactor,
        pool=pool,
        bounds=Bounds(),
        turns=Turns(Bounds()),
        on_message=owner.on_message,
        on_close=owner.on_close,
    )
    connection.start()
    theirs.sendall(b"\x81\x82\0\0\0\0hi")
    assert owner.came.wait(TIMEOUT)
    assert owner.messages == ["hi"]
    went = owner.went
    freed = [threading.Event(), threading.Event()]
    for part, event in zip((ours, owner), freed, strict=True):
        weakref.finalize(part, event.set)
    gc.disable()
    try:
        del ours, owner, connection, part
        theirs.close()
        assert went.wait(TIMEOUT)
        assert all(event.wait(TIMEOUT) for event in freed)
        # These have no room for a weak reference.
        wait_until(lambda: not living() - before, TIMEOUT)
    finally:
        gc.enable()


def living() -> set[int]:
    """Return which parts of connections there are."""
    kinds = {Connection, Receiver, Assembler, Parser}
    return {id(one) for one in gc.get_objects() if type(one) in kinds}
