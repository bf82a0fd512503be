"""Ends and forgets streams that nobody reads, and streams that are too long, when it is time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from heapq import heappop, heappush

from textstream.access.account import Account
from textstream.access.clients import Owner
from textstream.hub.entry import NEVER, Entry
from textstream.hub.table import StreamTable
from textstream.stream.stream import Stream

NOW = float("-inf")
"""A time that has always come: in the dispatcher's next step."""

LINGERING = 60.0
"""Seconds between two looks at what has ended and is still read."""

DISMISSAL = 0.1
"""Seconds, at least, between two times that readers of ended streams are told to go."""


class Retention:
    """Ends streams when their `Life` says so, and forgets them after their end.

    Ended streams are forgotten earlier when there are too many of them, or when too much is kept:
    for one address, or one user, which loses its own, those that ended first before the others; or
    for all together, where the one for whom most is kept loses first. One that is read is passed
    over, and keeps its place in the order; where no other is left, its readers are told to go.

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
        kept: Account,
        max_streams: int,
    ) -> None:
        """Keep what is in the table.

        Args:
            table: of the streams.
            lock: the hub's, which guards it.
            call_at: calls back at a time, in the dispatcher's thread.
            clock: the dispatcher's, in seconds.
            kept: what is kept for all clients.
            max_streams: ended and unread streams, at most.

        """
        self._table = table
        self._lock = lock
        self._call_at = call_at
        self._clock = clock
        self._kept = kept
        self._max_streams = max_streams
        # Whether timers are set: one for each stream would be many, and some wait for a day.
        self.watches_longest = self.watches_lingering = False
        self._dismissed = NOW
        # When which stream is to be looked at, as a heap, and for when a call is set: one at a time
        # for all, or the dispatcher would be woken for each.
        self._looks: list[tuple[float, str]] = []
        self._next_look = NEVER

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
            entry.dismissed = False
            self._table.unread.withdraw(entry)

    def count_down(self, stream: Stream) -> None:
        """Have a stream that nobody reads looked at when it is due."""
        entry, due = self._table.entry(stream.id), stream.life.due
        if entry is None or due is None:
            return
        if entry.order:
            self._table.unread.offer(entry)
            self._make_room_if_needed(entry)
        self._set_timer(entry, due)

    def watch_lingering(self) -> None:
        """See to it that what has ended is not read for ever."""
        self.watches_lingering = True
        self._call_at(self._clock() + LINGERING, self._look_for_lingering)

    def _make_room_if_needed(self, entry: Entry) -> None:
        for owner in entry.owners:
            if owner.keeps_too_much:
                self.make_room_soon(owner)
        if self._keeps_too_much(None):
            self.make_room_soon(None)

    # With no lock held.

    def make_room(self, owner: Owner | None = None) -> None:
        """Forget what is too much: for a connection, an address, a user, or all together."""
        while self._keeps_too_much(owner):
            with self._lock:
                entry = self._oldest(owner)
            if entry is None:
                self._dismiss_one(owner)
                return
            self._drop(entry.stream)

    def make_room_soon(self, owner: Owner | None) -> None:
        """Do so in the dispatcher's next step. Any lock may be held."""
        self._call_at(NOW, lambda: self.make_room(owner))

    def _keeps_too_much(self, owner: Owner | None) -> bool:
        if owner is None:
            return self._table.unread.unread > self._max_streams or self._kept.full
        return owner.keeps_too_much

    def _oldest(self, owner: Owner | None) -> Entry | None:
        """Return what goes next: of all together, of whom most is kept for."""
        unread = self._table.unread
        if owner is None:
            owner = unread.largest
        return unread.oldest(owner) if owner else None

    def _dismiss_one(self, owner: Owner | None) -> None:
        """Tell the readers of what has ended to go, where there is nothing else that could.

        It is heard of again when the last of them has gone. For that every stream is looked at: not
        more often than once in a while, whoever asks for more.
        """
        now = self._clock()
        if now < self._dismissed + DISMISSAL:
            return
        self._dismissed = now
        with self._lock:
            entry = self._table.read_on(owner)
            if entry:
                entry.dismissed = True
        if entry:
            entry.stream.stop("expired")

    def _look_for_lingering(self) -> None:
        with self._lock:
            self.watches_lingering = False
            for entry in self._table.all_entries():
                if entry.order and entry.check == NEVER:
                    self._set_timer(entry, entry.stream.life.due or NEVER)

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
        heappush(self._looks, (due, entry.stream.id))
        if due < self._next_look:
            self._next_look = due
            self._call_at(due, self._look)

    def _look(self) -> None:
        """Look at what is due, and see to it that the next is looked at."""
        due, now = [], self._clock()
        with self._lock:
            if now < self._next_look:
                return  # a call that was set before an earlier one, which has looked ahead
            looks = self._looks
            while looks and looks[0][0] <= now:
                due.append(heappop(looks))
            self._next_look = looks[0][0] if looks else NEVER
            if looks:
                self._call_at(self._next_look, self._look)
        for when, stream_id in due:
            self._check(stream_id, when)

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
            over = stream.ending and not stream.readers
        if over:
            self._drop(stream)
        else:
            stream.stop("expired")  # heard of as ended, or when its readers have gone

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
