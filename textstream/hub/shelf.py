"""What has ended, of each address and user, in the order in which it goes when there is no room."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TypeVar

from textstream.access.clients import Owner
from textstream.access.visits import Client, User, Visit
from textstream.hub.entry import Entry

_order = attrgetter("order")

Party = TypeVar("Party", Client, User)


class Shelf:
    """Ended streams that nobody reads, of each address and user in the order of their ends.

    Not thread-safe.

    Attributes:
        unread: how many there are.

    """

    def __init__(self) -> None:
        # Lists, not dicts: one that was read again goes back to its place. To move 10,000
        # pointers takes a few microseconds.
        self._entries: dict[Client, list[Entry]] = {}
        self._of_users: dict[User, list[Entry]] = {}
        self.unread = 0

    @property
    def largest(self) -> Client | User | None:
        """For whom most is kept, of those of whom there are any.

        Where there are users it is one of them: one address may stand for many.
        """
        return max(
            self._of_users or self._entries,
            key=lambda one: (one.account.total, one.kept),
            default=None,
        )

    def offer(self, entry: Entry) -> None:
        """Let it go when room is needed: nobody reads it."""
        client = entry.visit.client
        entries = self._entries.get(client)
        if entries and entries[-1].order < entry.order:  # nearly always
            entries.append(entry)
        elif not _insert(self._entries, client, entry):
            return
        self.unread += 1
        if entry.user is not None:
            _insert(self._of_users, entry.user, entry)

    def withdraw(self, entry: Entry) -> None:
        """Keep it, for somebody reads it again; or it is forgotten."""
        if _remove(self._entries, entry.visit.client, entry):
            self.unread -= 1
            if entry.user is not None:
                _remove(self._of_users, entry.user, entry)

    def oldest(self, owner: Owner) -> Entry | None:
        """Return what goes next of an address, of a user, or of a connection."""
        if isinstance(owner, Visit):
            # Looked for among its address's: whoever is asked for has some, and they go.
            entries = self._entries.get(owner.client, ()) if owner.kept else ()
            return next((entry for entry in entries if entry.visit is owner), None)
        if isinstance(owner, User):
            return next(iter(self._of_users.get(owner, ())), None)
        return next(iter(self._entries.get(owner, ())), None)


def _insert(rows: dict[Party, list[Entry]], owner: Party, entry: Entry) -> bool:
    """Put an entry in its place of an owner's row; return whether it was not there."""
    entries = rows.get(owner)
    if entries is None:
        entries = rows[owner] = []
    index = bisect_left(entries, entry.order, key=_order)
    if entries[index : index + 1] == [entry]:
        return False
    entries.insert(index, entry)
    return True


def _remove(rows: dict[Party, list[Entry]], owner: Party, entry: Entry) -> bool:
    """Take an entry out of an owner's row; return whether it was there."""
    entries = rows.get(owner)
    if entries is None:
        return False
    index = bisect_left(entries, entry.order, key=_order)
    if entries[index : index + 1] != [entry]:
        return False
    del entries[index]
    if not entries:
        del rows[owner]
    return True
