"""The table of streams: those that run, and those kept for a while after their end."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter

from textstream.access.account import Holding
from textstream.access.visits import Client, Visit
from textstream.stream.stream import Stream

SHARED_REQUEST_ID = 16
"""Characters from which on a request id is taken for unguessable, as a UUID is.

It is then known across connections, so that a start is not done twice when the connection broke
before its answer came. A shorter one counts for its own connection only: two clients that both
count from 1 must not get each other's text.
"""

NEVER = float("inf")
_order = attrgetter("order")


@dataclass(eq=False, slots=True)
class Entry:
    """A stream that is kept.

    Attributes:
        stream: the stream.
        visit: of the connection that started it: it is kept for that, and for its address.
        holding: the text that its source has yet to generate, where that was sent.
        order: its place in the order of ends, from 1; 0: it runs.
        check: when its timer is due, in seconds of the clock; `NEVER`: none is set.
        dismissed: whether its readers were told to go, for it has to.

    """

    stream: Stream
    visit: Visit
    holding: Holding | None = None
    order: int = 0
    check: float = NEVER
    dismissed: bool = False

    @property
    def client(self) -> Client:
        """The address for which it is kept."""
        return self.visit.client

    @property
    def is_too_much(self) -> bool:
        """Whether more is kept for its connection, or its address, than may be."""
        return self.visit.keeps_too_much


class StreamTable:
    """All streams of this process. Not thread-safe: the hub's lock guards it.

    Attributes:
        running: those that have not ended, by id, the oldest first.
        evictable: those that have ended and that nobody reads, of each client in the order of
            their ends.
        unread: how many of those there are.
        lingering: those that have ended and are read, of each client, by their places in that
            order.

    """

    def __init__(self) -> None:
        self.running: dict[str, Entry] = {}
        # Lists, not dicts: one that was read again goes back to its place. To move 10,000
        # pointers takes a few microseconds.
        self.evictable: dict[Client, list[Entry]] = {}
        self.unread = 0
        self.lingering: dict[Client, dict[int, Entry]] = {}
        self._entries: dict[str, Entry] = {}
        self._requests: dict[str, Stream] = {}
        self._ends = itertools.count(1)

    def add(
        self,
        stream: Stream,
        visit: Visit,
        *,
        request_key: str | None = None,
        holding: Holding | None = None,
    ) -> None:
        """Add a stream that runs, under its id, and under the request that started it."""
        self._entries[stream.id] = self.running[stream.id] = Entry(stream, visit, holding)
        if request_key:
            stream.request_key = request_key
            self._requests[request_key] = stream

    def remove(self, stream: Stream) -> Entry | None:
        """Remove a stream that has ended; return its entry, if it had one."""
        entry = self._entries.pop(stream.id, None)
        if entry:
            self.withdraw(entry)
            self._linger_no_longer(entry)
        if stream.request_key:
            self._requests.pop(stream.request_key, None)
        return entry

    def end(self, stream: Stream) -> Entry | None:
        """Count a stream among those that have ended; return its entry, if it has one."""
        self.running.pop(stream.id, None)
        if entry := self._entries.get(stream.id):
            entry.order = next(self._ends)
            self.lingering.setdefault(entry.client, {})[entry.order] = entry
        return entry

    def entry(self, stream_id: str) -> Entry | None:
        """Return the entry of a stream, if it is there."""
        return self._entries.get(stream_id)

    def requested(self, request_key: str) -> Stream | None:
        """Return the stream that a request has already started, if it has."""
        return self._requests.get(request_key)

    def all(self) -> list[Stream]:
        """Return every stream."""
        return [entry.stream for entry in self._entries.values()]

    def offer(self, entry: Entry) -> None:
        """Let an ended stream be forgotten when room is needed: nobody reads it."""
        self._linger_no_longer(entry)
        entries = self.evictable.setdefault(entry.client, [])
        index = bisect_left(entries, entry.order, key=_order)
        if entries[index : index + 1] != [entry]:
            entries.insert(index, entry)
            self.unread += 1

    def withdraw(self, entry: Entry) -> None:
        """Keep it: somebody reads it again."""
        entries = self.evictable.get(entry.client, [])
        index = bisect_left(entries, entry.order, key=_order)
        if entries[index : index + 1] == [entry]:
            del entries[index]
            self.unread -= 1
            entry.dismissed = False
            if not entries:
                del self.evictable[entry.client]
            self.lingering.setdefault(entry.client, {})[entry.order] = entry

    def _linger_no_longer(self, entry: Entry) -> None:
        entries = self.lingering.get(entry.client)
        if entries and entries.pop(entry.order, None) and not entries:
            del self.lingering[entry.client]


def request_key(connection: str, request_id: str) -> str:
    """Return under what a request id is known."""
    if len(request_id) >= SHARED_REQUEST_ID:
        return request_id
    return f"{connection} {request_id}"
