"""A stream: a log that one producer appends to and any number of readers read.

A stream *ends* once, with a reason. Two things lead to it:

- The producer has finished (``completed``, ``length``, ``error``). The stream ends when a first
  reader was sent everything; readers behind it go on to the end of the log at their pace.
- It is stopped (``stopped``, ``replaced``, ``expired``, ``shutdown``). All its readers are told
  at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from textstream.errors import TextStreamError
from textstream.logs.base import Log
from textstream.protocol import EndReason, Rate, UnitName
from textstream.sources.base import CancelToken

MAX_DEPARTED = 1024
"""Cursors of readers that left, remembered for their return."""


@dataclass(frozen=True)
class Ending:
    """How a stream ended, or how it ended for one reader.

    Attributes:
        reason: see the protocol.
        offset: units in all.
        text_sha256: of their text, in hex.
        error: the error object of the protocol, when the reason is ``error``.

    """

    reason: EndReason
    offset: int
    text_sha256: str
    error: dict[str, Any] | None = None


class Reader(Protocol):
    """What a stream knows of a reader. Its attributes are guarded by the stream's lock."""

    paused: bool
    parked: bool

    @property
    def cursor(self) -> int:
        """The offset of the next unit."""
        ...

    def settle(self) -> None:
        """Take note, with the stream's lock held, of what was sent."""
        ...

    def end_now(self, reason: EndReason) -> None:
        """Take note that it is over, whatever is left to read."""
        ...

    def wake(self) -> None:
        """Be served soon."""
        ...


