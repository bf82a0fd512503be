"""What the lab takes from clients, and what it lets them do to others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clock import ManualClock
from textstream.errors import Forbidden, InvalidRequest, RateLimited
from textstream.lab import payloads
from textstream.lab.limits import LabLimits
from textstream.lab.members import EVERYBODY, SWEEP_AT, Members
from textstream.lab.works import Works
from textstream.measure import Unread
from textstream.transport.manager import ThreadSafeManager

LIMITS = LabLimits()


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ({"data": "text"},),
        ("x" * (LIMITS.payload - 4),),
        ("字" * (LIMITS.payload - 4),),
        (nested(LIMITS.depth),),
        tuple(range(LIMITS.arguments)),
        (None, True, 1.5, 10**300, {"": {}}, "\ud800", "\0"),
    ],
)
def test_taken(arguments: tuple[Any, ...]) -> None:
    payloads.check(arguments, LIMITS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("x" * (LIMITS.payload - 3),),
        (nested(LIMITS.depth + 1),),
        ({"a": nested(LIMITS.depth)},),
        (nested(5000),),
        tuple(range(LIMITS.arguments + 1)),
        (b"binary",),
        ({"data": [b"binary"]},),
        (float("nan"),),
        ({"data": float("-inf")},),
        ([[]] * 20_000,),
        (dict.fromkeys(map(str, range(10_000))),),
    ],
)
def test_not_taken(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidRequest):
        payloads.check(arguments, LIMITS)


def test_what_was_not_parsed_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidRequest, match="too deep"):
        payloads.check((Unread("too deep"),), LIMITS)


def test_a_shared_event_is_shorter() -> None:
    payloads.check_shared(("x" * (LIMITS.shared - 4),), LIMITS)
    with pytest.raises(InvalidRequest, match=r"1025 .* at most 1024 .* in an event to others"):
        payloads.check_shared(("x" * (LIMITS.shared - 3),), LIMITS)


@pytest.mark.parametrize("room", ["", "x" * 65, 5, None, True, ["a"], {"a": 1}])
def test_no_room(room: Any) -> None:
    with pytest.raises(InvalidRequest):
        payloads.room_name(({"room": room},), LIMITS)


class Rooms:
    """What `Members` asks of a server: rooms, in a real manager."""

    def __init__(self) -> None:
        self.manager = ThreadSafeManager()

    def enter_room(self, sid: str, room: str, namespace: str) -> None:
        self.manager.basic_enter_room(sid, namespace, room)

    def leave_room(self, sid: str, room: str, namespace: str) -> None:
        self.manager.basic_leave_room(sid, namespace, room)

    def close_room(self, room: str, namespace: str) -> None:
        self.manager.basic_close_room(room, namespace)

    def members_of(self, room: str) -> set[str]:
        return {sid for sid, _ in self.manager.get_participants("/test", room)}


@pytest.fixture
def table() -> Rooms:
    """No rooms."""
    return Rooms()


def make_members(table: Rooms, clock: ManualClock, *sids: str, **limits: Any) -> Members:
    members = Members(table, "/test", LabLimits(**limits), clock)
    for sid in sids:
        for room in (None, sid):
            table.manager.basic_enter_room(sid, "/test", room, eio_sid="eio-" + sid)
        members.add(sid, group="", address="127.0.0.1")
    return members


def test_rooms_of_a_client_are_bounded(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock, "a", rooms=2)
    assert members.join("a", "one") == ["a", "one"]
    assert members.join("a", "two") == ["a", "one", "two"]
    assert members.join("a", "two") == ["a", "one", "two"]  # it is there
    with pytest.raises(RateLimited):
        members.join("a", "three")
    assert table.members_of(" three") == set()
    assert members.leave("a", "one") == ["a", "two"]
    assert members.leave("a", "nowhere") == ["a", "two"]
    assert members.join("a", "three") == ["a", "two", "three"]


def test_nobody_enters_somebody_elses_own_room(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock, "a", "b")
    with pytest.raises(InvalidRequest):
        members.join("a", "b")
    with pytest.raises(Forbidden):
        members.check_in("a", "a")  # nor is its own closed, or left
    assert members.leave("a", "a") == ["a"]
    assert table.members_of("a") == {"a"}


def test_a_room_is_closed_for_all_its_members(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock, "a", "b", "c")
    members.join("a", "r")
    members.join("b", "r")
    with pytest.raises(Forbidden):
        members.check_in("c", "r")
    members.check_in("a", "r")
    members.close("a", "r")
    assert table.members_of(" r") == set()
    assert members.join("b", "s") == ["b", "s"]
    with pytest.raises(Forbidden):
        members.check_in("b", "r")


def test_events_to_others_per_second_and_client(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock, "a", "b", fan_outs=5)

    def sent() -> int:
        count = 0
        while True:
            try:
                members.reach("a", EVERYBODY)
            except RateLimited:
                return count
            count += 1

    assert sent() == 10
    clock.advance(1.0)
    assert sent() == 5
    members.reach("b", EVERYBODY)
    clock.advance(100.0)
    assert sent() == 10


def test_deliveries_of_all_clients_per_second(table: Rooms, clock: ManualClock) -> None:
    sids = [f"client {number}" for number in range(100)]
    limits = {"deliveries": 1000, "fan_out_floor": 50, "address_fan_outs": 100}
    members = make_members(table, clock, *sids, **limits)
    for sid in sids[:6]:  # 150 each: to a hundred clients, and the floor
        members.reach(sid, EVERYBODY)
    with pytest.raises(RateLimited):
        members.reach(sids[6], EVERYBODY)
    members.join(sids[7], "alone")
    members.reach(sids[8], "alone")  # 51 fit
    with pytest.raises(RateLimited):
        members.reach(sids[9], "alone")
    clock.advance(0.051)
    members.reach(sids[9], "alone")


def test_one_event_to_everybody_is_possible_however_many(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock, "a", "b", "c", deliveries=2)
    members.reach("a", EVERYBODY)
    with pytest.raises(RateLimited):
        members.reach("b", EVERYBODY)


def test_rooms_are_those_of_an_address(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock)
    for sid, group in [("a1", "A"), ("a2", "A"), ("b", "B")]:
        for room in (None, sid):
            table.manager.basic_enter_room(sid, "/test", room, eio_sid="eio-" + sid)
        members.add(sid, group=group, address=group)
        assert members.join(sid, "r") == [sid, "r"]
    assert table.members_of(members.reach("a1", EVERYBODY)) == {"a1", "a2"}
    assert table.members_of(members.reach("b", EVERYBODY)) == {"b"}
    assert table.members_of(members.reach("a1", "r")) == {"a1", "a2"}
    # A client's own room, for those at its address. For others nobody is there.
    assert table.members_of(members.reach("a1", "a2")) == {"a2"}
    assert table.members_of(members.reach("a1", "b")) == set()
    assert table.members_of(members.reach("b", "A r")) == set()
    with pytest.raises(InvalidRequest):
        members.join("b", "a1")
    members.close("b", "r")
    assert table.members_of(members.reach("a1", "r")) == {"a1", "a2"}
    members.check_in("a1", "r")
    with pytest.raises(Forbidden):
        members.check_in("b", "r")


def test_events_to_others_per_second_and_address(table: Rooms, clock: ManualClock) -> None:
    sids = [f"c{number}" for number in range(10)]
    members = make_members(table, clock, *sids, "d", fan_outs=5, address_fan_outs=20)
    for sid in sids * 2:
        members.reach(sid, EVERYBODY)
    with pytest.raises(RateLimited, match="from one address"):
        members.reach("d", EVERYBODY)
    # Connecting anew does not begin anew, from another address one does.
    for sid in [*sids, "d"]:
        members.remove(sid)
    members.add("d", group="", address="127.0.0.1")
    with pytest.raises(RateLimited, match="from one address"):
        members.reach("d", EVERYBODY)
    members.add("c0", group="", address="127.0.0.2")
    members.reach("c0", EVERYBODY)
    clock.advance(0.05)
    members.reach("d", EVERYBODY)


def test_addresses_are_forgotten_when_nobody_is_there(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock, "stays")
    members.add("spent", group="", address="spent")
    members.reach("spent", EVERYBODY)
    members.remove("spent")
    for number in range(10 * SWEEP_AT):
        members.add("a", group="", address=str(number))
        members.remove("a")
    assert len(members._addresses) <= SWEEP_AT
    assert {"127.0.0.1", "spent"} <= set(members._addresses)


def test_who_has_gone_does_nothing(table: Rooms, clock: ManualClock) -> None:
    members = make_members(table, clock, "a")
    members.join("a", "r")
    assert members.count("a") == 1
    assert members.remove("a")
    assert not members.remove("a")
    assert members.count("a") == 0
    with pytest.raises(InvalidRequest):
        members.join("a", "r")


def test_works_are_bounded_for_a_client_and_in_all() -> None:
    calls = []
    done: list[str] = []
    works = Works(lambda _when, call: calls.append(call), LabLimits(works=2, works_in_all=3))

    def begin(sid: str) -> None:
        works.admit(sid)
        works.start(sid, lambda: done.append(sid))

    begin("a")
    begin("a")
    with pytest.raises(RateLimited):
        begin("a")
    begin("b")
    with pytest.raises(RateLimited):
        begin("c")
    calls.pop(0)()
    begin("c")
    for call in calls:
        call()
    assert done == ["a", "a", "b", "c"]
    begin("a")
