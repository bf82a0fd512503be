"""From what a profiled server recorded to the calls of a trip, and their figures.

What they mean stands in the package's docstring.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median_low
from typing import NamedTuple

CALL, RETURN = "call", "return"
LIBRARY_CALL, LIBRARY_RETURN = "library call", "library return"
WAIT, WAITED = "wait", "waited"
RECEIVED, WROTE = "received", "wrote"

STEP = {CALL: 1, LIBRARY_CALL: 1, RETURN: -1, LIBRARY_RETURN: -1}
"""How far an event goes into the calls, or out of them."""


class Event(NamedTuple):
    """What a thread did.

    Attributes:
        thread: its number and its name.
        kind: one of the above.
        file: of the function, from ``textstream/`` or the library's folder on.
        function: its qualified name; of what was received or written, the bytes in Latin-1.

    """

    thread: tuple[int, str]
    kind: str
    file: str
    function: str


@dataclass(frozen=True)
class Figures:
    """What a trip takes: see the package."""

    calls: int
    library_calls: int
    files: int
    moves: int
    re_entries: int


@dataclass(frozen=True)
class Spread:
    """One figure of several trips."""

    median: int
    least: int
    most: int


def cut(events: Sequence[Event], awaited: str) -> list[Event]:
    """Return the events of a trip, in order; the last write in them is the one that ends it.

    Args:
        events: all that was recorded, from before the bytes came until all was quiet.
        awaited: is in the write that ends the trip, and in none before.

    Raises:
        RuntimeError: the server's sockets saw no request, or no such write.

    """
    read = next((n for n, event in enumerate(events) if event.kind == RECEIVED), None)
    if read is None:
        raise RuntimeError("no bytes were read by a socket of Python's")
    written = next(
        (n for n, event in enumerate(events) if event.kind == WROTE and awaited in event.function),
        None,
    )
    if written is None:
        raise RuntimeError(f"no {awaited} was written by a socket of Python's")
    reader, writer = events[read].thread, events[written].thread
    begin = max(
        (n for n in range(read) if events[n].thread == reader and events[n].kind == WAITED),
        default=0,
    )
    trip = [event for event in events[begin:read] if event.thread == reader]
    trip += events[read : written + 1]
    return [*trip, *_unfinished(trip, events[written + 1 :], writer)]


def _unfinished(
    trip: Sequence[Event], later: Sequence[Event], writer: tuple[int, str]
) -> Iterator[Event]:
    """Yield what the threads other than the writer do until they are out of what they are in."""
    depth: Counter[tuple[int, str]] = Counter()
    for event in trip:
        depth[event.thread] = _deeper(depth[event.thread], event)
    del depth[writer]
    for event in later:
        if depth[event.thread]:
            depth[event.thread] = _deeper(depth[event.thread], event)
            yield event


def _deeper(depth: int, event: Event) -> int:
    """Return how deep a thread is in the calls of a trip. A return from before it is none of it."""
    return 0 if event.kind == WAIT else max(0, depth + STEP.get(event.kind, 0))


def arrivals(trip: Sequence[Event]) -> Iterator[tuple[Event, str]]:
    """Yield the calls of ours, each with how its thread came to the file.

    ``moved`` to one that was not entered before, ``re-entered`` one, or neither: an empty string.
    """
    latest: dict[tuple[int, str], str] = {}
    entered: set[tuple[tuple[int, str], str]] = set()
    for event in trip:
        if event.kind != CALL:
            continue
        place = (event.thread, event.file)
        if latest.get(event.thread, event.file) == event.file:
            yield event, ""
        else:
            yield event, "re-entered" if place in entered else "moved"
        entered.add(place)
        latest[event.thread] = event.file


def figures(trip: Sequence[Event]) -> Figures:
    """Count."""
    came = Counter(how for _, how in arrivals(trip))
    return Figures(
        calls=came.total(),
        library_calls=sum(event.kind == LIBRARY_CALL for event in trip),
        files=len({event.file for event in trip if event.kind == CALL}),
        moves=came["moved"] + came["re-entered"],
        re_entries=came["re-entered"],
    )


def spreads(several: Sequence[Figures]) -> dict[str, Spread]:
    """Return median and extremes of each figure."""
    rows = [asdict(one) for one in several]
    return {
        name: Spread(median_low(values), min(values), max(values))
        for name in rows[0]
        if (values := [row[name] for row in rows])
    }
