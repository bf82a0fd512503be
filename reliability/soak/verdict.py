"""What the figures of a soak say: the trend of each, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from reliability.soak.sampler import Sample
from reliability.soak.trend import Trend, trend

MEGABYTE = 1_000_000
HOUR = 3600.0

Word = Literal["flat", "falls", "immaterial", "unclear", "rises"]


@dataclass(frozen=True)
class Series:
    """A figure to be judged.

    Attributes:
        name: what it is.
        bound: the rise an hour, in its unit, below which nobody would ever notice one.
        value: takes it from a sample.

    """

    name: str
    bound: float
    value: Callable[[Sample], float]


ALL_SERIES = (
    Series("resident, MB", 10.0, lambda sample: sample.resident / MEGABYTE),
    Series("anonymous, MB", 10.0, lambda sample: sample.anonymous / MEGABYTE),
    Series("allocated, MB", 10.0, lambda sample: sample.allocated / MEGABYTE),
    Series("Python blocks", 20_000.0, lambda sample: sample.blocks),
    Series("threads", 5.0, lambda sample: sample.threads),
    Series("descriptors", 5.0, lambda sample: sample.descriptors),
    Series("streams", 5.0, lambda sample: sample.streams),
)


@dataclass(frozen=True)
class Verdict:
    """A figure, its trend, and what that means.

    Attributes:
        word: ``flat``: 0 lies within the interval, and its upper end below the bound.
            ``falls``: the whole interval lies below 0. ``immaterial``: it rises, but for certain
            by less than the bound. ``unclear``: 0 lies within the interval, but so does the
            bound; a longer run would tell. ``rises``: it rises, perhaps by more than the bound.

    """

    series: Series
    trend: Trend
    word: Word

    @property
    def wrong(self) -> bool:
        """Whether there is a leak, as far as one can say."""
        return self.word == "rises"


def judge(series: Series, samples: Sequence[Sample]) -> Verdict:
    """Judge one figure by all `samples`.

    Raises:
        ValueError: there are fewer than three.

    """
    found = trend([(sample.at, series.value(sample)) for sample in samples])
    return Verdict(series, found, _word(found, series.bound / HOUR))


def _word(found: Trend, bound: float) -> Word:
    if found.high < 0:
        return "falls"
    if found.high <= bound:
        return "flat" if found.low <= 0 else "immaterial"
    return "unclear" if found.low <= 0 else "rises"


def table(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [
        "| figure | mean | change an hour | 95 % interval | bound | verdict |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for verdict in verdicts:
        found = verdict.trend
        slope, low, high = (f"{x * HOUR:+,.2f}" for x in (found.slope, found.low, found.high))
        lines.append(
            f"| {verdict.series.name} | {found.mean:,.1f} | {slope} | {low} … {high} "
            f"| {verdict.series.bound:,g} | {verdict.word} |"
        )
    return lines
