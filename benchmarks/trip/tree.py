"""A trip as a tree of calls, for whoever wants to shorten it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.trip.figures import (
    CALL,
    LIBRARY_CALL,
    RECEIVED,
    STEP,
    WROTE,
    Event,
    Figures,
    arrivals,
    figures,
)

MARKS = {"": " ", "moved": ">", "re-entered": "<"}

SHOWN = 100
"""Characters of what was read or written."""


def draw(trip: Sequence[Event]) -> str:
    """Return the calls in their order, indented by depth, with a heading where the thread changes.

    Library calls are in between, for it is they who call some of ours.
    """
    return "\n".join([*_legend(figures(trip)), *_lines(trip)])


def _legend(total: Figures) -> Iterator[str]:
    yield f"{total.calls} calls, {total.moves} moves, {total.re_entries} re-entries"
    yield "> moves to a file, < re-enters a file that this thread has left; (library calls)"


def _lines(trip: Sequence[Event]) -> Iterator[str]:
    came = {id(event): MARKS[how] for event, how in arrivals(trip)}
    names = _thread_names(trip)
    depth: Counter[tuple[int, str]] = Counter()
    latest: tuple[int, str] | None = None
    number = 0
    for event in trip:
        step = STEP.get(event.kind, 0)
        if event.kind in {CALL, LIBRARY_CALL, RECEIVED, WROTE} and event.thread != latest:
            yield f"\n[{names[event.thread]}]"
            latest = event.thread
        indent = "  " * depth[event.thread]
        if event.kind == CALL:
            number += 1
            yield f"{number:>4} {came[id(event)]} {indent}{event.file}: {event.function}"
        elif event.kind == LIBRARY_CALL:
            yield f"       {indent}({event.file}: {event.function})"
        elif event.kind in {RECEIVED, WROTE}:
            yield f"       {indent}{event.kind} {event.function[:SHOWN]!r}"
        depth[event.thread] = max(0, depth[event.thread] + step)


def _thread_names(trip: Sequence[Event]) -> dict[tuple[int, str], str]:
    """Return the threads' names, with a number where several have the same."""
    names: dict[tuple[int, str], str] = {}
    known: Counter[str] = Counter()
    for event in trip:
        if event.thread not in names:
            name = event.thread[1]
            known[name] += 1
            names[event.thread] = name if known[name] == 1 else f"{name} ({known[name]})"
    return names
