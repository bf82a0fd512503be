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
from typing import Protocol

from textstream.errors import TextStreamError
from textstream.protocol import EndReason, Rate, UnitName
from textstream.sources.base import CancelToken
from textstream.stream.life import Ending, Life, Outcome, State
from textstream.stream.log import Log

MAX_DEPARTED = 1024
"""Cursors of readers that left, remembered for their return."""


class AttachedReader(Protocol):
    """What a stream knows of a reader. Its attributes are guarded by the stream's lock."""

    paused: bool
    parked: bool

    @property
    def cursor(self) -> int:
        """The offset of the next unit."""
        ...

    def end_now(self, reason: EndReason) -> None:
        """Take note of what was sent, and that it is over, whatever is left to read."""
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
        life: Life,
        lookahead: int,
        max_units: int,
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
            life: a life that begins.
            lookahead: units that the producer may run ahead of the fastest reader.
            max_units: units that it may have.
            cancel: tells the source that the text is no longer wanted.
            on_end: called once, with the lock held; must not block.

        """
        self.id = stream_id
        self.source = source
        self.unit = unit
        self.rate = rate
        self.owner = owner
        self.log = log
        self.life = life
        self.cancel = cancel
        self.request_key: str | None = None  # what the hub knows it by
        self.lock = threading.RLock()
        self.furthest = 0  # the furthest unit that any reader was sent, or began at
        self.lookahead = lookahead
        self._max_units = max_units
        self._on_end = on_end
        self.readers: set[AttachedReader] = set()
        self._departed: deque[int] = deque(maxlen=MAX_DEPARTED)

    # For the producer.

    def begin(self) -> None:
        """Say that the source is asked for its text."""
        with self.lock:
            self.life.begin()

    def append(self, units: Sequence[str]) -> None:
        """Append what the source has generated; drop it when the stream has ended.

        At the most units that a stream may have its source is cancelled, as at its own limit.
        """
        with self.lock:
            if self.life.outcome or self.ending or not units:
                return
            room = self._max_units - self.log.next
            full = len(units) > room
            if units := units[:room]:
                self.log.append(units, keep_from=self.furthest)
            if full:
                self.produced("length")
            self._wake_parked()
        if full:
            self.cancel.cancel()

    def produced(self, reason: EndReason, error: TextStreamError | None = None) -> None:
        """Say that nothing more will be appended, and why. Only the first time counts."""
        with self.lock:
            self.life.produced(Outcome(reason, error.to_wire() if error else None))
            if self.life.outcome and not self.readers and self.furthest == self.log.next:
                self._end_as_produced()
            self._wake_parked()

    def hold(self, resume: Callable[[], None]) -> bool:
        """Return whether the producer must pause; if so, `resume` is called once when it may go on.

        It must pause when it is too far ahead of the fastest reader, or when all readers have
        paused. Without readers it may run ahead as far as with one that stands still.
        """
        with self.lock:
            if self.life.outcome or self.ending or self._wants_more:
                return False
            self.life.hold(resume)
            return True

    # For readers.

    def attach(self, reader: AttachedReader) -> None:
        """Add a reader, which counts for what lies before its cursor as well.

        Of one that joins ahead of all others the producer must stay ahead, too, and what it
        begins with must not be sealed off.
        """
        with self.lock:
            self.readers.add(reader)
            self.furthest = max(self.furthest, reader.cursor)
            self.life.read()
            self._release_producer()

    def detach(self, reader: AttachedReader, *, may_return: bool = False) -> None:
        """Remove a reader; remember its cursor if it may come back."""
        with self.lock:
            self.readers.discard(reader)
            if may_return:
                self._departed.append(reader.cursor)
            if not self.readers:
                self.life.unread()
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

    def advanced(self, reader: AttachedReader) -> None:
        """Take note, with the lock held, that `reader` was sent everything before its cursor."""
        self.furthest = max(self.furthest, reader.cursor)
        if self.life.state is State.HELD and self.log.next - self.furthest <= self.lookahead // 2:
            self._release_producer()

    def reached_end(self, reader: AttachedReader) -> Ending | None:
        """Return, with the lock held, the ending if `reader` has read all that there will be."""
        if reader.cursor < self.log.next:
            return None
        if self.ending is None and self.life.outcome:
            self._end_as_produced()
        return self.ending

    def reconsider(self) -> None:
        """Let the producer go on if it may: a reader has paused, gone on or sought."""
        with self.lock:
            self._release_producer()

    # For whoever ends it.

    def stop(self, reason: EndReason) -> int:
        """End the stream for everyone, at once; return the number of its units.

        Its text is sealed at the furthest unit that any reader was sent; only when it expires, all
        that was produced is kept. One that expires with nobody there, when its source had
        finished, ended as that did. On a stream that has already ended, it ends what its readers
        still read.
        """
        with self.lock:
            unread = not self.readers
            for reader in self.readers:  # first, for they say how far they came
                reader.end_now(reason)
            if self.ending is None:
                if reason == "expired" and self.life.outcome and unread:
                    self._end_as_produced()
                else:
                    self._end(reason, self.log.next if reason == "expired" else self.furthest)
            ending = self.ending
        self.cancel.cancel()
        return ending.offset if ending else 0

    def forget(self) -> bool:
        """Let go of the text of an ended stream, unless somebody reads it; return whether.

        Only the first time: two that make room at once may choose the same.
        """
        with self.lock:
            if self.readers or self.life.state is not State.ENDED:
                return False
            self.life.forget()
            self.log.discard()
            return True

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
    def ending(self) -> Ending | None:
        """How it ended, once it has."""
        return self.life.ending

    def _end_as_produced(self) -> None:
        outcome = self.life.outcome
        if outcome and self.ending is None:
            self._end(outcome.reason, self.log.next, outcome)

    def _end(self, reason: EndReason, offset: int, outcome: Outcome | None = None) -> None:
        self.log.seal(offset)
        error = outcome.error if outcome else None
        self.life.end(Ending(reason, offset, self.log.sha256(), error))
        self._on_end(self)

    @property
    def _wants_more(self) -> bool:
        return (
            self.log.next - self.furthest < self.lookahead
            and self.log.has_room(keep_from=self.furthest)
            and (not self.readers or any(not reader.paused for reader in self.readers))
        )

    def _release_producer(self) -> None:
        if self.life.state is State.HELD and self._wants_more:
            self.life.release()

    def _wake_parked(self) -> None:
        for reader in self.readers:
            if reader.parked:
                reader.parked = False
                reader.wake()
