from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.client.assembler import Assembler, OutOfStep

UNITS = ["a", "字", "e\u0301", "👨‍👩‍👧‍👦", "\r\n", " ", "नि", "🇪🇺"]


def joined(units: list[str], first: int, behind: int) -> tuple[int, int, str]:
    return first, behind, "".join(units[first:behind])


@given(
    units=st.lists(st.sampled_from(UNITS), max_size=30),
    arrivals=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=40),
    after_resume=st.lists(st.integers(1, 8), min_size=1, max_size=4),
)
def test_any_order_of_chunks_assembles_to_the_text(
    units: list[str], arrivals: list[tuple[int, int]], after_resume: list[int]
) -> None:
    """Duplicates, overlaps and gaps; after each misfit the server begins again where asked."""
    assembler, text = Assembler(), ""
    sizes = iter(after_resume * 30)
    for first, size in arrivals:
        begin, behind = min(first, len(units)), min(first + size, len(units))
        try:
            text += assembler.accept(*joined(units, begin, behind))
        except OutOfStep:
            behind = min(assembler.offset + next(sizes), len(units))
            text += assembler.accept(*joined(units, assembler.offset, behind))
        assert text == "".join(units[: assembler.offset])
    text += assembler.accept(*joined(units, assembler.offset, len(units)))
    assert text == "".join(units)
    assert assembler.verify(len(units), hashlib.sha256(text.encode()).hexdigest()) is True


def test_a_partial_overlap_takes_nothing() -> None:
    assembler = Assembler()
    assembler.accept(0, 2, "ab")
    with pytest.raises(OutOfStep):
        assembler.accept(1, 4, "bcd")
    assert assembler.offset == 2


@pytest.mark.parametrize("chunk", [(3, 2, "a"), (0, 0, "a"), (0, 2, "")])
def test_numbers_that_contradict_each_other_are_refused(chunk: tuple[int, int, str]) -> None:
    with pytest.raises(ValueError, match="code points"):
        Assembler().accept(*chunk)


def test_verify_tells_other_text_from_text_that_is_not_all_there() -> None:
    whole = hashlib.sha256(b"abc").hexdigest()
    complete, other, part, tail = Assembler(), Assembler(), Assembler(), Assembler(1)
    complete.accept(0, 3, "abc")
    other.accept(0, 3, "abd")
    part.accept(0, 2, "ab")
    tail.accept(1, 3, "bc")
    assert [a.verify(3, whole) for a in (complete, other, part, tail)] == [True, False, None, None]
