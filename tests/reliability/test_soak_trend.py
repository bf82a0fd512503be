"""The maths of the soak, on series whose trend is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from reliability.soak.sampler import Sample
from reliability.soak.trend import (
    Point,
    block_means,
    effective_size,
    student_quantile,
    trend,
)
from reliability.soak.verdict import HOUR, Series, Verdict, judge, table

SECONDS = 900


def series(value: Callable[[int], float]) -> list[Point]:
    return [(float(at), value(at)) for at in range(SECONDS)]


def noise(seed: int, memory: float = 0.0) -> list[float]:
    """Return normal noise of variance 1 in which each value keeps a share of the one before."""
    choose, values, value = random.Random(seed), [], 0.0
    for _ in range(SECONDS):
        value = memory * value + math.sqrt(1 - memory**2) * choose.gauss(0, 1)
        values.append(value)
    return values


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (10, 2.228), (28, 2.048), (1000, 1.962)],
)
def test_student_quantile_agrees_with_the_printed_tables(freedom: float, expected: float) -> None:
    assert student_quantile(freedom) == pytest.approx(expected, abs=6e-4)


def test_a_straight_line_is_found_exactly() -> None:
    found = trend(series(lambda at: 5 + 0.25 * at))
    assert found.slope == pytest.approx(0.25)
    assert found.low == pytest.approx(0.25)
    assert found.high == pytest.approx(0.25)
    assert found.mean == pytest.approx(5 + 0.25 * (SECONDS - 1) / 2)


@pytest.mark.parametrize(
    ("memory", "least"),
    # The last one forgets in 100 s, three blocks: more than a soak's figures, and than it bears.
    [(0.0, 0.93), (0.9, 0.93), (0.99, 0.88)],
    ids=["white", "forgets in 10 s", "forgets in 100 s"],
)
def test_the_interval_of_a_flat_series_has_0_in_it_as_often_as_it_says(
    memory: float, least: float
) -> None:
    runs, held = 100, 0
    for seed in range(runs):
        values = noise(seed, memory)
        found = trend([(float(at), 50 + value) for at, value in enumerate(values)])
        held += found.low <= 0 <= found.high
    assert held >= least * runs  # the same seeds each time: not left to chance


@pytest.mark.parametrize("memory", [0.0, 0.9], ids=["white", "correlated"])
def test_a_leak_below_the_noise_is_found(memory: float) -> None:
    values = noise(1, memory)
    leak = 3.0 / SECONDS  # three standard deviations of the noise, over the whole run
    found = trend(series(lambda at: 50 + leak * at + values[at]))
    assert 0 < found.low <= leak <= found.high


def test_a_step_is_no_leak() -> None:
    """Ordinary least squares alone would swear to it."""
    values = noise(1)
    found = trend(series(lambda at: (60 if at >= 300 else 50) + values[at]))
    assert found.slope > 0
    assert found.low < 0
    assert found.independent < found.blocks / 2


def test_blocks_are_of_30_seconds_but_10_at_least_and_30_at_most() -> None:
    assert len(block_means([(float(at), 0.0) for at in range(601)])) == 20
    assert len(block_means([(float(at), 0.0) for at in range(61)])) == 10
    assert len(block_means([(float(at), 0.0) for at in range(7201)])) == 30


def test_blocks_without_samples_are_left_out() -> None:
    assert block_means([(0.0, 1.0), (0.5, 3.0), (100.0, 7.0)]) == [(0.25, 2.0), (100.0, 7.0)]


def test_residuals_that_alternate_earn_nothing() -> None:
    assert effective_size([1.0, -1.0] * 10) == 20
    assert effective_size([0.0] * 10) == 10
    assert effective_size([1.0] * 10 + [-1.0] * 10) < 5


def test_too_little_to_go_by() -> None:
    with pytest.raises(ValueError, match="three"):
        trend([(0.0, 1.0), (1.0, 1.0)])
    with pytest.raises(ValueError, match="no samples"):
        trend([])


def verdict_on(value: Callable[[int], float], bound: float) -> Verdict:
    samples = [
        Sample(
            at, 0, 0, threads=0, descriptors=0, cpu=0.0, blocks=round(data), allocated=0, streams=0
        )
        for at, data in series(value)
    ]
    return judge(Series("blocks", bound, lambda sample: sample.blocks), samples)


@pytest.mark.parametrize(
    ("an_hour", "bound", "word"),
    [
        (0, 1000, "flat"),
        (0, 1, "unclear"),
        (-5000, 1000, "falls"),
        (5000, 1000, "rises"),
        (5000, 10_000, "immaterial"),
    ],
)
def test_the_verdict_names_what_can_be_said(an_hour: float, bound: float, word: str) -> None:
    values = noise(4, 0.5)
    found = verdict_on(lambda at: 10_000 + an_hour / HOUR * at + 100 * values[at], bound)
    assert found.word == word
    assert found.wrong == (word == "rises")


def test_the_table_has_each_figure_an_hour() -> None:
    line = table([verdict_on(lambda at: 10_000 + 2 * at, 1000)])[-1]
    assert line.startswith("| blocks | 10,899.0 | +7,200.00 | +7,200.00 … +7,200.00 | 1,000 |")
    assert line.endswith("| rises |")
