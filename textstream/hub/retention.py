"""Ends and forgets streams that nobody reads, and streams that are too long, when it is time."""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from textstream.reading.dispatcher import Dispatcher
from textstream.stream.log import ByteCount
from textstream.stream.stream import Stream

NEVER = float("inf")
_order = attrgetter("order")


@dataclass(eq=False, slots=True)
class Entry:
    """A stream that is kept.

    Attributes:
        stream: the stream.
        order: the how-manieth it was to end, from 1; 0: it runs.
        check: when its timer is due, in seconds of the clock; `NEVER`: none is set.

    """

    stream: Stream
    order: int = 0
    check: float = NEVER


class Retention:
    """Ends streams when their `Life` says so, and forgets them after their end.

    Ended streams are forgotten earlier, those that ended first before the others, when more than
    `max_streams` of them are unread, or as soon as all streams together keep `max_bytes` bytes of
    text. One that is read is passed over, and keeps its place in the order.

    ``_lock`` guards the tables; it may be taken with the hub's or a stream's lock held, and only
    the dispatcher's is taken while it is held. `unread` and `make_room` take the locks of other
    streams: call them with none but the hub's.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        clock: Callable[[], float],
        kept: ByteCount,
        max_streams: int,
        max_bytes: int,
        forget: Callable[[Stream], None],
    ) -> None:
        """Keep nothing yet.

        Args:
            dispatcher: calls back when it is time.
            clock: its clock, in seconds.
            kept: bytes of text that all streams keep.
            max_streams: ended and unread streams, at most.
            max_bytes: of text, at most.
            forget: called, without the lock, for a stream whose text was let go of.

        """
        self._dispatcher = dispatcher
        self._clock = clock
        self._kept = kept
        self._max_streams = max_streams
        self._max_bytes = max_bytes
        self._forget = forget
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._ends = itertools.count(1)
        # Ended and unread, in the order of their ends. A list, not a dict: one that was read
        # again goes back to its place. To move 10,000 pointers takes a few microseconds.
        self._evictable: list[Entry] = []
        self._running: OrderedDict[str, Stream] = OrderedDict()  # oldest first
        self._timer = False  # one for the oldest of them: one for each would wait for a day
        kept.tell(max_bytes, self._make_room_soon)

    def run(self, stream: Stream) -> None:
        """Take note of a new stream."""
        with self._lock:
            self._entries[stream.id] = Entry(stream)
            self._running[stream.id] = stream
            start, self._timer = not self._timer, True
        if start:
            self._dispatcher.call_at(stream.life.longest_until, self._end_longest)

    def unread(self, stream: Stream) -> None:
        """Take note that the last reader of a stream has gone, or that it has ended.

        Nothing is done for a stream that was forgotten meanwhile, or that somebody reads.
        """
        # Both locks: between a look at the stream and the note of it, another thread might
        # forget the stream, or attach to it.
        with stream.lock, self._lock:
            entry = self._entries.get(stream.id)
            if entry is None:
                return
            if stream.ending is not None and not entry.order:
                self._running.pop(stream.id, None)
                entry.order = next(self._ends)
            due = stream.life.due
            if due is None:
                return  # one came just as the last one left; it is heard of when it goes
            if entry.order:
                self._offer(entry)
            self._set_timer(entry, due)
        self.make_room()

    def read(self, stream: Stream) -> None:
        """Take note that somebody reads a stream again."""
        with self._lock:
            if entry := self._entries.get(stream.id):
                self._withdraw(entry)

    def make_room(self) -> bool:
        """Forget what is too much; return whether there is room for another stream's text."""
        while True:
            with self._lock:
                count, full = len(self._evictable), self._kept.total >= self._max_bytes
                if not count or (count <= self._max_streams and not full):
                    return not full
                oldest = self._evictable[0].stream
            self._drop(oldest)

    def _make_room_soon(self) -> None:
        # Called where text is added, with that stream's lock and its log's held. Once when the
        # limit is reached is enough: while it is passed, whatever ends, or is left, makes room.
        self._dispatcher.call_at(float("-inf"), self._make_room_now)

    def _make_room_now(self) -> None:
        self.make_room()

    def _set_timer(self, entry: Entry, due: float) -> None:
        """Have a stream looked at when it is due, with the lock held.

        A timer that is set already, and earlier, does it: the look finds when it is due by then.
        With one for each reader that leaves, who comes and goes a thousand times a second would
        leave 300,000 behind.
        """
        if due >= entry.check:
            return
        entry.check = due
        # The id, not the stream: a timer must not keep the text of one that was dropped early.
        stream_id = entry.stream.id
        self._dispatcher.call_at(due, lambda: self._check(stream_id, due))

    def _check(self, stream_id: str, when: float) -> None:
        with self._lock:
            entry = self._entries.get(stream_id)
            if entry is None or entry.check != when:
                return  # it was forgotten, or had to be looked at earlier
            entry.check = NEVER
        stream = entry.stream
        with stream.lock:
            due, ended = stream.life.due, stream.ending is not None
        if due is None:
            return  # somebody reads it; it is heard of when that one goes
        if due > self._clock():
            self.unread(stream)  # was read meanwhile, or has ended: it is due later
        elif ended:
            self._drop(stream)
        else:
            stream.stop("expired")  # comes back through unread() as ended

    def _drop(self, stream: Stream) -> None:
        """Forget a stream, unless somebody reads it."""
        with stream.lock:  # or one that comes and goes right now would not be taken note of
            forgotten = stream.forget()
            with self._lock:
                if entry := self._entries.get(stream.id):
                    self._withdraw(entry)
                if forgotten:
                    self._entries.pop(stream.id, None)
        if forgotten:
            self._forget(stream)

    def _offer(self, entry: Entry) -> None:
        index = bisect_left(self._evictable, entry.order, key=_order)
        if self._evictable[index : index + 1] != [entry]:
            self._evictable.insert(index, entry)

    def _withdraw(self, entry: Entry) -> None:
        index = bisect_left(self._evictable, entry.order, key=_order)
        if self._evictable[index : index + 1] == [entry]:
            del self._evictable[index]

    def _end_longest(self) -> None:
        now = self._clock()
        too_long = []
        with self._lock:
            while self._running:
                oldest = next(iter(self._running.values()))
                if oldest.life.longest_until > now:
                    break
                too_long.append(self._running.pop(oldest.id))
            self._timer = bool(self._running)
            if self._timer:
                self._dispatcher.call_at(oldest.life.longest_until, self._end_longest)
        for stream in too_long:
            stream.stop("expired")
