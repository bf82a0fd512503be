"""Segments: what the log in memory cannot show of them from outside."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from textstream.stream.segments import MAX_UNITS, MERGED_UNITS, MIXED_UNITS, Segments

MIXED: list[Sequence[str]] = [
    "plain " * 50,
    ["e\u0301", "👍🏽", "to"] * 60,
    "é" * 200,
    ["字", "b", " or"] * 300,
    "a字👍" * 400,
    "é" + "x" * 5000 + "é",
]


def filled(batches: Sequence[Sequence[str]]) -> tuple[Segments, list[str]]:
    segments = Segments()
    for units in batches:
        segments.append(units)
    return segments, [unit for units in batches for unit in units]


def lengths(segments: Segments) -> list[int]:
    return [len(part) for part in segments._parts]


@pytest.mark.parametrize("units", ["abc", "字", ["a", "b"], ["e\u0301", "b"]])
def test_small_appends_become_few_segments(units: Sequence[str]) -> None:
    segments, _ = filled([units] * 5000)
    assert sum(lengths(segments)) == segments.next == 5000 * len(units)
    assert min(lengths(segments)[:-1]) > MERGED_UNITS - len(units)
    assert max(lengths(segments)) <= MERGED_UNITS


def test_small_appends_of_both_kinds_become_few_segments_too() -> None:
    segments, _ = filled(["abc", ["e\u0301"]] * 3000)
    assert min(lengths(segments)[:-1]) >= MIXED_UNITS


def test_large_appends_are_cut() -> None:
    segments, units = filled(["x" * 10_000, ["e\u0301"] * 10_000])
    assert max(lengths(segments)) == MAX_UNITS
    assert segments.read(0, 20_000) == units


def test_units_of_one_code_point_are_read_as_a_string() -> None:
    segments, units = filled(["a" * 3000, ["b", "字"] * 1000, "c"])
    assert segments.read(2990, 3010) == "".join(units[2990:3010])
    assert segments.read(0, 9999) == "".join(units)


def test_the_bytes_before_each_offset_are_known() -> None:
    segments, units = filled(MIXED)
    byte = 0
    for offset, unit in enumerate(units):
        assert segments.byte_at(offset) == byte
        assert segments.offset_at(byte) == offset
        assert segments.offset_at(byte + 1) == offset + 1
        byte += len(unit.encode())
    assert segments.byte_at(len(units)) == segments.byte_at(len(units) + 1) == byte


def test_it_can_be_cut_anywhere() -> None:
    units = filled(MIXED)[1]
    seams = filled(MIXED)[0]._starts
    for at in [seam + d for seam in [*seams, len(units)] for d in (-1, 0, 1)]:
        if not 0 <= at <= len(units):
            continue
        front, back = filled(MIXED)[0], filled(MIXED)[0]
        front.cut_from(at)
        back.cut_before(at)
        assert front.text(0, at) + back.text(at, back.next) == "".join(units)
        assert (front.first, front.next, back.first, back.next) == (0, at, at, len(units))
        assert front.next_byte == back.first_byte == len("".join(units[:at]).encode())
        assert 0 not in lengths(front) + lengths(back)
