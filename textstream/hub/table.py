"""The table of streams: those that run, and those kept for a while after their end."""

from __future__ import annotations

import itertools
from operator import attrgetter

from textstream.access.account import Holding
from textstream.access.clients import Owner
from textstream.access.principal import Principal
from textstream.access.visits import Visit
from textstream.hub.entry import Entry
from textstream.hub.shelf import Shelf
from textstream.stream.stream import Stream


class StreamTable:
    """All streams of this process. Not thread-safe: the hub's lock guards it.

    Attributes:
        running: those that have not ended, by id, the oldest first.
        unread: those that have ended and that nobody reads.

    """

    def __init__(self) -> None:
        self.running: dict[str, Entry] = {}
        self.unread = Shelf()
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
        self._entries[stream.id] = self.running[stream.id] = Entry(
            stream, visit, holding, visit.user
        )
        if request_key:
            stream.request_key = request_key
            self._requests[request_key] = stream

    def remove(self, stream: Stream) -> Entry | None:
        """Remove a stream that has ended; return its entry, if it had one."""
        entry = self._entries.pop(stream.id, None)
        if entry:
            self.unread.withdraw(entry)
        if stream.request_key:
            self._requests.pop(stream.request_key, None)
        return entry

    def end(self, stream: Stream) -> Entry | None:
        """Count a stream among those that have ended; return its entry, if it has one."""
        self.running.pop(stream.id, None)
        if entry := self._entries.get(stream.id):
            entry.order = next(self._ends)
        return entry

    def entry(self, stream_id: str) -> Entry | None:
        """Return the entry of a stream, if it is there."""
        return self._entries.get(stream_id)

    def requested(self, request_key: str) -> Stream | None:
        """Return the stream that a request has already started, if it has."""
        return self._requests.get(request_key)

    def read_on(self, owner: Owner | None) -> Entry | None:
        """Return what ended first of what is still read, of an owner or of all.

        What was dismissed already aside. It looks at every stream.
        """
        found = (
            entry
            for entry in self._entries.values()
            if entry.order and not entry.dismissed and owner in (None, *entry.owners)
        )
        return min(found, key=attrgetter("order"), default=None)

    def all_entries(self) -> list[Entry]:
        """Return every entry."""
        return list(self._entries.values())

    def all(self) -> list[Stream]:
        """Return every stream."""
        return [entry.stream for entry in self._entries.values()]


def request_key(principal: Principal, connection: str, request_id: str) -> str:
    """Return under what a request id is known: for its principal, never for others.

    Where nothing is known of who asks, for the connection only. Two clients that both count from 1,
    or that both use the name of what they ask for, must not get each other's text.
    """
    return f"{principal.id or connection} {request_id}"
