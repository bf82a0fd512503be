"""What has ended, of each address, in the order in which it goes when there is no room."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter

from textstream.access.visits import Client, Visit
from textstream.hub.entry import Entry, Owner

_order = attrgetter("order")


class Shelf:
    """Ended streams that nobody reads, of each address in the order of their ends.

    Not thread-safe.

    Attributes:
        unread: how many there are.

    """

    def __init__(self) -> None:
        # Lists, not dicts: one that was read again goes back to its place. To move 10,000
        # pointers takes a few microseconds.
        self._entries: dict[Client, list[Entry]] = {}
        self.unread = 0

    @property
    def largest(self) -> Client | None:
        """The address for which most is kept, of those of which there are any."""
        return max(self._entries, key=lambda one: (one.account.total, one.kept), default=None)

    def offer(self, entry: Entry) -> None:
        """Let it go when room is needed: nobody reads it."""
        client = entry.visit.client
        entries = self._entries.get(client)
        if entries is None:
            entries = self._entries[client] = []
        if not entries or entries[-1].order < entry.order:  # nearly always
            entries.append(entry)
            self.unread += 1
            return
        index = bisect_left(entries, entry.order, key=_order)
        if entries[index : index + 1] != [entry]:
            entries.insert(index, entry)
            self.unread += 1

    def withdraw(self, entry: Entry) -> None:
        """Keep it, for somebody reads it again; or it is forgotten."""
        client = entry.visit.client
        entries = self._entries.get(client)
        if entries is None:
            return
        index = bisect_left(entries, entry.order, key=_order)
        if entries[index : index + 1] == [entry]:
            del entries[index]
            self.unread -= 1
            if not entries:
                del self._entries[client]

    def oldest(self, owner: Owner) -> Entry | None:
        """Return what goes next of an address, or of a connection of it."""
        if isinstance(owner, Visit):
            # Looked for among its address's: whoever is asked for has some, and they go.
            entries = self._entries.get(owner.client, ()) if owner.kept else ()
            return next((entry for entry in entries if entry.visit is owner), None)
        return next(iter(self._entries.get(owner, ())), None)
