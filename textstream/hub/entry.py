"""A stream that is kept, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from textstream.access.account import Holding
from textstream.access.clients import Owner
from textstream.access.visits import User, Visit
from textstream.stream.stream import Stream

NEVER = float("inf")


@dataclass(eq=False, slots=True)
class Entry:
    """A stream that is kept.

    Attributes:
        stream: the stream.
        visit: of the connection that started it: it is kept for that, and for its address.
        user: who has started it, for whom it is kept too; None: nobody has said so.
        holding: the text that its source has yet to generate, where that was sent.
        order: its place in the order of ends, from 1; 0: it runs.
        check: when its timer is due, in seconds of the clock; `NEVER`: none is set.
        dismissed: whether its readers were told to go, for it has to.

    """

    stream: Stream
    visit: Visit
    holding: Holding | None = None
    user: User | None = None
    order: int = 0
    check: float = NEVER
    dismissed: bool = False

    @property
    def owners(self) -> tuple[Owner, ...]:
        """For whom it is kept."""
        if self.user is None:
            return self.visit, self.visit.client
        return self.visit, self.visit.client, self.user
