"""From a source's deltas to the log: cut into units; what a source that rests left is let go of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from textstream.stream.stream import Stream
from textstream.stream.units import SurrogateJoiner, new_splitter

REST = 0.35
"""Seconds without a delta after which a live source rests: let go within 0.4 s, a tick included.

More than the horizon of the ``auto`` pace, 0.3 s: its readers have the rest of the delta by then,
so that what is let go does not wait for it, but comes at once, or in half of that horizon. Less
would cut the words of a model of three tokens a second.
"""

CallAt = Callable[[float, Callable[[], None]], None]
"""Calls its second argument at or after that time of the clock, with no lock held."""


class Feed:
    """Cuts the text of a source into units and appends them to its stream.

    The producer's methods are called by one thread at a time, `finish` last.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._joiner = SurrogateJoiner()
        self._splitter = new_splitter(stream.unit)

    def append(self, deltas: Sequence[str]) -> None:
        """Append what these deltas complete."""
        if self._stream.append(self._split(deltas)):
            self._cancel()

    def finish(self, deltas: Sequence[str] = ()) -> None:
        """Append what the last deltas complete, and what was held back."""
        if self._stream.append(self._split_last(deltas)):
            self._cancel()

    def go_on(self) -> None:
        """Know that the source is asked again, after it was held."""

    def _split(self, deltas: Sequence[str]) -> Sequence[str]:
        if self._stream.unit != "token":
            return self._splitter.push(self._joiner.push("".join(deltas)))
        push, join = self._splitter.push, self._joiner.push
        return [unit for delta in deltas for unit in push(join(delta))]

    def _split_last(self, deltas: Sequence[str]) -> Sequence[str]:
        units = self._split(deltas)
        rest = [*self._splitter.push(self._joiner.finish()), *self._splitter.finish()]
        if isinstance(units, str) and len(text := "".join(rest)) == len(rest):
            return units + text
        return [*units, *rest]

    def _cancel(self) -> None:
        """Cancel the source at the most units; with no lock held, for that calls its code."""
        self._stream.cancel.cancel()


class LiveFeed(Feed):
    """Lets go of what is held back, where that need not wait, when its source rests.

    The producer's thread is in the source's code then, so a timed call does it: one per stream at
    a time, which finds out how long ago the last delta was. A call for each delta would be a
    thousand times as many. ``_lock`` guards the splitter, and the order of what is appended.
    """

    def __init__(self, stream: Stream, *, clock: Callable[[], float], call_at: CallAt) -> None:
        super().__init__(stream)
        self._clock = clock
        self._call_at = call_at
        self._lock = threading.Lock()
        self._rests_at = 0.0  # unless there is more text before
        self._watched = False  # whether a call is under way

    def append(self, deltas: Sequence[str]) -> None:
        """Append what these deltas complete, and see to it that the rest is let go of."""
        text = "".join(deltas)
        if not text:
            return
        with self._lock:
            full = self._stream.append(self._splitter.push(self._joiner.push(text)))
            self._watch()
        if full:
            self._cancel()

    def finish(self, deltas: Sequence[str] = ()) -> None:
        """Append what the last deltas complete, and what was held back."""
        with self._lock:
            full = self._stream.append(self._split_last(deltas))
        if full:
            self._cancel()

    def go_on(self) -> None:
        """Know that the source is asked again: it may rest from now on."""
        with self._lock:
            self._watch()

    def _watch(self) -> None:
        """Count the rest from now, with the lock held."""
        self._rests_at = self._clock() + REST
        if not self._watched:
            self._watched = True
            self._call_at(self._rests_at, self._look)

    def _look(self) -> None:
        """Let go of what need not wait, if the source rests; look again if it does not yet.

        One that is held does not rest: it was not asked for more, and will be.
        """
        if not self._lock.acquire(blocking=False):  # it does not rest: who calls is not kept
            self._call_at(self._clock() + REST, self._look)
            return
        try:
            if self._clock() < self._rests_at:
                self._call_at(self._rests_at, self._look)
                return
            self._watched = False
            if self._stream.life.state == "held":
                return
            full = not self._joiner.high and self._stream.append(self._splitter.release())
        finally:
            self._lock.release()
        if full:
            self._cancel()


def new_feed(stream: Stream, *, live: bool, clock: Callable[[], float], call_at: CallAt) -> Feed:
    """Return the feed of a stream, whose source is `live` or not.

    Args:
        stream: what to append to.
        live: whether the source may rest. Of a token nothing is ever held back.
        clock: seconds, monotonic.
        call_at: calls back at a time of that clock.

    """
    if live and stream.unit != "token":
        return LiveFeed(stream, clock=clock, call_at=call_at)
    return Feed(stream)
