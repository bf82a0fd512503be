"""A text that is made again, where another process has taken a stream over."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textstream.errors import TextStreamError
from textstream.protocol import EndReason
from textstream.store.shared import SharedStream


class Production:
    """A stream, as a producer sees it that makes its text again: what is there is skipped.

    A producer that was overtaken appends to one that no longer counts.
    """

    def __init__(self, stream: SharedStream) -> None:
        """Go on behind what `stream` has."""
        self._stream = stream
        self._skip = stream.log.next
        self.id, self.unit, self.cancel = stream.id, stream.unit, stream.cancel
        self.log, self.life, self.lookahead = stream.log, stream.life, stream.lookahead

    def begin(self) -> None:
        """Enter ``producing``."""
        self._stream.begin()

    def append(self, units: Sequence[str]) -> bool:
        """Append what was not there yet."""
        skipped = min(self._skip, len(units))
        self._skip -= skipped
        return self._stream.produce(units[skipped:], self)

    def finish(self, reason: EndReason, error: TextStreamError | None = None) -> None:
        """Append nothing more, and say why."""
        self._stream.conclude(reason, error, self)

    def hold(self, resume: Callable[[], None]) -> bool:
        """Return whether the producer must pause: not before it has come to what is new."""
        return not self._skip and self._stream.hold_for(self, resume)
