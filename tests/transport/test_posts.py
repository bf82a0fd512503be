"""The bodies of polling requests, before and while their packets are handled."""

from __future__ import annotations

import io
from typing import Any

import pytest
from engineio.exceptions import ContentTooLongError

from textstream.transport.bounds import LARGE, Bounds, Limit, Parts
from textstream.transport.large import Large
from textstream.transport.packets import MalformedPacketError
from textstream.transport.posts import length_of, measured, read, split


@pytest.mark.parametrize("length", ["-5", "x", "11"])
def test_a_length_that_makes_no_sense_is_refused_before_anything_is_read(length: str) -> None:
    with pytest.raises((ValueError, ContentTooLongError)):
        length_of({"CONTENT_LENGTH": length}, 10)


def test_separators_are_counted_before_there_are_packets() -> None:
    assert split(bytearray(b"a\x1eb"), 2) == [b"a", b"b"]
    with pytest.raises(MalformedPacketError, match="more than 2 packets"):
        split(bytearray(b"\x1e" * 2_000_000), 2)


def test_a_body_is_read_whole_where_nobody_has_its_socket() -> None:
    assert read({"wsgi.input": io.BytesIO(b"abcdef")}, 5, 1) == b"abcde"


def measure(
    *packets: str, **bounds: Any
) -> tuple[list[str | bytes], list[tuple[str, str, int, Limit]]]:
    told: list[tuple[str, str, int, Limit]] = []
    given = [bytearray(packet.encode()) for packet in packets]
    taken = list(measured("sid", given, Bounds(**bounds), lambda *what: told.append(what)))
    assert given == []
    return [one.take() if isinstance(one, Large) else one for one in taken], told


def test_a_packet_that_is_too_large_is_told_and_the_others_are_handled() -> None:
    plain = '42["describe_stream","' + "é" * 200 + '"]'
    taken, told = measure("40", plain, '42["b"]', max_plain=300)
    assert taken == ["40", '42["b"]']
    assert told == [("sid", plain, len(plain.encode()), Limit.PLAIN)]


def test_a_large_packet_of_many_parts_is_told() -> None:
    keys = '42["start_stream",{' + ",".join(f'"{n}":1' for n in range(20_000)) + "}]"
    text = '42["start_stream",{"text":"' + "x" * LARGE + '"}]'
    taken, told = measure(keys, text, max_parts=Parts())
    assert taken == [text]
    assert [limit for *_, limit in told] == [Limit.PARTS]


def test_a_large_binary_packet_ends_the_session() -> None:
    small, large = "b" + "A" * 400, "b" + "A" * 404
    assert measure(small, max_plain=300) == ([small], [])
    assert measure(large) == ([large], [])
    with pytest.raises(MalformedPacketError, match="303 bytes"):
        measure(large, max_plain=300)
