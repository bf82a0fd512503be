"""A stream that processes share: on its owner the producer's, elsewhere fed by the store.

Which of the two it is may change while it is read: its owner dies, or goes down. Its readers are
attached to the same object all the time, and notice a pause at the most.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from textstream.errors import TextStreamError
from textstream.protocol import EndReason
from textstream.store.log import SharedLog
from textstream.store.record import Record
from textstream.store.relay import Relay
from textstream.store.wire import MAX_ENTRY, Entry, Sealed
from textstream.stream.life import Outcome
from textstream.stream.stream import Stream

FOLLOW_GRACE = 10.0
"""Seconds for which a stream is followed that nobody reads here any more."""

MAX_UNSTORED = 65_536
"""Units that the store may be behind the source: then that is held."""


class Home(Protocol):
    """Who keeps a shared stream in step with the store. Any thread, any lock held; `stop`: none."""

    def touch(self, stream: SharedStream) -> None:
        """Look at a stream soon: there is something to write, or to tell."""
        ...

    def stop(self, stream: SharedStream, reason: EndReason) -> int:
        """End it for everyone, wherever they read; return the number of its units."""
        ...


class SharedStream(Stream):
    """Locks as in `Stream`. What is only the store's thread's own is said to be.

    Attributes:
        record: what the store knows of it.
        is_owner: whether this process produces it.
        stored: units that the store has acknowledged.
        sent: units that were sent to it; the store's thread's own.
        touched: whether it stands in line to be looked at.
        followed: whether another process may follow it; the store's thread's own.
        frozen: whether nothing is taken from the store: it is about to be sealed.
        filled: set when what the store had was read; on its owner always.
        relays: of the processes that follow it, by name.

    """

    home: Home
    record: Record

    def share_by(self, home: Home, record: Record, *, is_owner: bool) -> None:
        """Begin: `is_owner` says whether it is produced here."""
        self.home = home
        self.record = record
        self.is_owner = is_owner
        self.stored = self.sent = 0
        self.touched = self.followed = self.frozen = False
        self.filled = threading.Event()
        if is_owner:
            self.filled.set()
        self.relays: dict[str, Relay] = {}
        self._production: object = None  # whose text counts; None: of who has started it here
        # What the source has generated and the store has not acknowledged, behind the log: of a
        # source that is not deterministic nobody is sent what a crash could unmake.
        self._unstored: list[str] = []
        self._finishing: tuple[EndReason, TextStreamError | None] | None = None
        self.owned_at = -math.inf  # when it was taken over, by the clock

    @property
    def counted(self) -> bool:
        """Whether its end is counted and logged here: by its owner alone."""
        return self.is_owner

    @property
    def reader_count(self) -> int:
        """How many read it, on whatever process, as far as is known here."""
        counts = [r.readers if isinstance(r, Relay) else int(r.reading) for r in self.readers]
        return sum(counts)

    @property
    def text(self) -> SharedLog:
        """The log."""
        return cast(SharedLog, self.log)

    # For the producer.

    def append(self, units: Sequence[str]) -> bool:
        """Append what the source has generated, and have it stored; see `Stream.append`."""
        return self.produce(units, None)

    def finish(self, reason: EndReason, error: TextStreamError | None = None) -> None:
        """Append nothing more, and say why, once all is stored that has to be."""
        self.conclude(reason, error, None)

    def produce(self, units: Sequence[str], by: object) -> bool:
        """Append the text of a production, if it is the one that counts."""
        if not units:
            return False
        with self.lock:
            if not self.takes(by):
                return False
            room = self._max_units - self.written
            full = len(units) > room
            if full:
                units = units[:room]
            if units and self.record.deterministic:
                self._show(units)
            elif units:
                self._unstored += units
            if full:
                self.conclude("length", None, by)
        self.home.touch(self)
        return full

    def conclude(self, reason: EndReason, error: TextStreamError | None, by: object) -> None:
        """Finish a production, if it is the one that counts."""
        with self.lock:
            if not self.takes(by):
                return
            if self._unstored:
                self._finishing = reason, error
            else:
                super().finish(reason, error)
        self.home.touch(self)

    def hold(self, resume: Callable[[], None]) -> bool:
        """Return whether the producer must pause; see `Stream.hold`."""
        return self.hold_for(None, resume)

    def hold_for(self, by: object, resume: Callable[[], None]) -> bool:
        """Return whether a production must pause: one that no longer counts is to end."""
        with self.lock:
            return self.takes(by) and super().hold(resume)

    def takes(self, by: object) -> bool:
        """Return whether a production is the one that counts, and goes on; with the lock held."""
        return (
            self.is_owner
            and self._production is by
            and self._finishing is None
            and self.life.outcome is None
            and self.log.ending is None
        )

    def _show(self, units: Sequence[str]) -> None:
        """Add units to what readers read, with the lock held."""
        keep = min(self.furthest, self.stored) if self.is_owner else self.furthest
        self.log.append(units, keep_from=keep)
        self._wake_parked()

    @property
    def _wants_more(self) -> bool:
        return self.written - self.stored < MAX_UNSTORED and super()._wants_more

    # For the store's thread.

    @property
    def written(self) -> int:
        """Units that there are, the last of which may be unknown to readers yet."""
        return self.log.next + len(self._unstored)

    def next_entry(self) -> Entry | None:
        """Return what is to be sent to the store next; None: nothing more now."""
        start = self.sent
        if start < self.log.next:
            units = self.log.read(start, MAX_ENTRY)
            return Entry(start + len(units), units) if units else None
        with self.lock:
            first = start - self.log.next
            units = self._unstored[first : first + MAX_ENTRY] if first >= 0 else ()
        return Entry(start + len(units), units) if units else None

    def on_stored(self, offset: int) -> None:
        """Know that the store has everything before `offset`: readers may be sent it."""
        with self.lock:
            self.stored = offset
            new = max(0, offset - self.log.next)
            if self._unstored and new:
                units = self._unstored[:new]
                del self._unstored[:new]
                if self.log.ending is None:
                    self._show(units)
            if self._finishing and not self._unstored:
                reason, error = self._finishing
                self._finishing = None
                super().finish(reason, error)
            self.release_producer()

    def receive(self, entry: Entry) -> bool:
        """Take what the owner has stored; return False where something before it is missing."""
        with self.lock:
            if self.is_owner or self.frozen or self.log.ending:
                return True
            at = self.log.next
            start = entry.next - len(entry.units)
            if start > at:
                return False
            if entry.next > at:
                self._show(entry.units[at - start :])
        return True

    def receive_outcome(self, outcome: Outcome) -> None:
        """Know how the source has finished: all its text is there."""
        with self.lock:
            if not self.is_owner and not self.frozen and self.life.outcome is None:
                self.life.finish(outcome)
                self._wake_parked()

    def receive_end(self, sealed: Sealed) -> None:
        """End as the store says that the stream has ended."""
        with self.lock:
            self.frozen = False
            if self.log.ending or self.life.state == "forgotten":
                return
            self.text.cut(sealed.offset)
            if sealed.reason in {"completed", "length", "error"}:
                # Who is behind reads on to the end.
                outcome = Outcome(sealed.reason, sealed.error)
                self.life.finish(outcome)
                self._end(sealed.reason, sealed.offset, outcome)
                self._wake_parked()
            else:
                for reader in self.readers:
                    reader.end_now(sealed.reason)
                self._end(sealed.reason, sealed.offset)

    def freeze(self) -> int:
        """Send nobody more than was sent, until it is sealed or `thaw`ed; return how much that is.

        What lies behind it is taken out of the log: it is still in the store.
        """
        with self.lock:
            if self.log.ending:
                return self.log.ending.offset
            for reader in self.readers:
                reader.settle()
            if not self.is_owner:
                self.frozen = True
                self.text.cut(self.furthest)
            return self.furthest

    def thaw(self) -> None:
        """Go on: it was not sealed."""
        with self.lock:
            self.frozen = False

    # Who owns it.

    def own(self, production: object) -> None:
        """Become the owner: what `production` appends counts from now on, and nothing else."""
        with self.lock:
            self.is_owner = True
            self.frozen = False
            self._production = production
            self.stored = self.sent = self.log.next
            self.followed = True  # until the store says that nobody listens

    def disown(self) -> None:
        """Be the owner no longer: what is not stored yet is another's to make."""
        with self.lock:
            self.is_owner = False
            self._production = object()
            self._unstored.clear()
            self._finishing = None
            for relay in list(self.relays.values()):
                self._drop_relay(relay)
        self.cancel.cancel()
        with self.lock:
            self.life.release()

    # The processes that follow it.

    def report(
        self, process: str, furthest: int, readers: int, *, paused: bool, now: float
    ) -> None:
        """Know how far another process has sent it, and how many read it there."""
        with self.lock:
            if not self.is_owner or self.log.ending:
                return
            relay = self.relays.get(process)
            if relay is None:
                if not readers and furthest <= self.furthest:
                    return
                relay = self.relays[process] = Relay(process, now)
            relay.seen, relay.readers, relay.paused = now, readers, paused
            relay.cursor = max(relay.cursor, min(furthest, self.log.next))
            if readers:
                self.readers.add(relay)
                self.life.read()
            else:
                self._drop_relay(relay)
            self.furthest = max(self.furthest, relay.cursor)
            self.release_producer()
            if readers or relay.cursor:
                self.end_if_all_read(relay.cursor)

    def forget_silent(self, since: float) -> None:
        """Let go of processes that were not heard of since then."""
        with self.lock:
            for relay in [one for one in self.relays.values() if one.seen < since]:
                self._drop_relay(relay)
            self.release_producer()

    def _drop_relay(self, relay: Relay) -> None:
        self.relays.pop(relay.process, None)
        if relay in self.readers:
            self.readers.discard(relay)
            if not self.readers and self.log.ending is None:
                self.life.unread()
                self._observer.on_unread(self, relay)

    # Its end.

    def stop(self, reason: EndReason) -> int:
        """End the stream for everyone, on whatever process; see `Stream.stop`."""
        return self.home.stop(self, reason)

    def stop_here(self, reason: EndReason) -> int:
        """End it as its owner, when it is known how far others have sent it."""
        return super().stop(reason)

    def stay(self) -> bool:
        """Be here for a moment longer, for somebody comes; return False where it has gone."""
        with self.lock:
            if self.life.state == "forgotten":
                return False
            if not self.readers:
                self.life.unread()
            return True

    def leave_here(self) -> bool:
        """Let go of a stream that another process has: of the readers, and of the text.

        Return whether it was there.
        """
        with self.lock:
            if self.life.state in {"ended", "forgotten"}:
                return False
            self.part_readers()
            super()._end("expired", self.log.next)
            return self.forget()

    def part_readers(self) -> None:
        """Let go of the readers here without a word: their connections end, and they come back."""
        with self.lock:
            for reader in list(self.readers):
                leave: Any = getattr(reader, "leave", None)
                if leave:
                    leave(may_return=True)

    def _end(self, reason: EndReason, offset: int, outcome: Outcome | None = None) -> None:
        for relay in list(self.relays.values()):  # they read on by themselves
            self.readers.discard(relay)
        if self.relays and not self.readers:
            self.life.unread()
        self._unstored.clear()
        super()._end(reason, offset, outcome)
        self.home.touch(self)
