"""A message of more than `LARGE` bytes, on its way from a socket to what parses it.

It is kept once, as it came: as text, one emoji would make four bytes of each ASCII character, and
each part that is cut off its front is another copy.
"""

from __future__ import annotations

from dataclasses import dataclass

from textstream.access.gate import Ticket
from textstream.transport.bounds import Bounds, Limit
from textstream.transport.measure import exceeded, head_of


@dataclass(frozen=True)
class Oversized:
    """A text message over a limit, which was dropped while it arrived."""

    head: str
    size: int
    limit: Limit = Limit.MESSAGE


class Large:
    """A large message. It is taken once, and then no longer kept."""

    __slots__ = ("_data", "is_text", "ticket")

    def __init__(self, data: bytearray, *, is_text: bool) -> None:
        """Keep `data`, whole UTF-8 if `is_text`; nobody else may change it."""
        self._data = data
        self.is_text = is_text
        self.ticket: Ticket | None = None
        """Its place among the large messages, if it has one; to be left when it was handled."""

    @property
    def nbytes(self) -> int:
        """How many bytes are kept."""
        return len(self._data)

    @property
    def head(self) -> str:
        """The first `HEAD` characters of a text."""
        return head_of(self._data)

    def measured(self, bounds: Bounds) -> Large | Oversized:
        """Return itself, or what is left of it if it is over a limit (see ``measure``)."""
        limit = exceeded(self._data, bounds) if self.is_text else None
        return Oversized(self.head, self.nbytes, limit) if limit else self

    def take(self, start: int = 0) -> str | bytes:
        """Return what comes after the first `start` bytes, and keep nothing."""
        data, self._data = self._data, bytearray()
        with memoryview(data) as view:
            return str(view[start:], "utf-8") if self.is_text else bytes(view[start:])