class Stream:
    """One text, from its first unit to its end.

    Locks: ``lock`` guards the state here and that of the readers. It may be held while taking
    the log's lock or the dispatcher's, never the other way round, and nothing is emitted under
    it.
    """

    def __init__(
        self,
        *,
        stream_id: str,
        source: str,
        unit: UnitName,
        rate: Rate,
        owner: str,
        log: Log,
        lookahead: int,
        created: float,
        cancel: CancelToken,
        on_end: Callable[[Stream], None],
    ) -> None:
        """Make an empty stream.

        Args:
            stream_id: its name, hard to guess: whoever knows it may read and stop the stream.
            source: the name of its source.
            unit: what its offsets count.
            rate: the pace of a reader that names none.
            owner: the client that started it.
            log: an empty log.
            lookahead: units that the producer may run ahead of the fastest reader.
            created: now, in seconds of the hub's clock.
            cancel: tells the source that the text is no longer wanted.
            on_end: called once, with the lock held; must not block.

        """
        self.id = stream_id
        self.source = source
        self.unit = unit
        self.rate = rate
        self.owner = owner
        self.log = log
        self.created = created
        self.cancel = cancel
        self.request_key: str | None = None  # what the hub knows it by
        self.lock = threading.RLock()
        self.ending: Ending | None = None
        self.furthest = 0  # the furthest unit that any reader was sent
        self.lookahead = lookahead
        self._on_end = on_end
        self.readers: set[Reader] = set()
        self._departed: deque[int] = deque(maxlen=MAX_DEPARTED)
        self._outcome: tuple[EndReason, dict[str, Any] | None] | None = None
        self._held: Callable[[], None] | None = None

    # For the producer.

    def append(self, units: Sequence[str]) -> None:
        """Append what the source has generated; drop it when the stream has ended."""
        with self.lock:
            if self.ending or not units:
                return
            self.log.append(units, keep_from=self.furthest)
            self._wake_parked()

    def produced(self, reason: EndReason, error: TextStreamError | None = None) -> None:
        """Say that nothing more will be appended, and why."""
        with self.lock:
            if self.ending or self._outcome:
                return
            self._outcome = (reason, error.to_wire() if error else None)
            if not self.readers and self.furthest == self.log.next:
                self._end(reason, self.log.next)
            self._wake_parked()

    def hold(self, resume: Callable[[], None]) -> bool:
        """Return whether the producer must pause; if so, `resume` is called once when it may go on.

        It must pause when it is too far ahead of the fastest reader, or when all readers have
        paused. Without readers it may run ahead as far as with one that stands still.
        """
        with self.lock:
            if self.ending or self._wants_more(self.lookahead):
                return False
            self._held = resume
            return True

    # For readers.

    def attach(self, reader: Reader) -> None:
        """Add a reader."""
        with self.lock:
            self.readers.add(reader)
            self._release_producer()

    def detach(self, reader: Reader, *, may_return: bool = False) -> None:
        """Remove a reader; remember its cursor if it may come back."""
        with self.lock:
            self.readers.discard(reader)
            if may_return:
                self._departed.append(reader.cursor)
            self._release_producer()

    def depart(self, cursor: int) -> None:
        """Remember where a reader stood that has gone after its end."""
        with self.lock:
            self._departed.append(cursor)

    def returning(self, offset: int) -> int:
        """Return how far a reader had come that left and now resumes at `offset`.

        Readers have no names: it is taken for the one that stood closest behind `offset`. That
        one is forgotten. With none, it is `offset` itself.
        """
        with self.lock:
            reached = min((cursor for cursor in self._departed if cursor >= offset), default=None)
            if reached is None:
                return offset
            self._departed.remove(reached)
            return reached

    def advanced(self, reader: Reader) -> None:
        """Take note, with the lock held, that `reader` was sent everything before its cursor."""
        self.furthest = max(self.furthest, reader.cursor)
        if self._held and self.log.next - self.furthest <= self.lookahead // 2:
            self._release_producer()

    def reached_end(self, reader: Reader) -> Ending | None:
        """Return, with the lock held, the ending if `reader` has read all that there will be."""
        if reader.cursor < self.log.next:
            return None
        if self.ending is None and self._outcome:
            self._end(self._outcome[0], self.log.next)
        return self.ending

    def reconsider(self) -> None:
        """Let the producer go on if it may: a reader has paused, gone on or sought."""
        with self.lock:
            self._release_producer()

    # For whoever ends it.

    def stop(self, reason: EndReason) -> int:
        """End the stream for everyone, at once; return the number of its units.

        Its text is sealed at the furthest unit that any reader was sent; only when it expires,
        with nobody there, all that was produced is kept. On a stream that has already ended,
        it ends what its readers still read.
        """
        with self.lock:
            for reader in self.readers:
                reader.settle()
            if self.ending is None:
                if reason == "expired" and self._outcome:
                    self._end(self._outcome[0], self.log.next)
                else:
                    self._end(reason, self.log.next if reason == "expired" else self.furthest)
            for reader in self.readers:
                reader.end_now(reason)
            self._wake(list(self.readers))
            ending = self.ending
        self.cancel.cancel()
        return ending.offset if ending else 0

    def ending_at(self, offset: int, reason: EndReason) -> Ending:
        """Return the ending for one reader that stops at `offset`."""
        # What was trimmed cannot be proved, nor what was not kept: a reader that had skipped
        # ahead stands behind the end at which the text was sealed.
        offset = min(max(offset, self.log.first), self.log.next)
        if self.ending and offset == self.ending.offset:
            # Hashed once, not for each of many readers that are told at once.
            return Ending(reason, offset, self.ending.text_sha256)
        return Ending(reason, offset, self.log.sha256(offset))

    @property
    def has_readers(self) -> bool:
        """Whether anybody reads it."""
        with self.lock:
            return bool(self.readers)

    def _end(self, reason: EndReason, offset: int) -> None:
        self.log.seal(offset)
        error = self._outcome[1] if self._outcome and reason == "error" else None
        self.ending = Ending(reason, offset, self.log.sha256(), error)
        self._on_end(self)
        if self._held:
            # Its generator is open: let the producer close it.
            held, self._held = self._held, None
            held()

    def _wants_more(self, limit: int) -> bool:
        return (
            self.log.next - self.furthest < limit
            and self.log.has_room(keep_from=self.furthest)
            and (not self.readers or any(not reader.paused for reader in self.readers))
        )

    def _release_producer(self) -> None:
        if self._held and self._wants_more(self.lookahead):
            held, self._held = self._held, None
            held()

    def _wake_parked(self) -> None:
        self._wake([reader for reader in self.readers if reader.parked])

    @staticmethod
    def _wake(readers: Sequence[Reader]) -> None:
        for reader in readers:
            reader.parked = False
            reader.wake()
