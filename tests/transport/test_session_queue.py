"""What waits for a client that polls: counted in bytes, against someone, and never too much."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from engineio.packet import CLOSE, MESSAGE, PING, Packet

from tests.support.clock import ManualClock
from textstream.access.account import Account, Kind
from textstream.transport.engine_packets import PACKET_BYTES, size_of
from textstream.transport.poll_window import STANDSTILL
from textstream.transport.session_queue import SessionQueue
from textstream.transport.window import FIRST, LARGEST, LATE, SMALLEST


class Reader:
    """Counts how often it was woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class Connected:
    """Stands in for a connection."""

    def __init__(self, *, asked: bool = False) -> None:
        self.window = self
        self.written: list[bytes] = []
        self.pings = 0
        self.asked = asked

    def ping(self) -> None:
        self.pings += 1

    def confirm(self) -> bool:
        return self.asked

    def write(self, data: bytes) -> None:
        self.written.append(data)


@pytest.fixture
def waiting(clock: ManualClock) -> SessionQueue:
    """A queue of a client that has made its handshake: it has polled once."""
    made = SessionQueue(clock)
    made.put(message("opened"))
    poll(made)
    return made


def message(data: str | bytes) -> Packet:
    return Packet(MESSAGE, data)


def poll(packets: SessionQueue) -> list[Any]:
    """Poll, where something waits."""
    assert packets.wait(0)
    return packets.collect()


def fill(packets: SessionQueue) -> int:
    """Put what there is room for; return how many bytes wait then."""
    while packets.room:
        packets.put(message("x" * min(800, packets.room - 200)))
    return packets.nbytes


@pytest.fixture
def polling() -> Iterator[Any]:
    """Let threads poll; they end with their queues."""
    threads: list[threading.Thread] = []

    def begin(packets: SessionQueue) -> threading.Thread:
        thread = threading.Thread(target=lambda: packets.wait(20) and packets.collect())
        threads.append(thread)
        thread.start()
        while not (packets._window and packets._window.waits):
            threading.Event().wait(0.001)
        return thread

    yield begin
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        ("x" * 1000, 1000),
        ("\U0001f600" * 1000, 4000),
        (b"x" * 1000, 1000),
        ({"a": "x" * 994}, 1003),
    ],
    ids=["ASCII", "emoji that are not escaped", "binary", "JSON of Engine.IO's own"],
)
def test_a_packet_is_counted_as_its_data_takes(data: Any, size: int) -> None:
    packets = SessionQueue()
    packets.put(Packet(MESSAGE, data))
    assert size + PACKET_BYTES <= packets.nbytes <= size + PACKET_BYTES + 100
    poll(packets)
    assert packets.nbytes == 0


def test_little_waits_for_who_has_not_come_for_any_of_it(waiting: SessionQueue) -> None:
    assert FIRST * 3 / 4 <= fill(waiting) <= FIRST


def test_more_waits_for_who_comes_promptly_up_to_a_bound(
    waiting: SessionQueue, clock: ManualClock
) -> None:
    for _ in range(40):
        fill(waiting)
        poll(waiting)
        clock.advance(0.01)
    assert LARGEST * 3 / 4 <= fill(waiting) <= LARGEST


def test_less_waits_for_who_comes_late(waiting: SessionQueue, clock: ManualClock) -> None:
    for _ in range(40):
        fill(waiting)
        poll(waiting)
        clock.advance(LATE + 0.1)
    while waiting.nbytes:
        poll(waiting)
    assert fill(waiting) <= SMALLEST


def test_heartbeats_show_nothing_of_a_client_s_speed(
    waiting: SessionQueue, clock: ManualClock
) -> None:
    for _ in range(10):
        waiting.put(Packet(PING))
        poll(waiting)
        clock.advance(0.01)
    assert fill(waiting) <= FIRST


def test_there_is_no_room_for_who_does_not_poll(waiting: SessionQueue, clock: ManualClock) -> None:
    clock.advance(STANDSTILL - 0.1)
    assert waiting.room
    clock.advance(0.1)
    assert not waiting.room
    waiting.put(message("an event"))
    poll(waiting)
    assert waiting.room


def test_who_waits_in_a_poll_polls(waiting: SessionQueue, clock: ManualClock, polling: Any) -> None:
    polling(waiting)
    clock.advance(10 * STANDSTILL)
    assert waiting.room
    waiting.put(message("an answer"))


def test_the_poll_that_makes_room_wakes_who_wants_it(
    waiting: SessionQueue, clock: ManualClock
) -> None:
    reader = Reader()
    assert not waiting.wake_with_room(reader), "there is room"
    fill(waiting)
    assert waiting.wake_with_room(reader)
    assert not reader.woken
    while not reader.woken:
        assert waiting.nbytes > FIRST / 2
        poll(waiting)
    assert waiting.room
    fill(waiting)
    while waiting.nbytes:
        poll(waiting)
    assert reader.woken == 1, "it did not ask again"


