"""What happens where is decided without sockets and without a clock."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.chaos import FOREVER, ByteRange, Cut, Fault, RandomPlan, ScriptedPlan, Stall
from textstream.chaos.bucket import TokenBucket
from textstream.chaos.plan import Passage


@st.composite
def ranges(draw: st.DrawFn) -> ByteRange:
    low = draw(st.integers(1, 10_000))
    return ByteRange(low, low + draw(st.integers(0, 10_000)))


def first(plan: RandomPlan, connection: int, count: int = 20) -> list[Fault]:
    return list(islice(plan.faults(connection), count))


@given(st.integers(), ranges(), ranges(), st.integers(1, 10_000))
def test_the_same_seed_gives_the_same_faults(
    seed: int, cut_every: ByteRange, stall_every: ByteRange, connection: int
) -> None:
    def plan() -> RandomPlan:
        return RandomPlan(seed, cut_every=cut_every, cut="both", stall_every=stall_every, stall=1)

    other = plan()
    first(other, connection + 1)  # What is asked of one connection changes no other.
    assert first(plan(), connection) == first(other, connection)


def test_it_gives_them_in_every_version_of_python() -> None:
    plan = RandomPlan(7, cut_every=ByteRange(200, 2000), cut="both")
    assert [next(plan.faults(n)) for n in range(1, 5)] == [
        Cut(989, "rst"),
        Cut(1972, "fin"),
        Cut(918, "rst"),
        Cut(1728, "fin"),
    ]


def test_seeds_and_connections_differ() -> None:
    every = ByteRange(1, 10**9)
    firsts = {
        next(RandomPlan(seed, cut_every=every).faults(connection))
        for seed in range(10)
        for connection in range(1, 11)
    }
    assert len(firsts) == 100


@given(st.integers(), ranges())
def test_cuts_are_within_the_range(seed: int, every: ByteRange) -> None:
    positions = [0, *(f.position for f in first(RandomPlan(seed, cut_every=every), 1))]
    for before, after in pairwise(positions):
        assert every.minimum <= after - before <= every.maximum


def test_cuts_reach_both_bounds_and_both_kinds() -> None:
    plan = RandomPlan(1, cut_every=ByteRange(3, 5), cut="both")
    cuts = {next(plan.faults(connection)) for connection in range(1, 200)}
    assert cuts == {Cut(at, kind) for at in (3, 4, 5) for kind in ("fin", "rst")}


@given(st.integers(), ranges(), ranges())
def test_stalls_do_not_move_cuts(seed: int, cut_every: ByteRange, stall_every: ByteRange) -> None:
    both = RandomPlan(seed, cut_every=cut_every, stall_every=stall_every, stall=2.0)
    faults = first(both, 1, 50)
    assert [f.position for f in faults] == sorted(f.position for f in faults)
    cuts = [fault for fault in faults if isinstance(fault, Cut)]
    assert cuts == first(RandomPlan(seed, cut_every=cut_every), 1, len(cuts))


def test_without_a_range_nothing_happens() -> None:
    assert first(RandomPlan(1), 1) == []


def test_a_script_has_one_fault_for_each_connection() -> None:
    plan = ScriptedPlan([5, None, 7], cut="fin")
    assert [list(plan.faults(n)) for n in range(1, 5)] == [
        [Cut(5, "fin")],
        [],
        [Cut(7, "fin")],
        [],
    ]
    assert list(ScriptedPlan([5], stall=FOREVER).faults(1)) == [Stall(5, math.inf)]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 5), (5, 4)])
def test_a_range_that_is_none_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="range of bytes"):
        ByteRange(low, high)


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_a_stall_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="stall"):
        RandomPlan(1, stall_every=ByteRange(1, 1), stall=seconds)


@given(st.integers(), st.lists(st.integers(1, 500), min_size=1, max_size=100))
def test_what_passes_between_faults_does_not_depend_on_the_pieces(
    seed: int, pieces: list[int]
) -> None:
    def met(writes: list[int]) -> list[Fault]:
        """Carry pieces as the proxy does: never past a fault."""
        plan = RandomPlan(seed, cut_every=ByteRange(1, 300), stall_every=ByteRange(1, 300), stall=1)
        passage = Passage(plan.faults(1))
        found = []
        for size in writes:
            left = size
            while left:
                passage.carried(count := int(min(left, passage.left)))
                left -= count
                while fault := passage.due():
                    assert fault.position == passage.position
                    found.append(fault)
        return found

    assert met(pieces) == met([sum(pieces)]) == met([1] * sum(pieces))


@given(
    st.integers(1, 10**9),
    st.lists(st.tuples(st.floats(0, 10), st.integers(1, 10**6)), min_size=1, max_size=50),
)
def test_a_bucket_keeps_its_rate(rate: int, asked: list[tuple[float, int]]) -> None:
    now = start = 1_000_000.0
    bucket, taken = TokenBucket(rate, now), 0
    for pause, wanted in asked:
        now += pause
        count = min(wanted, bucket.available(now))
        bucket.take(count)
        taken += count
        assert taken <= max(1, rate / 10) + rate * (now - start) * (1 + 1e-9) + 1


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_bucket_says_when_it_is_worth_coming_back(rate: int, wanted: int) -> None:
    bucket = TokenBucket(rate, 1_000_000.0)
    bucket.take(bucket.available(1_000_000.0))
    due = bucket.due(wanted)
    assert bucket.available(due) >= max(1, int(min(wanted, rate / 10)) - 1)
    assert 1_000_000.0 < due <= 1_000_000.0 + max(0.1, 1 / rate) + 1e-5
