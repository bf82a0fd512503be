"""Ends and forgets streams that nobody reads, and streams that are too long, when it is time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textstream.hub.bytes import ByteCount
from textstream.hub.table import NEVER, Entry, StreamTable
from textstream.stream.stream import Stream

NOW = float("-inf")
"""A time that has always come: in the dispatcher's next step."""


class Retention:
    """Ends streams when their `Life` says so, and forgets them after their end.

    Ended streams are forgotten earlier, those that ended first before the others, when more than
    `max_streams` of them are unread, or as soon as all streams together keep `max_bytes` bytes of
    text. One that is read is passed over, and keeps its place in the order.

    The methods of the first part are called with the hub's lock held; those of the second take it
    themselves, and the locks of streams: call them with none.
    """

    def __init__(
        self,
        table: StreamTable,
        *,
        lock: threading.Lock,
        call_at: Callable[[float, Callable[[], None]], None],
        clock: Callable[[], float],
        kept: ByteCount,
        max_streams: int,
        max_bytes: int,
    ) -> None:
        """Keep what is in the table.

        Args:
            table: of the streams.
            lock: the hub's, which guards it.
            call_at: calls back at a time, in the dispatcher's thread.
            clock: the dispatcher's, in seconds.
            kept: bytes of text that all streams keep.
            max_streams: ended and unread streams, at most.
            max_bytes: of text, at most.

        """
        self._table = table
        self._lock = lock
        self._call_at = call_at
        self._clock = clock
        self._kept = kept
        self._max_streams = max_streams
        self._max_bytes = max_bytes
        self.watches_longest = False  # whether a timer is set: one for each would wait for a day
        # Called where text is added, with that stream's lock and its log's held. Once when the
        # limit is reached is enough: while it is passed, whatever ends, or is left, makes room.
        kept.tell(max_bytes, self._make_room_soon)

    # With the hub's lock held.

    def watch_longest(self) -> None:
        """See to it that the oldest running stream ends in time."""
        self.watches_longest = bool(self._table.running)
        if self.watches_longest:
            oldest = next(iter(self._table.running.values()))
            self._call_at(oldest.stream.life.longest_until, self._end_longest)

    def keep(self, stream: Stream) -> None:
        """Keep a stream: somebody reads it."""
        entry = self._table.entry(stream.id)
        if entry and entry.order:
            self._table.withdraw(entry)

    def count_down(self, stream: Stream) -> None:
        """Have a stream that nobody reads looked at when it is due."""
        entry, due = self._table.entry(stream.id), stream.life.due
        if entry is None or due is None:
            return
        if entry.order:
            self._table.offer(entry)
            if self._wants_room:
                self._make_room_soon()
        self._set_timer(entry, due)

    # With no lock held.

    def make_room(self) -> None:
        """Forget what is too much."""
        while True:
            with self._lock:
                if not self._wants_room:
                    return
                oldest = self._table.evictable[0].stream
            self._drop(oldest)

    @property
    def _wants_room(self) -> bool:
        count = len(self._table.evictable)
        return count > self._max_streams or (count > 0 and self._kept.total >= self._max_bytes)

    def _make_room_soon(self) -> None:
        self._call_at(NOW, self.make_room)

    def _set_timer(self, entry: Entry, due: float) -> None:
        """Have a stream looked at when it is due, with the hub's lock held.

        A timer that is set already, and earlier, does it: the look finds when it is due by then.
        With one for each reader that leaves, who comes and goes a thousand times a second would
        leave 300,000 behind.
        """
        if due >= entry.check:
            return
        entry.check = due
        # The id, not the stream: a timer must not keep the text of one that was dropped early.
        stream_id = entry.stream.id
        self._call_at(due, lambda: self._check(stream_id, due))

    def _check(self, stream_id: str, when: float) -> None:
        with self._lock:
            entry = self._table.entry(stream_id)
            if entry is None or entry.check != when:
                return  # it was forgotten, or had to be looked at earlier
            entry.check = NEVER
        stream = entry.stream
        with stream.lock:
            due = stream.life.due
            if due is None:
                return  # somebody reads it; it is heard of when that one goes
            if due > self._clock():
                with self._lock:
                    self._set_timer(entry, due)  # was read meanwhile, or has ended: due later
                return
        if stream.ending:
            self._drop(stream)
        else:
            stream.stop("expired")  # heard of as ended

    def _drop(self, stream: Stream) -> None:
        """Forget a stream, unless somebody reads it."""
        with stream.lock:
            if not stream.forget():
                with self._lock:
                    self.keep(stream)

    def _end_longest(self) -> None:
        now = self._clock()
        too_long = []
        with self._lock:
            while self._table.running:
                oldest = next(iter(self._table.running.values())).stream
                if oldest.life.longest_until > now:
                    break
                too_long.append(oldest)
                del self._table.running[oldest.id]
            self.watch_longest()
        for stream in too_long:
            stream.stop("expired")
