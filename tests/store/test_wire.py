"""Entries, messages, names: what is in the store."""

from __future__ import annotations

import binascii
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.store import wire
from textstream.store.keys import (
    PARTITIONS,
    Keys,
    new_shared_id,
    partition_of,
    partition_of_request,
)
from textstream.store.slots import SLOTS
from textstream.store.wire import Entry, Sealed
from textstream.stream.log import Ending

UNITS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1)


def row(command: tuple[Any, ...]) -> list[Any]:
    """Return what XRANGE answers of an entry that a command has written."""
    rest = [str(part).encode() for part in command if part != "NOMKSTREAM"][2:]
    return [rest[0], rest[1:]]


@given(UNITS, st.integers(0, 2**53))
def test_an_entry_comes_back_as_it_was(units: list[str], before: int) -> None:
    entry = Entry(before + len(units), units)
    read = wire.read_entry(row(wire.append("log", entry)))
    assert isinstance(read, Entry)
    assert (read.next, list(read.units)) == (entry.next, units)


@given(UNITS)
def test_a_message_comes_back_as_it_was(units: list[str]) -> None:
    news = wire.read_news(str(wire.publish("channel", Entry(len(units), units))[2]).encode())
    assert (news.next, list(news.units or ())) == (len(units), units)


def test_a_long_text_is_not_published() -> None:
    news = wire.read_news(str(wire.publish("channel", Entry(20_000, "x" * 20_000))[2]).encode())
    assert news == (20_000, None)


def test_only_the_first_entry_makes_a_log() -> None:
    assert wire.append("log", Entry(3, "abc"))[2] == "3-0"
    assert wire.append("log", Entry(5, "de"))[2] == "NOMKSTREAM"


@pytest.mark.parametrize("error", [None, {"code": "source_failed", "message": "no"}])
def test_an_end_comes_back_as_it_was(error: dict[str, Any] | None) -> None:
    last, offset, reason, text_sha256, said = wire.seal(Ending("error", 7, "ab" * 32, error))
    fields = ["e", offset, "r", reason, "h", text_sha256, "x", said]
    read = wire.read_entry([str(last).encode(), [str(part).encode() for part in fields]])
    assert read == Sealed("error", 7, "ab" * 32, error)


@pytest.mark.parametrize(
    ("text", "lengths", "count"), [("ab", "", 3), ("ab", "1", 1), ("", "1", 1)]
)
def test_a_torn_entry_is_not_taken(text: str, lengths: str, count: int) -> None:
    with pytest.raises(ValueError, match="length"):
        wire.unpack(text, lengths, count)


def test_what_belongs_together_lies_in_one_slot() -> None:
    keys = Keys("ts")
    stream_id = new_shared_id("somebody 1")
    names = [
        keys.log(stream_id),
        keys.record(stream_id),
        keys.channel(stream_id),
        keys.request("somebody 1"),
    ]
    assert len({name.partition("{")[2].partition("}")[0] for name in names}) == 1
    assert partition_of(stream_id) == partition_of_request("somebody 1")
    assert keys.stream_of(keys.channel(stream_id)) == stream_id


def test_partitions_are_spread_evenly_over_the_slots() -> None:
    keys, width = Keys("ts"), SLOTS // PARTITIONS
    for number in range(PARTITIONS):
        tag = keys.log(f"{number:02x}" + "x" * 22).partition("{")[2].partition("}")[0]
        assert binascii.crc_hqx(tag.encode(), 0) % SLOTS // width == number


@pytest.mark.parametrize("wrong", ["", "x", "zz" + "x" * 22, "40" + "x" * 22, "00" + "x" * 21])
def test_what_is_no_id_has_no_partition(wrong: str) -> None:
    assert partition_of(wrong) is None


def test_a_name_in_the_store_tells_nothing_of_a_client() -> None:
    assert "secret" not in Keys("ts").request("client:secret my request")
