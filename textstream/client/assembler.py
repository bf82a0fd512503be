"""Puts chunks together into the text: every unit once, in order. No I/O."""

from __future__ import annotations

import hashlib


class OutOfStep(Exception):
    """A chunk begins before, or after, the unit that is due, and brings new units.

    The reader has to resume at its offset. A chunk that overlaps is not trimmed here: where its
    units begin is known to the server alone.
    """


class Assembler:
    """Takes chunks in any order and returns the text that continues what came before.

    Attributes:
        offset: the next unit due, counted from the start of the text.

    """

    def __init__(self, offset: int = 0) -> None:
        """Begin at unit `offset`. Only from 0 can the whole text be verified."""
        self.offset = offset
        self._hash = hashlib.sha256() if offset == 0 else None

    def accept(self, offset: int, next_: int, text: str) -> str:
        """Take the units ``offset … next_-1``, joined in `text`.

        Returns:
            `text`, or nothing when all of it is known already.

        Raises:
            OutOfStep: nothing was taken; ask for the units from `offset` on.
            ValueError: the numbers contradict each other.

        """
        if next_ < offset or (next_ == offset) != (not text):
            raise ValueError(f"a chunk from {offset} to {next_} has {len(text)} code points")
        if next_ <= self.offset:
            return ""
        if offset != self.offset:
            raise OutOfStep
        self.offset = next_
        if self._hash:
            self._hash.update(text.encode())
        return text

    def verify(self, offset: int, text_sha256: str) -> bool | None:
        """Compare with the server's number of units and SHA-256 (hex) of the whole text.

        Returns:
            Whether the text is the same; None when this reader does not have all of it.

        """
        if self._hash is None or self.offset != offset:
            return None
        return self._hash.hexdigest() == text_sha256
