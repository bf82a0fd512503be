"""A stream: a log that one producer appends to and any number of readers read.

A stream *ends* once, with a reason. Two things lead to it:

- The producer has finished (``completed``, ``length``, ``error``). The stream ends when a first
  reader was sent everything; readers behind it go on to the end of the log at their pace.
- It is stopped (``stopped``, ``replaced``, ``expired``, ``shutdown``). All its readers are told
  at once.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from textstream.access.principal import ANYBODY, Principal
from textstream.errors import TextStreamError
from textstream.protocol import EndReason, Rate
from textstream.stream.attached import AttachedReader
from textstream.stream.departed import Departed
from textstream.stream.life import Life, Outcome
from textstream.stream.log import Ending, Log
from textstream.stream.start import (
    AHEAD_BYTES,
    PACED_AHEAD,
    UNPACED_AHEAD,
    Start,
    StreamLimits,
)


class StreamObserver(Protocol):
    """Whoever keeps streams: told what happens to them, with the stream's lock held.

    It must not block, nor take the lock of a stream.
    """

    def on_read(self, stream: Stream, reader: AttachedReader) -> None:
        """Know that somebody more reads it."""
        ...

    def on_unread(self, stream: Stream, reader: AttachedReader) -> None:
        """Know that a reader has gone: the last, where ``stream.readers`` is empty."""
        ...

    def on_ended(self, stream: Stream) -> None:
        """Know that it has ended."""
        ...

    def on_forgotten(self, stream: Stream) -> None:
        """Know that its text is gone."""
        ...


class Stream:
    """One text, from its first unit to its end.

    Locks: ``lock`` guards the state here and that of the readers. It may be held while taking
    the observer's lock, the log's or the dispatcher's, never the other way round, and nothing is
    emitted under it.
    """

    def __init__(
        self,
        stream_id: str,
        start: Start,
        owner: str,
        *,
        principal: Principal = ANYBODY,
        key: str = "",
        log: Log,
        clock: Callable[[], float],
        limits: StreamLimits,
        observer: StreamObserver,
    ) -> None:
        """Make an empty stream.

        Args:
            stream_id: its name, hard to guess: whoever knows it may read the stream.
            start: what it was started with. Not kept: the prompt is the source's.
            owner: the connection that started it.
            principal: who did.
            key: hard to guess as well: whoever knows it owns the stream.
            log: an empty log.
            clock: seconds, monotonic.
            limits: how long and how large it may be.
            observer: is told what happens to it.

        """
        source = start.source
        self.id = stream_id
        self.source = source.name
        self.quick = source.quick  # whether its source is told of its end at no cost
        self.unit = start.request.unit
        self.rate: Rate = start.pace
        self.owner = owner
        self.principal = principal
        self.key = key
        self.is_private = False
        self.share = 0
        self.log = log
        self.life = Life(
            clock,
            grace=0.0 if start.on_disconnect == "cancel" else limits.grace,
            retention=limits.retention,
            longest=limits.max_duration,
        )
        self.cancel = start.request.cancel
        self.request_key: str | None = None  # what the hub knows it by
        self.digest = start.digest  # of what was asked with that
        self.lock = threading.RLock()
        self.position = 0  # its place in its source's line, 1 is next; 0: it does not wait
        self.furthest = 0  # the furthest unit that any reader was sent, or began at
        self.set_ahead(start, limits.lookahead)
        self._max_units = limits.max_units
        self._observer = observer
        self.readers: set[AttachedReader] = set()
        self.departed = Departed()

    def set_ahead(self, start: Start, lookahead: int) -> None:
        """Let its source be so many units ahead of the fastest reader, or as many as suit it."""
        self.lookahead = lookahead
        self._most_ahead = math.inf  # bytes that the source may be ahead of its fastest reader
        if not start.source.live:
            self.lookahead = min(lookahead, UNPACED_AHEAD if start.rate == 0 else PACED_AHEAD)
            self._most_ahead = AHEAD_BYTES

    @property
    def counted(self) -> bool:
        """Whether its end is counted and logged here: not of one that another process has."""
        return True

    @property
    def reader_count(self) -> int:
        """How many read it."""
        return sum(reader.reading for reader in self.readers)

    # For the producer.

    def begin(self) -> None:
        """Enter ``producing``: the source is asked for its text."""
        with self.lock:
            self.life.begin()

    def append(self, units: Sequence[str]) -> bool:
        """Append what the source has generated; drop it when the stream has ended.

        Return whether the stream has come to the most units that it may have: its source has
        finished then, as at its own limit. The caller must cancel it, with no lock held.
        """
        if not units:
            return False
        with self.lock:
            log = self.log
            if self.life.outcome or log.ending:
                return False
            room = self._max_units - log.next
            full = len(units) > room
            if full:
                units = units[:room]
            if units:
                log.append(units, keep_from=self.furthest)
            if full:
                self.finish("length")
            if self.readers:
                self._wake_parked()
        return full

    def finish(self, reason: EndReason, error: TextStreamError | None = None) -> None:
        """Append nothing more, and say why. Only the first time counts."""
        with self.lock:
            self.life.finish(Outcome(reason, error.to_wire() if error else None))
            if self.life.outcome and self.furthest == self.log.next and not self._is_read:
                self._end_as_produced()
            if self.readers:
                self._wake_parked()

    def hold(self, resume: Callable[[], None]) -> bool:
        """Return whether the producer must pause; if so, `resume` is called once when it may go on.

        It must pause when it is too far ahead of the fastest reader, or when all readers have
        paused. Without readers it may run ahead as far as with one that stands still.
        """
        with self.lock:
            if self._wants_more or self.life.outcome or self.log.ending:
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
            self.furthest = max(self.furthest, reader.first)
            self.life.read()
            self._observer.on_read(self, reader)
            if self.life.state == "held":
                self.release_producer()

    def detach(self, reader: AttachedReader, *, may_return: bool = False) -> None:
        """Remove a reader; remember its cursor if it may come back."""
        with self.lock:
            self.readers.discard(reader)
            if may_return:
                self.departed.remember(reader.cursor)
            if not self.readers:
                self.life.unread()
            self._observer.on_unread(self, reader)
            if self.life.state == "held":
                self.release_producer()

    def advance(self, cursor: int) -> None:
        """Move on, with the lock held: a reader was sent everything before `cursor`."""
        self.furthest = max(self.furthest, cursor)
        if self.life.state == "held" and self.log.next - self.furthest <= self.lookahead // 2:
            self.release_producer()

    def end_if_all_read(self, cursor: int) -> Ending | None:
        """Return, with the lock held, the ending if nothing will ever be behind `cursor`.

        The first reader to come so far ends the stream.
        """
        if cursor < self.log.next:
            return None
        if self.life.outcome and self.log.ending is None:
            self._end_as_produced()
        return self.log.ending

    def wait_at(self, position: int) -> None:
        """Know its place in its source's line, and have its readers told; 0: its turn has come."""
        with self.lock:
            self.position = position
            for reader in self.readers:
                reader.wake()

    def release_producer(self) -> None:
        """Let the producer go on if it may, with the lock held."""
        if self.life.state == "held" and self._wants_more:
            self.life.release()

    # For whoever ends it.

    def stop(self, reason: EndReason) -> int:
        """End the stream for everyone, at once; return the number of its units.

        Its text is sealed at the furthest unit that any reader was sent; only when it expires, all
        that was produced is kept. One that expires with nobody there, when its source had
        finished, ended as that did. On a stream that has already ended, it ends what its readers
        still read.
        """
        with self.lock:
            done = reason == "expired" and self.life.outcome and not self._is_read
            for reader in self.readers:  # first, for they say how far they came
                reader.end_now(reason)
            if self.log.ending is None:
                if done:
                    self._end_as_produced()
                else:
                    self._end(reason, self.log.next if reason == "expired" else self.furthest)
            ending = self.log.ending
        self.cancel.cancel()
        return ending.offset if ending else 0

    def forget(self) -> bool:
        """Let go of the text of an ended stream, unless somebody reads it; return whether.

        Only the first time: two that make room at once may choose the same.
        """
        with self.lock:
            if self.readers or self.life.state != "ended":
                return False
            self.life.forget()
            self.log.discard()
            self._observer.on_forgotten(self)
            return True

    def ending_at(self, offset: int, reason: EndReason) -> Ending:
        """Return the ending for one reader that stops at `offset`."""
        log = self.log
        # What was trimmed, or not kept, cannot be proved: who had skipped ahead stands behind it.
        offset = min(max(offset, log.first), log.next)
        if log.ending and offset == log.ending.offset:
            # Hashed once, not for each of many readers that are told at once.
            return Ending(reason, offset, log.ending.text_sha256)
        return Ending(reason, offset, log.sha256(offset))

    @property
    def ending(self) -> Ending | None:
        """How it ended, once it has."""
        return self.log.ending

    def _end_as_produced(self) -> None:
        outcome = self.life.outcome
        if outcome and self.log.ending is None:
            self._end(outcome.reason, self.log.next, outcome)

    def _end(self, reason: EndReason, offset: int, outcome: Outcome | None = None) -> None:
        self.log.seal(reason, offset, outcome.error if outcome else None)
        self.position = 0
        self.life.end()
        self._observer.on_ended(self)

    @property
    def _is_read(self) -> bool:
        # One that was told to end stays among the readers until it was.
        return any(reader.reading for reader in self.readers)

    @property
    def _wants_more(self) -> bool:
        if self.log.next - self.furthest >= self.lookahead:
            return False
        if not self.log.has_room(keep_from=self.furthest, most=self._most_ahead):
            return False
        for reader in self.readers:  # no generator: it costs as much as all the rest
            if not reader.paused:
                return True
        return not self.readers

    def _wake_parked(self) -> None:
        for reader in self.readers:
            if reader.parked:
                reader.parked = False
                reader.wake()
