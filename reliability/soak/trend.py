"""Whether a series rises: its slope, with an interval that minds that neighbours are alike.

1. **Batch means.** The samples are averaged over blocks of equal length. Means of blocks that are
   long beside whatever swings in the series (streams come, are kept for seconds, are forgotten)
   are nearly independent and nearly normal. 10 to 30 blocks are enough: fewer cost precision, more
   bring the dependence back (B. Schmeiser, "Batch size effects in the analysis of simulation
   output", Operations Research 30(3), 1982).
2. **Ordinary least squares** over the means. Theil and Sen's median of slopes would bear outliers
   better, but the blocks have averaged those away, and its interval has no room for step 3.
3. **Effective sample size.** What the blocks' residuals still have in common with their neighbours,
   their autocorrelation r at lag 1, leaves n (1 - r) / (1 + r) independent ones of n; the standard
   error and Student's degrees of freedom are computed from those (B. D. Santer et al.,
   "Statistical significance of trends and trend differences in layer-average atmospheric
   temperature time series", Journal of Geophysical Research 105(D6), 2000, equations 4 to 6).

An allocator takes memory in steps. Step 3 tells a step from a leak: around a single step the
residuals hang together, the interval is wide; around a steady leak they do not, it is narrow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression

CONFIDENCE = 0.95

BLOCKS = (10, 30)
"""At least, and at most, how many blocks a series is divided into."""

BLOCK_SECONDS = 30.0
"""Length of a block where the series is long enough, but not too long, for it."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Trend:
    """How a series moves, in its unit per second.

    Attributes:
        slope: the estimate.
        low, high: its 95 % interval; infinite when the series is too short, or its blocks too
            much alike, to say anything.
        mean: of the whole series, in its unit.
        blocks: how many means the line was drawn through.
        independent: how many of these count as independent.

    """

    slope: float
    low: float
    high: float
    mean: float
    blocks: int
    independent: float


def trend(samples: Sequence[Point]) -> Trend:
    """Return the trend of `samples`: pairs of seconds and value, by time.

    Raises:
        ValueError: there are fewer than three samples, or no time passes between them.

    """
    means = block_means(samples)
    n = len(means)
    if n < 3:
        raise ValueError("a trend takes samples from at least three moments")
    times, values = [at for at, _ in means], [value for _, value in means]
    slope, intercept = linear_regression(times, values)
    residuals = [value - (intercept + slope * at) for at, value in means]
    independent = effective_size(residuals)
    half = math.inf
    if independent - 2 >= 1:
        centre = fmean(times)
        spread = sum((at - centre) ** 2 for at in times)
        variance = sum(residual**2 for residual in residuals) / (independent - 2)
        half = student_quantile(independent - 2) * math.sqrt(variance / spread)
    return Trend(
        slope=slope,
        low=slope - half,
        high=slope + half,
        mean=fmean(value for _, value in samples),
        blocks=n,
        independent=independent,
    )


def block_means(samples: Sequence[Point]) -> list[Point]:
    """Average times and values over blocks of equal length. Blocks without a sample are left out.

    Raises:
        ValueError: there is no sample.

    """
    if not samples:
        raise ValueError("no samples")
    first, last = samples[0][0], samples[-1][0]
    least, most = BLOCKS
    count = min(max(round((last - first) / BLOCK_SECONDS), least), most)
    blocks: dict[int, list[Point]] = {}
    for at, value in samples:
        share = (at - first) / (last - first) if last > first else 0.0
        blocks.setdefault(min(int(share * count), count - 1), []).append((at, value))
    return [
        (fmean(at for at, _ in block), fmean(value for _, value in block))
        for _, block in sorted(blocks.items())
    ]


def effective_size(residuals: Sequence[float]) -> float:
    """Return how many independent values `residuals` are worth: at most as many as there are.

    Neighbours that differ more than chance would have it (r < 0) earn nothing: that would make the
    interval narrower than independence does.
    """
    n = len(residuals)
    squares = sum(residual**2 for residual in residuals)
    if squares == 0.0:
        return float(n)
    r = sum(a * b for a, b in itertools.pairwise(residuals)) / squares
    r = max(0.0, r)
    return n * (1 - r) / (1 + r)


def student_quantile(freedom: float, confidence: float = CONFIDENCE) -> float:
    """Return the t that Student's distribution stays within, on either side of 0.

    Found by bisection: the standard library has no such function. With t = sqrt(f) tan x the
    probability of less than t is the integral of cos(x) ** (f - 1) from 0 to x, over the same up to
    pi / 2: smooth, and bounded (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7).

    Args:
        freedom: degrees of freedom, at least 1; need not be whole.
        confidence: the probability of lying within, above 0 and below 1.

    """

    def area(angle: float) -> float:
        return _simpson(lambda x: math.cos(x) ** (freedom - 1), angle)

    low, high = 0.0, math.pi / 2
    wanted = confidence * area(high)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if area(middle) < wanted else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _simpson(function: Callable[[float], float], end: float, steps: int = 400) -> float:
    """Return the integral from 0 to `end`, by Simpson's rule; `steps` is even."""
    width = end / steps
    inner = sum((4 if step % 2 else 2) * function(step * width) for step in range(1, steps))
    return (function(0.0) + inner + function(end)) * width / 3
