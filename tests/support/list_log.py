"""A log as one would write it first: a list. It holds the contract beside the real one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from textstream.protocol import EndReason
from textstream.stream.log import Ending


class ListLog:
    """Remembers every unit there ever was, and which of them it pretends to have forgotten."""

    def __init__(self, stream_id: str, count: Callable[[int], object], *, max_bytes: int) -> None:
        self._stream_id = stream_id
        self._lock = Lock()  # guards everything
        self._max_bytes = max_bytes
        self._count = count
        self._units: list[str] = []
        self._closed = False
        self._kept = self._counted = 0  # bytes; and those that were told
        self.first = 0
        self.ending: Ending | None = None

    @property
    def next(self) -> int:
        return len(self._units)

    def append(self, units: Sequence[str], *, keep_from: int) -> int:
        with self._lock:
            if self._closed:
                raise ValueError(f"the log of {self._stream_id} is sealed")
            added = _size(units)
            offset = len(self._units)
            self._units += units
            self._kept += added
            while self.first < min(keep_from, self.next) and self._kept > self._max_bytes:
                self._kept -= _size(self._units[self.first])
                self.first += 1
            self._tell()
            return offset

    def has_room(self, *, keep_from: int, most: float = math.inf) -> bool:
        with self._lock:
            kept = _size(self._units[max(keep_from, self.first) :])
            return kept < min(most, self._max_bytes)

    def read(self, offset: int, limit: int) -> Sequence[str] | None:
        with self._lock:
            if self.first <= offset <= self.next:
                return self._units[offset : offset + limit]
            return None

    def seal(
        self, reason: EndReason, offset: int | None = None, error: dict[str, Any] | None = None
    ) -> Ending:
        with self._lock:
            if self.ending is None:
                self._closed = True
                if offset is not None:
                    offset = max(offset, self.first)
                    self._kept -= _size(self._units[offset:])
                    del self._units[offset:]
                self._tell()
                self.ending = Ending(reason, self.next, self._sha256(self.next), error)
            return self.ending

    def discard(self) -> None:
        with self._lock:
            self._closed = True
            self._kept = 0
            self.first = self.next
            self._tell()

    def sha256(self, offset: int | None = None) -> str:
        with self._lock:
            if offset is None:
                offset = self.next
            if not self.first <= offset <= self.next:
                raise ValueError(f"offset {offset} is not in the log")
            return self._sha256(offset)

    def _sha256(self, offset: int) -> str:
        return hashlib.sha256("".join(self._units[:offset]).encode()).hexdigest()

    def _tell(self) -> None:
        self._count(self._kept - self._counted)
        self._counted = self._kept


def _size(units: Sequence[str]) -> int:
    return len("".join(units).encode())
