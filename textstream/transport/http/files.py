"""Files as the body of an answer: read as the client takes them, and by no thread of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

BLOCK = 65_536
"""Bytes read at a time."""


class Readable(Protocol):
    """A file."""

    def read(self, size: int, /) -> bytes:
        """Read so many bytes at most; none at its end."""
        ...


class FileBody:
    """``wsgi.file_wrapper`` (PEP 3333). The application may iterate it, or return it as it is."""

    def __init__(self, file: Readable, block_size: int = BLOCK) -> None:
        """Wrap `file`, which is closed with this."""
        self._file = file
        self._size = block_size

    def read(self) -> bytes:
        """Return the next block; an empty one at the end."""
        return self._file.read(BLOCK)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks."""
        while block := self._file.read(self._size):
            yield block

    def close(self) -> None:
        """Close the file. Again, it does nothing."""
        close = getattr(self._file, "close", None)
        if close:
            close()
