"""What one connection may make the reactor do and the server keep, with a clock of the test's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.transport.manual_reactor import ManualReactor
from tests.transport.raw import frame
from tests.transport.test_assembler import MORE, PING, TEXT, pieces
from textstream.access.account import Account, Kind
from textstream.access.caller import Caller
from textstream.threads import ThreadPool
from textstream.transport.assembler import FRAMES, Message
from textstream.transport.bounds import LARGE, Bounds, Limit
from textstream.transport.inbox import WORTH_COUNTING, Inbox
from textstream.transport.large import Large, Oversized
from textstream.transport.receiver import Receiver
from textstream.transport.turns import ASKS, Turns

PONG = 0x8A


class Jobs(ThreadPool):
    """A pool that runs its jobs when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, job: Callable[[], None], caller: Caller | None = None) -> None:
        self.jobs.append(job)

    def work(self) -> None:
        """Run what there is."""
        while self.jobs:
            self.jobs.pop(0)()


class Peer:
    """A receiver's owner and everything around it, and what it is told to do."""

    def __init__(
        self, bounds: Bounds, turns: Turns | None = None, address: str = "", **options: Any
    ) -> None:
        self.reactor = ManualReactor()
        self.pool = Jobs()
        self.messages: list[Message] = []
        self.written: list[bytes] = []
        self.closed: list[tuple[int, str]] = []
        self.account = Account()
        self.inbox = Inbox(
            self.pool,
            bounds,
            on_message=self._handle,
            on_end=lambda: None,
            account=self.account,
        )
        self.receiver = Receiver(
            self,
            self.inbox,
            reactor=self.reactor.as_reactor(),
            bounds=bounds,
            turns=turns or Turns(bounds),
            caller=Caller(address, f"{id(self)}"),
            account=self.account,
            **options,
        )

    def send(self, data: bytes, size: int = 8192) -> int:
        """Send `data` while it is read, `size` bytes in a turn; return how many bytes were."""
        sent = 0
        while sent < len(data) and self.receiver.open:
            self.receiver.feed(data[sent : sent + size])
            sent += size
            self.reactor.settle()
        return min(sent, len(data))

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self, code: int, reason: str = "") -> None:
        self.closed.append((code, reason))
        self.receiver.leave()

    def watch(self) -> None: ...

    def end_writing(self) -> None: ...

    def _handle(self, message: Message) -> None:
        self.messages.append(message)
        if isinstance(message, Large) and message.ticket:
            message.ticket.leave()
        self.receiver.handled()


def text(size: int) -> bytes:
    """Return the frames of a text message of `size` bytes."""
    return b"".join(pieces(TEXT, b"x" * size))


# Time


