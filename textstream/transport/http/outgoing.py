"""What a connection is to send: bytes, and behind them a file, read as the client takes it."""

from __future__ import annotations

import socket

from textstream.transport.http.files import FileBody

BLOCKS = 4
"""Blocks of a file that are written in a turn."""


class Outgoing:
    """What waits to be sent. One thread.

    Attributes:
        taken: bytes that the kernel has taken, since somebody has set it to 0.

    """

    __slots__ = ("_data", "_file", "taken")

    def __init__(self) -> None:
        self._data = bytearray()
        self._file: FileBody | None = None
        self.taken = 0

    def add(self, data: bytes, file: FileBody | None = None) -> None:
        """Have `data` sent, and then `file`, behind which nothing may be added."""
        self._data += data
        self._file = file

    def send(self, sock: socket.socket) -> bool:
        """Send what the kernel takes, some blocks at most; return whether nothing is left.

        Raises:
            OSError: the client has gone, or the file cannot be read.

        """
        for _ in range(BLOCKS):
            if not self._data:
                if self._file is None:
                    return True
                self._read(self._file)
                continue
            try:
                sent = sock.send(self._data)
            except (BlockingIOError, InterruptedError):
                break
            del self._data[:sent]
            self.taken += sent
        return not self._data and self._file is None

    def close(self) -> None:
        """Let go of it all."""
        self._data.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, file: FileBody) -> None:
        block = file.read()
        self._data += block
        if not block:
            file.close()
            self._file = None
