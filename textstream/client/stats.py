"""Measures a stream as its reader sees it. No I/O; times are handed in."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import regex

from textstream.client.reader import Chunk
from textstream.protocol import UnitName

_CLUSTER = regex.compile(r"\X")


class StreamStats:
    """Time to the first character, pace, and gaps between arrivals.

    Characters are extended grapheme clusters (Unicode UAX #29). In units other than ``char``
    they are counted in each piece by itself, so that one which two tokens share counts twice.

    Attributes:
        characters: how many have arrived.

    """

    def __init__(self, asked_at: float, unit: UnitName = "char") -> None:
        """Begin. `asked_at` is when the stream was asked for, in seconds of any clock."""
        self.characters = 0
        self._asked_at = asked_at
        self._unit = unit
        self._first_at: float | None = None
        self._first_count = 0
        self._last_at = asked_at
        self._gaps = array("d")

    def add(self, chunk: Chunk) -> None:
        """Count a piece; ``chunk.at`` is of the same clock as `asked_at`."""
        count = self._count(chunk)
        if self._first_at is None:
            self._first_at, self._first_count = chunk.at, count
        else:
            self._gaps.append(chunk.at - self._last_at)
        self._last_at = chunk.at
        self.characters += count

    @property
    def time_to_first(self) -> float | None:
        """Seconds from the request to the first text; None: nothing has arrived."""
        return None if self._first_at is None else self._first_at - self._asked_at

    @property
    def rate(self) -> float | None:
        """Characters per second after the first arrival; None: no second one, or no time."""
        if self._first_at is None or self._last_at <= self._first_at:
            return None
        # The first arrival starts the clock, so what it brought is not counted.
        return (self.characters - self._first_count) / (self._last_at - self._first_at)

    def gap(self, quantile: float) -> float | None:
        """Return the `quantile` (0 to 1) of the seconds between arrivals; None: there is none."""
        return nearest_rank(self._gaps, quantile)

    def summary(self) -> str:
        """Return one line for people."""
        rate = "–" if self.rate is None else f"{self.rate:.1f}"
        return (
            f"first character {_seconds(self.time_to_first)} · {rate} characters/s · "
            f"gap p50 {_milliseconds(self.gap(0.5))}, p99 {_milliseconds(self.gap(0.99))} · "
            f"{self.characters} characters in {self._last_at - self._asked_at:.2f} s"
        )

    def _count(self, chunk: Chunk) -> int:
        if self._unit == "char":
            return chunk.next - chunk.offset
        return sum(1 for _ in _CLUSTER.finditer(chunk.text))


def nearest_rank(values: Sequence[float], quantile: float) -> float | None:
    """Return the smallest of `values` that `quantile` of them do not exceed (nearest rank).

    Raises:
        ValueError: `quantile` is not within 0 to 1.

    """
    if not 0 <= quantile <= 1:
        raise ValueError("a quantile is within 0 to 1")
    if not values:
        return None
    # Rounded, or else 0.07 * 100 would be the 8th of 100: it is 7.000000000000001.
    return sorted(values)[max(0, math.ceil(round(quantile * len(values), 9)) - 1)]


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f} s"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{1000 * value:.1f} ms"
