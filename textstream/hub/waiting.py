"""Who waits for a source, and which place in its line each has: looked at now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textstream.sources.base import CancelToken, Source
from textstream.stream.stream import Stream

EVERY = 0.5
"""Seconds between two looks at the lines, at least: so often a place may change for who waits."""

EVERY_OF_EACH = 0.001
"""Seconds more for each that waits: to work out the places of 10,000 takes 40 ms."""

COARSE = 20
"""By one in so many a place must change to be told: when one is let in, all move up. Of 10,000 each
would be woken and written to; who is far back has nothing of it."""

CallAt = Callable[[float, Callable[[], None]], None]


class WaitingStreams:
    """The running streams of sources that have a line. Any thread; ``_lock`` guards the table.

    The sources are asked, and do not tell: then what waits costs the same however often the line
    moves, and a source that calls back under its own locks is none to think of.
    """

    def __init__(self, *, call_at: CallAt, clock: Callable[[], float]) -> None:
        """Look at none yet.

        Args:
            call_at: calls at a time of the clock, in the dispatcher's thread.
            clock: seconds, monotonic.

        """
        self._call_at = call_at
        self._clock = clock
        self._lock = threading.Lock()
        self._streams: dict[str, tuple[Source, dict[CancelToken, Stream]]] = {}  # by source
        self._looks = False  # whether a look is due

    def __len__(self) -> int:
        """Return how many streams are looked at."""
        return sum(len(streams) for _, streams in self._streams.values())

    def add(self, stream: Stream, source: Source, place: int) -> None:
        """Have a new stream told its place until it ends; `place` is the one it has, 0: none."""
        stream.position = place
        with self._lock:
            _, streams = self._streams.setdefault(source.name, (source, {}))
            streams[stream.cancel] = stream
            looks, self._looks = self._looks, True
        if not looks:
            self._call_at(self._clock() + EVERY, self._look)

    def _look(self) -> None:
        with self._lock:
            for name, (_, streams) in list(self._streams.items()):
                for token in [one for one, stream in streams.items() if stream.ending]:
                    del streams[token]
                if not streams:
                    del self._streams[name]
            lines = [(source, dict(streams)) for source, streams in self._streams.values()]
            self._looks = bool(lines)
        waiting = 0
        for source, streams in lines:
            places = source.places()
            waiting += len(places)
            for token, stream in streams.items():
                place = places.get(token, 0)
                # None: on the way to the line, it has the place that it was told at first.
                if place is not None and _is_news(stream.position, place):
                    stream.wait_at(place)
        if lines:
            self._call_at(self._clock() + EVERY + waiting * EVERY_OF_EACH, self._look)


def _is_news(before: int, now: int) -> bool:
    return now != before and abs(now - before) * COARSE >= max(now, before)
