"""Servers take turns; of several turns of one the median counts."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from statistics import median, median_low
from typing import Any

from benchmarks.result import Result
from benchmarks.servers import Server


def order(servers: Sequence[Server], turn: int) -> Sequence[Server]:
    """Return the order of a turn, counted from 0: A B C, C B A, A B C …

    So that what else the machine does, and what one leaves to the next, is shared.
    """
    return servers if turn % 2 == 0 else servers[::-1]


def median_of(turns: Sequence[Result]) -> Result:
    """Return one result: of every figure the median, and all that went wrong.

    Args:
        turns: at least one, all of the same server under the same work.

    """
    if len(turns) == 1:
        return turns[0]
    fields = {
        field.name: _middle([getattr(turn, field.name) for turn in turns])
        for field in dataclasses.fields(Result)
    }
    fields["errors"] = _sum([turn.errors or {} for turn in turns])
    fields["failed"] = _reasons(turns)
    compared = [turn.characters_per_cpu_second or turn.cost for turn in turns]
    fields["turns"] = [figure for figure in compared if figure is not None] or None
    return Result(**fields)


def _middle(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    if not known:
        return None
    if isinstance(known[0], bool):
        return all(known)
    if isinstance(known[0], int | float):
        return (median_low if all(isinstance(v, int) for v in known) else median)(known)
    return known[0]


def _sum(errors: list[dict[str, int]]) -> dict[str, int] | None:
    return dict(sum(map(Counter, errors), Counter())) or None


def _reasons(turns: Sequence[Result]) -> str | None:
    reasons = Counter(turn.failed for turn in turns if turn.failed)
    return (
        "; ".join(f"{reason} ({often} of {len(turns)} turns)" for reason, often in reasons.items())
        or None
    )
