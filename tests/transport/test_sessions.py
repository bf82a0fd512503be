"""What a session holds back, and for how long one that has ended is remembered."""

from __future__ import annotations

from typing import Any

from engineio.packet import MESSAGE, Packet

from tests.support.clock import ManualClock
from textstream.transport.farewells import FAREWELL_SECONDS, MAX_FAREWELLS, Farewells
from textstream.transport.held_back import HeldBack


def offered(held_back: HeldBack, *data: str | bytes) -> None:
    for one in data:
        held_back.offer(Packet(MESSAGE, one))


def test_what_a_connect_handler_emits_follows_the_answer() -> None:
    sent: list[Any] = []
    held_back = HeldBack("/room", lambda packet: sent.append(packet.data))
    offered(held_back, '2/room,["a"]', '51-/room,["b"]', b"attachment", '2["other"]', b"other's")
    assert sent == ['2["other"]', b"other's"], "of another namespace: at once"
    offered(held_back, '0/room,{"sid":"x"}', '2/room,["c"]')
    assert sent[2:] == [
        '0/room,{"sid":"x"}', '2/room,["a"]', '51-/room,["b"]', b"attachment", '2/room,["c"]',
    ]  # fmt: skip


def test_what_was_emitted_to_who_is_refused_is_dropped() -> None:
    sent: list[Any] = []
    held_back = HeldBack("/", lambda packet: sent.append(packet.data))
    offered(held_back, '2["a"]', '4{"message":"no"}', '2["b"]')
    assert sent == ['4{"message":"no"}', '2["b"]']


def test_what_is_held_back_when_nobody_answers_is_sent() -> None:
    sent: list[Any] = []
    held_back = HeldBack("/", lambda packet: sent.append(packet.data))
    offered(held_back, '2["a"]')
    held_back.release()
    offered(held_back, '2["b"]')
    assert sent == ['2["a"]', '2["b"]']


def test_a_farewell_is_answered_once_and_not_for_long(clock: ManualClock) -> None:
    farewells = Farewells(clock)
    farewells.expect("a")
    assert farewells.take("a")
    assert not farewells.take("a")
    farewells.expect("b")
    clock.advance(FAREWELL_SECONDS)
    assert not farewells.take("b")


def test_few_farewells_are_remembered(clock: ManualClock) -> None:
    farewells = Farewells(clock)
    for number in range(MAX_FAREWELLS + 1):
        farewells.expect(str(number))
    assert not farewells.take("0")
    assert farewells.take("1")
    clock.advance(FAREWELL_SECONDS)
    farewells.expect("last")
    assert not farewells.take("2")
