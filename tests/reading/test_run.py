"""Which units a run is made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from textstream.reading.run import MAX_RUN, RUN, SHORTEST, Part, next_part


def test_readers_of_one_phase_share_their_blocks() -> None:
    assert next_part(10, 10_000, 0, 10, 30) == Part(10, RUN, 0)
    assert next_part(30, 10_000, 0, 10, 50) == Part(10, RUN, 20)
    assert next_part(74, 10_000, 0, 10, 50) == Part(74, RUN, 0)


def test_just_before_the_end_of_a_block_the_run_goes_on_to_the_end_of_the_next() -> None:
    left = SHORTEST - 1
    assert next_part(RUN - left, 10_000, 0, 0, 30) == Part(RUN - left, left + RUN, 0)


def test_half_of_what_there_is_at_the_most() -> None:
    assert next_part(0, 40, 0, 0, 30) == Part(0, 20, 0)
    assert next_part(0, 2 * SHORTEST, 0, 0, 30) == Part(0, SHORTEST, 0)
    assert next_part(0, 2 * SHORTEST - 1, 0, 0, 30) is None


def test_what_was_trimmed_is_in_no_block() -> None:
    assert next_part(100, 10_000, 90, 0, 30) == Part(100, 28, 0)


def test_a_fast_reader_has_longer_blocks_and_a_slow_one_none() -> None:
    part = next_part(0, 100_000, 0, 0, 1000)
    assert part
    assert part.size >= 250
    assert next_part(0, 100_000, 0, 0, 1e9) == Part(0, MAX_RUN, 0)
    assert next_part(0, 100_000, 0, 0, 0.5) is None


def test_of_a_whole_text_all_but_the_last_unit() -> None:
    assert next_part(1, 40, 0, 0, 30, whole=True) == Part(1, 38, 0)
    assert next_part(10, 40, 0, 10, 30, whole=True) == Part(10, 29, 0)
    assert next_part(10, 1000, 0, 10, 30, whole=True) == Part(10, RUN, 0)
    assert next_part(0, SHORTEST + 1, 0, 0, 30, whole=True) == Part(0, SHORTEST, 0)
    assert next_part(0, SHORTEST, 0, 0, 30, whole=True) is None


def test_what_would_be_left_of_a_whole_text_for_no_run_goes_with_the_block() -> None:
    behind = RUN + SHORTEST + 1  # the first behind a block goes the long way, and the last
    assert next_part(0, behind, 0, 0, 30, whole=True) == Part(0, behind - 1, 0)
    assert next_part(0, behind + 1, 0, 0, 30, whole=True) == Part(0, RUN, 0)
    assert next_part(0, RUN + 1, 0, 0, 30, whole=True) == Part(0, RUN, 0)


@given(
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.tuples(st.integers(0, RUN - 1), st.floats(0.1, 1e6)),
    st.booleans(),
)
def test_a_part_is_there_and_holds_the_cursor(
    trimmed: int, read: int, backlog: int, pace: tuple[int, float], whole: bool
) -> None:
    phase, rate = pace
    cursor = trimmed + read
    behind = cursor + backlog
    part = next_part(cursor, behind, trimmed, phase, rate, whole=whole)
    if part:
        assert part.start + part.done == cursor
        assert trimmed <= part.start
        assert part.done < part.size
        if whole:
            assert part.start + part.size < behind
        else:
            assert 2 * (part.start + part.size - cursor) <= backlog + 1
