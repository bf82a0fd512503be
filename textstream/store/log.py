"""The log of a stream that processes share: it can be cut back without being sealed."""

from __future__ import annotations

from textstream.stream.memory_log import MemoryLog


class SharedLog(MemoryLog):
    """A log in memory; what the store has is read into it."""

    def cut(self, offset: int) -> None:
        """Forget the units from `offset` on, which is not before `first`; more may be appended."""
        with self._lock:
            units = self._units
            if self.ending is not None or offset >= units.next:
                return
            units.cut_from(max(offset, units.first))
            while self._hashed and self._hashed[-1] > units.next:
                self._hashed.pop()
                self._hashes.pop()
            self._hashed_bytes = units.byte_at(self._hashed[-1]) if self._hashed else 0
            self._tell()
