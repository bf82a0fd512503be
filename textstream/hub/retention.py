"""Ends and forgets streams that nobody reads, and streams that are too long, when it is time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from textstream.access.account import Account
from textstream.access.visits import Client
from textstream.hub.table import NEVER, Entry, StreamTable
from textstream.stream.stream import Stream

NOW = float("-inf")
"""A time that has always come: in the dispatcher's next step."""


class Retention:
    """Ends streams when their `Life` says so, and forgets them after their end.

    Ended streams are forgotten earlier when there are too many of them, or when too much is kept:
    for one address, which loses its own, those that ended first before the others; or for all
    together, where the address for which most is kept loses first. One that is read is passed over,
    and keeps its place in the order; where no other is left, its readers are told to go.

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
        self.watches_longest = False  # whether a timer is set: one for each would wait for a day

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
        if entry.order and not stream.readers:
            self._table.offer(entry)
            if self._wants_room or entry.is_too_much:
                self.make_room_soon()
        self._set_timer(entry, due)

    # With no lock held.

    def make_room(self, client: Client | None = None) -> None:
        """Forget what is too much: for one client, or for any."""
        while True:
            with self._lock:
                entry = self._excess(client)
                if entry is None:
                    return
                read = not self._is_evictable(entry)
                entry.dismissed |= read
            if read:
                entry.stream.stop("expired")  # heard of again when the last of its readers has gone
            else:
                self._drop(entry.stream)

    def make_room_soon(self) -> None:
        """Do so in the dispatcher's next step. Any lock may be held."""
        self._call_at(NOW, self.make_room)

    def _excess(self, client: Client | None) -> Entry | None:
        """Return what has to go next, with the lock held; None: nothing, or nothing can.

        Of `client` alone, or of all.
        """
        clients = [client] if client else [*{**self._table.evictable, **self._table.lingering}]
        for one in clients:
            for entry in self._in_order(one):
                if entry.is_too_much:
                    return entry
        if not self._wants_room:
            return None
        clients.sort(key=lambda one: (one.account.total, one.kept), reverse=True)
        return next((entry for one in clients for entry in self._in_order(one)), None)

    def _in_order(self, client: Client) -> Iterator[Entry]:
        """Yield what is kept for a client: unread, then read, those that ended first before."""
        yield from self._table.evictable.get(client, ())
        for entry in self._table.lingering.get(client, {}).values():
            if not entry.dismissed:
                yield entry

    def _is_evictable(self, entry: Entry) -> bool:
        return entry in self._table.evictable.get(entry.client, ())

    @property
    def _wants_room(self) -> bool:
        return self._table.unread > self._max_streams or self._kept.full

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
