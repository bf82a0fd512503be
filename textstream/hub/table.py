"""The table of streams: those that run, and those kept for a while after their end."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter

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
        order: its place in the order of ends, from 1; 0: it runs.
        check: when its timer is due, in seconds of the clock; `NEVER`: none is set.

    """

    stream: Stream
    order: int = 0
    check: float = NEVER


class StreamTable:
    """All streams of this process. Not thread-safe: the hub's lock guards it.

    Attributes:
        running: those that have not ended, by id, the oldest first.
        evictable: those that have ended and that nobody reads, in the order of their ends.

    """

    def __init__(self) -> None:
        self.running: dict[str, Entry] = {}
        # A list, not a dict: one that was read again goes back to its place. To move 10,000
        # pointers takes a few microseconds.
        self.evictable: list[Entry] = []
        self._entries: dict[str, Entry] = {}
        self._requests: dict[str, Stream] = {}
        self._ends = itertools.count(1)

    def add(self, stream: Stream, request_key: str | None) -> None:
        """Add a stream that runs, under its id, and under the request that started it."""
        self._entries[stream.id] = self.running[stream.id] = Entry(stream)
        if request_key:
            stream.request_key = request_key
            self._requests[request_key] = stream

    def remove(self, stream: Stream) -> None:
        """Remove a stream that has ended."""
        entry = self._entries.pop(stream.id, None)
        if entry:
            self.withdraw(entry)
        if stream.request_key:
            self._requests.pop(stream.request_key, None)

    def end(self, stream: Stream) -> None:
        """Count a stream among those that have ended."""
        self.running.pop(stream.id, None)
        if entry := self._entries.get(stream.id):
            entry.order = next(self._ends)

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
        index = bisect_left(self.evictable, entry.order, key=_order)
        if self.evictable[index : index + 1] != [entry]:
            self.evictable.insert(index, entry)

    def withdraw(self, entry: Entry) -> None:
        """Keep it: somebody reads it again."""
        index = bisect_left(self.evictable, entry.order, key=_order)
        if self.evictable[index : index + 1] == [entry]:
            del self.evictable[index]


def request_key(connection: str, request_id: str) -> str:
    """Return under what a request id is known."""
    if len(request_id) >= SHARED_REQUEST_ID:
        return request_id
    return f"{connection} {request_id}"
