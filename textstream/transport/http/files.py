"""Files as the body of an answer: read as the client takes them, and by no thread of their own."""

from __future__ import annotations

import io
import os
import stat
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
        self._left: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether to read it never waits: a file on a disk, or in memory.

        What else has ``read`` may wait for a network, or compute: a pipe, what decompresses.
        """
        file = self._file
        if type(file) is io.BytesIO:
            return True
        raw = file.raw if type(file) is io.BufferedReader else file
        try:
            return type(raw) is io.FileIO and stat.S_ISREG(os.fstat(raw.fileno()).st_mode)
        except (OSError, ValueError):  # it is closed
            return False

    def expect(self, size: int | None) -> None:
        """Let it have so many bytes, as was announced: `read` stops there. None: whatever it has.

        Raises:
            OSError: later, by `read`: it has less.

        """
        self._left = size

    def read(self) -> bytes:
        """Return the next block; an empty one at the end.

        Raises:
            OSError: it cannot be read, or ends too early.

        """
        left = self._left
        try:
            block = self._file.read(BLOCK if left is None else min(BLOCK, left))
        except ValueError as error:  # the application has closed it
            raise OSError(str(error)) from None
        if left is not None:
            if left and not block:
                raise OSError("the file is shorter than its Content-Length")
            self._left = left - len(block)
        return block

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks."""
        while block := self._file.read(self._size):
            yield block

    def close(self) -> None:
        """Close the file. Again, it does nothing."""
        close = getattr(self._file, "close", None)
        if close:
            close()