def test_a_message_that_is_not_finished_in_time_closes(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer(Bounds(unfinished=30))
    peer.send(frame(TEXT, b"", fin=False))
    for _ in range(29):
        peer.reactor.advance(1)
        peer.send(frame(PING) + frame(MORE, b"more", fin=False) + frame(PING))
    assert not peer.closed
    peer.reactor.advance(1)
    assert peer.closed == [(1008, "A message was not finished in 30 s")]
    (record,) = caplog.records
    assert "not finished in 30 s" in record.getMessage()
    assert peer.account.total == 0


def test_time_counts_for_each_message() -> None:
    peer = Peer(Bounds(unfinished=30))
    for _ in range(4):
        peer.send(frame(TEXT, b"a", fin=False))
        peer.reactor.advance(20)
        peer.send(frame(MORE, b"b"))
        peer.reactor.advance(5)
        peer.send(frame(TEXT, b"c", fin=False) + frame(MORE, b"d") + frame(TEXT, b"whole"))
    peer.reactor.advance(100)
    assert not peer.closed
    assert len(peer.reactor.waiting) == 0


def test_one_that_is_dropped_as_it_comes_must_end_as_well() -> None:
    peer = Peer(Bounds(max_message=10, unfinished=30))
    peer.send(frame(TEXT, b"x" * 20, fin=False))
    peer.reactor.advance(30)
    assert [code for code, _ in peer.closed] == [1008]


def test_whole_messages_need_no_timer() -> None:
    peer = Peer(Bounds())
    peer.send(frame(TEXT, b"x" * 5000) + frame(PING) + frame(TEXT, b"x"))
    assert peer.reactor.timers == []


def test_the_time_in_which_we_do_not_read_does_not_count() -> None:
    peer = Peer(Bounds(unfinished=30, max_inbox=1))
    peer.send(frame(TEXT, b"1") + frame(TEXT, b"2") + frame(TEXT, b"half", fin=False))
    assert not peer.receiver.open
    peer.reactor.advance(100)
    peer.pool.work()
    peer.reactor.settle()
    peer.reactor.advance(29)
    assert not peer.closed
    peer.reactor.advance(1)
    assert peer.closed


def test_a_flood_does_not_stop_the_time() -> None:
    """Its sender is not read for most of each second."""
    peer = Peer(Bounds(unfinished=30, frames_per_second=100))
    peer.send(frame(TEXT, b"a", fin=False))
    for _ in range(29):
        peer.send(frame(MORE, b"a", fin=False) * 1000)
        assert not peer.receiver.open
        peer.reactor.advance(1)
    assert not peer.closed
    peer.reactor.advance(1)
    assert peer.closed


# Frames


def test_frames_that_are_no_messages_are_throttled_and_not_lost() -> None:
    peer = Peer(Bounds(frames_per_second=1000))
    data = frame(TEXT, b"a", fin=False) + frame(MORE, b"b", fin=False) * 4998 + frame(MORE, b"c")
    sent = 0
    for second in range(1, 6):
        sent += peer.send(data[sent:])
        assert sent < len(data) or second == 5
        assert second * 1000 <= peer.receiver._assembler.kept <= second * (1000 + FRAMES) or (
            second == 5
        )
        peer.pool.work()
        peer.reactor.advance(1)
    assert peer.messages == ["a" + "b" * 4998 + "c"]


def test_a_few_frames_are_looked_at_in_a_turn() -> None:
    peer = Peer(Bounds())
    peer.receiver.feed(frame(TEXT, b"m") * (2 * FRAMES + 1))
    turns = []
    while True:
        peer.pool.work()
        turns.append(len(peer.messages))
        if not peer.reactor.calls:
            break
        assert not peer.receiver.open
        peer.reactor.turn()
    assert turns == [FRAMES, 2 * FRAMES, 2 * FRAMES + 1]
    assert peer.receiver.open


def test_after_our_goodbye_a_flood_is_throttled_as_well() -> None:
    peer = Peer(Bounds(frames_per_second=100))
    peer.receiver.leave()
    data = frame(MORE, b"a", fin=False)
    peer.send(frame(TEXT, b"a", fin=False) + data * 1000)
    assert not peer.receiver.open
    peer.reactor.advance(20)
    assert peer.receiver.open
    assert not peer.receiver.over
    peer.send(frame(8, b"\x03\xe8"))
    assert peer.receiver.over
    assert peer.messages == []


def pongs(peer: Peer) -> list[bytes]:
    """Return the payloads of the pongs that were written."""
    assert all(data[0] == PONG for data in peer.written)
    return [data[2:] for data in peer.written]


def test_of_many_pings_the_latest_is_answered() -> None:
    """RFC 6455, 5.5.3."""
    peer = Peer(Bounds(pings_per_second=10))
    peer.send(b"".join(frame(PING, str(number).encode()) for number in range(500)))
    assert pongs(peer) == [str(number).encode() for number in range(10)]
    peer.reactor.advance(1)
    assert pongs(peer)[10:] == [b"499"]
    peer.reactor.advance(10)
    assert len(peer.written) == 11
    peer.send(frame(PING, b"later"))
    assert pongs(peer)[11:] == [b"later"]


def test_pongs_are_answered_in_order() -> None:
    peer = Peer(Bounds(pings_per_second=1))
    for number in range(40):
        peer.send(frame(PING, str(number).encode()))
        peer.reactor.advance(0.3)
    peer.reactor.advance(1)
    numbers = [int(payload) for payload in pongs(peer)]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 39, "who waits for a pong gets one"
    assert 12 <= len(numbers) <= 30


# Bytes


def test_messages_that_wait_are_counted_in_bytes() -> None:
    peer = Peer(Bounds(max_inbox_bytes=10_000))
    message = frame(TEXT, b"x" * 4000)
    assert peer.send(message * 50, size=len(message)) == 4 * len(message), "beside the first"
    peer.pool.work()
    peer.reactor.settle()
    assert len(peer.messages) == 4
    assert peer.receiver.open


def test_the_first_message_may_have_any_size() -> None:
    peer = Peer(Bounds(max_inbox_bytes=10_000))
    peer.send(text(LARGE) + text(100))
    assert peer.receiver.open
    assert peer.inbox.would_be_full(["x" * 10_000])


def test_what_is_kept_is_borne_by_the_account_and_nothing_is_left() -> None:
    peer = Peer(Bounds(max_message=100_000))
    peer.send(frame(TEXT, b"x" * 30_000, fin=False))
    assert peer.account.count(Kind.UNFINISHED) == 30_000
    peer.send(frame(MORE, b"x" * 60_000, fin=False))
    assert peer.account.count(Kind.UNFINISHED) == 90_000
    peer.send(frame(MORE))
    assert (peer.account.count(Kind.UNFINISHED), peer.account.count(Kind.INBOX)) == (0, 90_000)
    peer.pool.work()
    assert peer.account.total == 0
    peer.send(frame(TEXT, b"small") + frame(TEXT, b"x" * WORTH_COUNTING))
    assert 0 < peer.account.count(Kind.INBOX) < WORTH_COUNTING + 100
    peer.pool.work()
    peer.send(frame(TEXT, b"x" * 60_000, fin=False) + frame(MORE, b"x" * 60_000, fin=False))
    assert peer.account.total == 0, "it is dropped as it comes"
    peer.send(frame(MORE) + frame(TEXT, b"x" * 5000, fin=False))
    assert peer.account.count(Kind.UNFINISHED) == 5000
    peer.receiver.close()
    peer.pool.work()
    assert peer.account.total == 0
    assert isinstance(peer.messages[-1], Oversized)
    assert peer.messages[-1].limit is Limit.MESSAGE


# Turns


def peers(bounds: Bounds, *addresses: str) -> tuple[Turns, list[Peer]]:
    """Return clients of these addresses that share the places."""
    turns = Turns(bounds)
    return turns, [Peer(bounds, turns, address) for address in addresses]


BIG = text(200_000)
TWO = Bounds(large_at_once=2, large_in_all=3)


def test_a_few_large_messages_are_received_at_a_time() -> None:
    turns, (a, b, c, d, other) = peers(TWO, "A", "A", "A", "A", "B")
    left = {peer: peer.send(BIG[:150_000]) for peer in (a, b, c, d)}
    assert [left[peer] for peer in (a, b)] == [150_000] * 2
    assert all(ASKS < left[peer] < ASKS + 2 * 8192 for peer in (c, d))
    assert other.send(BIG) == len(BIG), "another address has a place"
    assert turns.taken == 3
    a.send(BIG[150_000:])
    c.reactor.settle()
    assert not c.receiver.open, "until it was handled"
    a.pool.work()
    c.reactor.settle()
    assert c.receiver.open
    assert c.send(BIG[left[c] :]) == len(BIG) - left[c]
    assert not d.receiver.open
    for peer in (b, c, d, other):
        peer.send(BIG[150_000:] if peer is b else BIG[left.get(peer, len(BIG)) :])
        peer.pool.work()
        d.reactor.settle()
    d.send(BIG[left[d] :])
    d.pool.work()
    assert all(len(peer.messages) == 1 for peer in (a, b, c, d, other))
    assert turns.taken == 0


@pytest.mark.parametrize("end", ["leave", "close", "too slow", "dropped"])
def test_a_place_is_given_back(end: str) -> None:
    bounds = Bounds(max_message=100_000, large_at_once=1, unfinished=30)
    turns, (first, second) = peers(bounds, "A", "A")
    first.send(BIG[:90_000])
    second.send(BIG[:90_000])
    assert (first.receiver.open, second.receiver.open, turns.taken) == (True, False, 1)
    if end == "too slow":
        first.reactor.advance(30)
        assert [code for code, _ in first.closed] == [1008]
    elif end == "dropped":
        first.send(BIG[90_000:150_000])
    else:
        getattr(first.receiver, end)()
    second.reactor.settle()
    assert second.receiver.open
    second.receiver.close()
    assert turns.taken == 0


def test_one_that_is_not_large_in_the_end_gives_its_place_back() -> None:
    turns, (first,) = peers(Bounds(large_at_once=1), "A")
    first.send(text(ASKS + 10_000)[:-1])
    assert turns.taken == 1
    first.send(text(ASKS + 10_000)[-1:] + frame(TEXT, b"next", fin=False))
    assert turns.taken == 0
    assert first.receiver.open


def test_who_waits_for_a_place_and_goes_does_not_take_it() -> None:
    turns, (first, second) = peers(Bounds(large_at_once=1), "A", "A")
    first.send(BIG[:90_000])
    second.send(BIG[:90_000])
    second.receiver.close()
    first.receiver.close()
    assert turns.taken == 0


def test_the_wait_for_a_place_counts_or_two_senders_would_keep_an_address_waiting() -> None:
    _, (first, second) = peers(Bounds(large_at_once=1, unfinished=30), "A", "A")
    first.send(BIG[:90_000])
    second.send(BIG[:90_000])
    second.reactor.advance(29)
    assert not second.closed
    second.reactor.advance(1)
    assert second.closed
    first.receiver.close()


def test_a_thread_may_wait_for_a_place() -> None:
    turns, caller = Turns(Bounds(large_at_once=1)), Caller("A")
    first = turns.wait(caller, 0)
    assert first
    assert turns.wait(caller, 0) is None
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(turns.wait(caller, 60)))
    thread.start()
    while not turns._gate.waiting():
        pass
    first.leave()
    thread.join(60)
    assert got[0].inside
    got[0].leave()
    assert turns.taken == 0
