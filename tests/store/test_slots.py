"""Which server of a cluster has what."""

from __future__ import annotations

import pytest

from textstream.errors import SourceUnavailable
from textstream.store.connect import Connector
from textstream.store.keys import PARTITIONS, Keys, new_shared_id
from textstream.store.slots import SLOTS, Slots, slot_of

ROWS = [
    [0, 5_460, [b"10.0.0.1", 7_000, b"id"], [b"10.0.0.4", 7_003, b"id"]],
    [5_461, 10_922, [b"", 7_001, b"id"]],
    [10_923, 16_383, [b"?", 7_002, b"id"]],
]


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        # Of the specification, and of `CLUSTER KEYSLOT`.
        ("123456789", 0x31C3 % SLOTS),
        ("foo", 12_182),
        ("{user1000}.following", 3_443),
        ("{user1000}.followers", 3_443),
        ("foo{}{bar}", 8_363),
        ("foo{bar}{zap}", 5_061),
    ],
)
def test_the_slot_of_a_key_is_the_specifications(name: str, slot: int) -> None:
    assert slot_of(name) == slot


def test_a_server_without_an_address_is_the_one_that_was_asked() -> None:
    slots = Slots(ROWS, "asked")
    assert slots.primaries == [("10.0.0.1", 7_000), ("asked", 7_001), ("asked", 7_002)]
    assert slots.shard_of("foo") == 2
    assert slots.shard_of("{user1000}.followers") == 0


def test_a_slot_that_nobody_serves_is_no_cluster() -> None:
    with pytest.raises(ValueError, match="nobody serves slot 5461"):
        Slots([ROWS[0], ROWS[2]], "asked")


def test_all_names_of_a_stream_lie_in_one_slot_and_the_partitions_are_spread() -> None:
    keys = Keys("ts")
    slots: set[int] = set()
    while len(slots) < PARTITIONS:
        stream_id = new_shared_id(None)
        names = {slot_of(name(stream_id)) for name in (keys.log, keys.record, keys.channel)}
        assert len(names) == 1
        slots |= names
    thirds = [len([slot for slot in slots if slot * 3 // SLOTS == third]) for third in range(3)]
    assert max(thirds) - min(thirds) <= 1
    request = "a request"
    assert slot_of(keys.request(request)) == slot_of(keys.record(new_shared_id(request)))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis+cluster://host:6379/1", "a cluster has no databases"),
        ("redis+cluster://host?tsl=1", "tsl: not known here"),
        ("redis+cluster://host?ssl_ca_certs=/x", "certificates are for tls=1"),
        ("redis+sentinel://host", "the name of the primary is missing"),
        ("redis+cluster://", "is no host"),
    ],
)
def test_a_url_that_is_none_says_why(url: str, said: str) -> None:
    with pytest.raises(SourceUnavailable, match=said):
        Connector(url)
