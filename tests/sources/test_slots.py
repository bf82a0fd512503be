"""The slots of a source: who is let in, who is refused, and what a refusal says."""

from __future__ import annotations

import pytest

from textstream.access.caller import Caller
from textstream.access.gate import Ticket
from textstream.access.source_shares import SourceShares
from textstream.errors import TooManyStreams
from textstream.sources.base import SourceRequest
from textstream.sources.slots import Slots

ELSEWHERE = "192.0.2.1"


def ask(address: str = ELSEWHERE, connection: str = "c") -> SourceRequest:
    return SourceRequest("Hi", caller=Caller(address, connection))


class Door:
    """Slots, and what has come in."""

    def __init__(self, limit: int, shares: SourceShares | None = None) -> None:
        self.slots = Slots("llm", limit, shares)
        self.inside: list[Ticket] = []

    def start(self, address: str = ELSEWHERE) -> tuple[SourceRequest, Ticket]:
        request = ask(address)
        self.slots.admit(request)
        return request, self.slots.enter(request, self.inside.append)

    def refuses(self, address: str = ELSEWHERE) -> bool:
        request = ask(address)
        try:
            self.slots.admit(request)
        except TooManyStreams:
            return True
        request.cancel.cancel()
        return False


def test_one_that_would_wait_beyond_its_address_s_share_is_refused() -> None:
    door = Door(8, SourceShares(2, 3))
    for _ in range(2 + 3):
        door.start()
    assert (len(door.inside), door.slots.waiting) == (2, 3)
    with pytest.raises(TooManyStreams) as refused:
        door.slots.admit(ask())
    assert refused.value.to_wire() == {
        "code": "too_many_streams",
        "message": "3 streams from your address wait for the source llm already. "
        "Start another when one of them has ended.",
        "retryable": True,
        "scope": "source",
        "retry_after": 5.0,
        "position": 4,
    }
    assert not door.refuses("192.0.2.2"), "another address has its own share"
    door.inside[0].leave()
    assert not door.refuses()


def test_starts_on_their_way_count_already() -> None:
    door = Door(1, SourceShares(2, 3))
    requests = [ask() for _ in range(1 + 3)]
    for request in requests:  # in one moment, before any source is asked
        door.slots.admit(request)
    assert door.refuses()
    requests[0].cancel.cancel()  # it was stopped before it began
    assert not door.refuses()
    for request in requests[1:]:
        door.slots.enter(request, door.inside.append)
    door.slots.admit(ask())
    assert door.refuses()
    assert door.slots._coming_of == {ELSEWHERE: 1}


def test_where_others_have_the_slots_it_waits() -> None:
    door = Door(2, SourceShares(2, 1))
    for number in range(2):
        door.start(f"192.0.2.{number}")
    door.start("192.0.2.7")
    assert (len(door.inside), door.slots.waiting) == (2, 1)
    assert door.refuses("192.0.2.7")


@pytest.mark.parametrize("shares", [None, SourceShares(0, 0)])
def test_without_shares_nobody_is_refused(shares: SourceShares | None) -> None:
    door = Door(2, shares)
    for _ in range(100):
        door.start()
    assert (len(door.inside), door.slots.waiting) == (2, 98)
    assert not door.refuses()


def test_without_slots_everybody_runs() -> None:
    door = Door(0)
    for _ in range(100):
        door.start()
    assert door.slots.running == 100


def test_on_loopback_the_defaults_leave_a_slot_to_another_address() -> None:
    door = Door(4, SourceShares())
    for _ in range(3 + 64):
        door.start("127.0.0.1")
    assert (door.slots.running, door.slots.waiting) == (3, 64)
    assert door.refuses("127.0.0.1")
    door.start("192.0.2.1")
    assert door.slots.running == 4