def test_a_poll_wakes_who_stood_still_before_it_waits(
    waiting: SessionQueue, clock: ManualClock, polling: Any
) -> None:
    reader = Reader()
    clock.advance(STANDSTILL)
    assert waiting.wake_with_room(reader)
    polling(waiting)
    assert reader.woken == 1
    waiting.put(message("a unit"))


def test_a_reader_that_has_gone_is_not_kept(waiting: SessionQueue) -> None:
    fill(waiting)
    for _ in range(100):
        assert waiting.wake_with_room(Reader())
    assert waiting._wanting is not None
    assert len(waiting._wanting) == 0


# The account


def test_what_waits_counts_against_someone_and_then_no_longer(waiting: SessionQueue) -> None:
    everybody = Account()
    first, second = Account(everybody), Account(everybody)
    waiting.put(message("before"))
    waiting.charge(first)
    waiting.put(message("after"))
    assert first.count(Kind.QUEUED) == everybody.count(Kind.QUEUED) == waiting.nbytes > 0
    waiting.charge(second)
    assert (first.count(Kind.QUEUED), second.count(Kind.QUEUED)) == (0, waiting.nbytes)
    [_before, *others] = poll(waiting)
    waiting.put(others[0])
    assert second.count(Kind.QUEUED) == size_of(message("after"))
    poll(waiting)
    assert everybody.total == 0


def test_a_full_account_leaves_no_room_and_nobody_waits_for_a_poll_then(
    waiting: SessionQueue, polling: Any
) -> None:
    account = Account(limits={Kind.QUEUED: 1000})
    waiting.charge(account)
    account.add(Kind.QUEUED, 1000)
    assert waiting.room == 0
    polling(waiting)
    assert not waiting.wake_with_room(Reader()), "others have to make room: look again"
    account.add(Kind.QUEUED, -1)
    assert waiting.room
    waiting.put(message("an answer"))


def test_a_session_that_ends_leaves_nothing_behind(waiting: SessionQueue) -> None:
    account = Account()
    waiting.charge(account)
    fill(waiting)
    waiting.put(None)
    waiting.let_go()
    assert (account.total, waiting.nbytes) == (0, 0)
    waiting.put(message("too late"))
    assert (account.total, waiting.nbytes) == (0, 0)


def test_a_poll_that_is_there_gets_what_was_said_last(waiting: SessionQueue) -> None:
    account, woken = Account(), Reader()
    waiting.charge(account)
    assert waiting.park(woken.wake)
    waiting.put(Packet(CLOSE))
    waiting.put(None)
    waiting.let_go()
    assert (account.total, woken.woken) == (0, 1)
    assert [taken.packet_type for taken in waiting.collect()] == [CLOSE]
    assert waiting.collect() == []


def test_who_is_cut_off_is_told_so_and_keeps_nothing(waiting: SessionQueue) -> None:
    account = Account()
    waiting.charge(account)
    fill(waiting)
    waiting.cut_off(Packet(CLOSE))
    assert account.total == waiting.nbytes == size_of(Packet(CLOSE))
    waiting.put(message("more"))
    assert [taken.packet_type for taken in poll(waiting)] == [CLOSE]


def test_a_connection_takes_what_waits_and_wakes_who_wants_room(waiting: SessionQueue) -> None:
    account, reader, connection = Account(), Reader(), Connected()
    waiting.charge(account)
    fill(waiting)
    count = waiting.qsize()
    assert waiting.wake_with_room(reader)
    waiting.attach(connection)  # type: ignore[arg-type]
    assert (reader.woken, account.total, waiting.nbytes) == (1, 0, 0)
    waiting.put(message("at once"))
    assert len(connection.written) == count + 1
    assert not waiting.wake_with_room(reader)


# The heartbeat


def test_a_pong_counts_once_for_a_ping_that_was_fetched(waiting: SessionQueue) -> None:
    assert not waiting.pong()
    waiting.put(Packet(PING))
    assert not waiting.pong(), "it waits for a poll"
    poll(waiting)
    assert waiting.pong()
    assert not waiting.pong()


@pytest.mark.parametrize("asked", [True, False])
def test_over_a_connection_it_counts_for_a_ping_that_was_sent(
    waiting: SessionQueue, asked: bool
) -> None:
    waiting.attach(Connected(asked=asked))  # type: ignore[arg-type]
    assert waiting.pong() is asked


def test_a_ping_that_was_fetched_may_be_answered_over_the_connection(waiting: SessionQueue) -> None:
    waiting.put(Packet(PING))
    poll(waiting)
    waiting.attach(Connected())  # type: ignore[arg-type]
    assert waiting.pong()
    assert not waiting.pong()


def test_a_ping_that_waits_is_sent_over_the_connection_and_counted_there(
    waiting: SessionQueue,
) -> None:
    waiting.put(Packet(PING))
    connection = Connected()
    waiting.attach(connection)  # type: ignore[arg-type]
    assert connection.pings == 1


def test_waiting_for_the_end_takes_no_time_after_it(waiting: SessionQueue) -> None:
    waiting.put(None)
    assert waiting.wait(20)
    assert waiting.collect() == []
    assert waiting.wait(20), "for a second poll, too"
    waiting.join()
