"""Follows the streams that other processes own: one subscription for each, whatever its readers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hiredis

from textstream.errors import SourceFailed
from textstream.loggable import fingerprint
from textstream.store import wire
from textstream.store.control import Control
from textstream.store.keys import Keys
from textstream.store.link import Link, Replies
from textstream.store.record import read_outcome
from textstream.store.relay import Relay
from textstream.store.shared import SharedStream
from textstream.store.wire import Entry, Sealed
from textstream.stream.life import Outcome

logger = logging.getLogger("textstream.store")

PAGE = 200
"""Entries read at once."""

REPORT_SECONDS = 0.1
"""Between two reports of how far readers are, at least."""

REPORT_UNITS = 256
"""Units that the furthest reader is further on, and that is worth a report by itself: an eighth of
what a text's source is ahead of its readers."""

FIELDS = ("owner", "outcome", "private", "share", "end")

SILENT_SECONDS = 1.0
"""Of a stream that says nothing for so long is asked what there is: a message may be lost."""

LOST_SECONDS = 15.0
"""A stream of which the store knows nothing for so long is lost: so is its owner, or it would have
been written again."""

LOST = "The store has lost this stream, and so has the server that generated it. Start it again."


@dataclass
class Follow:
    """A stream that is followed, and what its owner was told of its readers here."""

    stream: SharedStream
    heard: float
    filling: bool = False
    again: bool = False
    told: tuple[int, int, bool] = (0, 0, False)
    told_at: float = 0.0
    told_to: str = ""
    then: Callable[[], object] | None = None
    missing_since: float | None = None
    frozen_until: float = 0.0
    end: int | None = None  # the number of its units, once it is sealed


@dataclass
class Tail:
    """The streams of others that are read here. The store's thread only.

    Attributes:
        follows: by id.
        on_access: called when it was said elsewhere who may read a stream.

    """

    link: Link
    keys: Keys
    control: Control
    clock: Callable[[], float]
    lease: float
    follows: dict[str, Follow] = field(default_factory=dict)
    messages: int = 0
    fills: int = 0
    holes: int = 0
    on_access: Callable[[SharedStream], object] = bool
    _ticking: bool = False

    def follow(self, stream: SharedStream) -> None:
        """Read what there is of a stream, and what comes."""
        if stream.id in self.follows:
            return
        self.follows[stream.id] = follow = Follow(stream, self.clock())
        self._subscribe(follow)
        if not self._ticking:
            self._ticking = True
            self.link.call_at(self.clock() + REPORT_SECONDS, self._tick)

    def read_to_end(self, stream: SharedStream, then: Callable[[], object]) -> None:
        """Read all that there is now, and call back: it has no other owner any more."""
        self.follow(stream)
        follow = self.follows[stream.id]
        follow.then = then
        self._fill(follow)

    def unfollow(self, stream: SharedStream) -> None:
        """Hear of it no more; its owner is told that nobody reads it here."""
        follow = self.follows.pop(stream.id, None)
        if follow is None:
            return
        furthest = min(stream.furthest, stream.log.next)
        self._tell(follow.stream.record.owner, [[stream.id, furthest, 0, False]])
        self.link.send([("UNSUBSCRIBE", self.keys.channel(stream.id))])

    def forget(self, stream: SharedStream) -> None:
        """Hear of it no more, for it is owned here."""
        if self.follows.pop(stream.id, None):
            self.link.send([("UNSUBSCRIBE", self.keys.channel(stream.id))])

    def follow_again(self) -> None:
        """Begin anew with all: the connection is new."""
        for follow in self.follows.values():
            follow.filling = follow.again = False
            follow.missing_since = None
            self._subscribe(follow)

    def news(self, stream_id: str, message: bytes) -> None:
        """Take what an owner has published."""
        follow = self.follows.get(stream_id)
        if follow is None:
            return
        self.messages += 1
        follow.heard = self.clock()
        news = wire.read_news(message)
        if news.units is None or not follow.stream.receive(Entry(news.next, news.units)):
            self._fill(follow)

    def freeze(self, stream_id: str, seconds: float) -> int:
        """Send nobody more of a stream for a while; return how far it was sent."""
        follow = self.follows.get(stream_id)
        if follow is None:
            return 0
        follow.frozen_until = self.clock() + seconds
        return follow.stream.freeze()

    def touched(self, stream: SharedStream) -> None:
        """Look at a stream that has ended here: its readers were sent everything."""
        follow = self.follows.get(stream.id)
        if follow and stream.ending:
            self.unfollow(stream)

    def _subscribe(self, follow: Follow) -> None:
        stream = follow.stream
        self.link.send([("SUBSCRIBE", self.keys.channel(stream.id))])
        self._greet(follow)
        self._fill(follow)

    def _greet(self, follow: Follow) -> None:
        """Tell the owner that what it writes is to be published."""
        owner = follow.told_to = follow.stream.record.owner
        follow.told = (0, 0, False)
        if owner not in {"", self.control.process}:
            self.control.tell(owner, "follow", id=follow.stream.id)

    # Reading.

    def _fill(self, follow: Follow) -> None:
        """Read what is in the store and not here."""
        if follow.filling:
            follow.again = True
            return
        follow.filling = True
        self.fills += 1
        stream = follow.stream
        log = self.keys.log(stream.id)
        at = stream.log.next
        read = wire.last(log) if at == follow.end else wire.behind(log, at, PAGE)
        record: wire.Command = ("HMGET", self.keys.record(stream.id), *FIELDS)
        # The record behind the text: what is too much of that, it says.
        self.link.send([read, record], lambda replies: self._filled(follow, replies))

    def _filled(self, follow: Follow, replies: Replies | None) -> None:
        stream = follow.stream
        if self.follows.get(stream.id) is not follow or replies is None:
            return  # begun anew with the next connection
        follow.filling = False
        follow.heard = self.clock()
        rows, record = replies
        if isinstance(record, hiredis.ReplyError) or isinstance(rows, hiredis.ReplyError):
            logger.error("the store does not let us read: %s %s", record, rows)
            return
        if record[-1] is not None:
            follow.end = int(record[-1])
            stream.thaw()
        if stream.frozen or not self._take_rows(follow, rows):
            return
        again = len(rows) == PAGE or follow.again or stream.log.next == follow.end
        if len(rows) < PAGE:
            self._take_record(follow, *record[:-1])
            stream.filled.set()
        if again:
            follow.again = False
            self._fill(follow)
        elif follow.then:
            then, follow.then = follow.then, None
            then()

    def _take_rows(self, follow: Follow, rows: list[Any]) -> bool:
        """Append what was read; return whether the stream goes on."""
        stream = follow.stream
        for row in rows:
            entry = wire.read_entry(row)
            if isinstance(entry, Sealed):
                self._take_end(stream, entry)
                return False
            if follow.end is not None and entry.next > follow.end:
                entry = Entry(follow.end, entry.units[: follow.end - entry.next])
                if entry.next - len(entry.units) >= follow.end:
                    continue
            if not stream.receive(entry):
                self.holes += 1
                shown = fingerprint(stream.id)
                logger.error("stream %s: there is a hole behind %d", shown, stream.log.next)
                return False
        return True

    def _take_end(self, stream: SharedStream, sealed: Sealed) -> None:
        stream.receive_end(sealed)
        ending = stream.ending
        if ending and sealed.text_sha256 and ending.text_sha256 != sealed.text_sha256:
            logger.error("stream %s: its text is not its owner's", fingerprint(stream.id))
        stream.filled.set()
        follow = self.follows.get(stream.id)
        self.unfollow(stream)
        if follow and follow.then:
            follow.then()

    def _take_record(
        self,
        follow: Follow,
        owner: bytes | None,
        outcome: bytes | None,
        private: bytes | None,
        share: bytes | None,
    ) -> None:
        stream = follow.stream
        if owner is None:
            self._miss(follow)
            return
        follow.missing_since = None
        stream.record.owner = owner.decode()
        self._take_access(stream, private == b"1", int(share or 0))
        if stream.record.owner != follow.told_to:
            self._greet(follow)
        if outcome:
            known = read_outcome(outcome.decode())
            if known and known.next <= stream.log.next:
                stream.record.outcome = known
                stream.receive_outcome(Outcome(known.reason, known.error))

    def _take_access(self, stream: SharedStream, private: bool, share: int) -> None:
        if (private, share) != (stream.is_private, stream.share):
            stream.is_private, stream.share = private, share
            self.on_access(stream)

    def _miss(self, follow: Follow) -> None:
        """Wait for whoever has the text to write it again; but not for ever."""
        now = self.clock()
        if follow.missing_since is None:
            follow.missing_since = now
        elif now - follow.missing_since > LOST_SECONDS:
            error = SourceFailed(LOST).to_wire()
            stream = follow.stream
            self._take_end(stream, Sealed("error", stream.log.next, "", error))

    # Telling.

    def _tick(self) -> None:
        self._ticking = bool(self.follows)
        if not self._ticking:
            return
        now = self.clock()
        if self.link.up:
            reports: dict[str, list[list[Any]]] = {}
            for follow in list(self.follows.values()):
                self._look(follow, now, reports)
            for owner, rows in reports.items():
                self._tell(owner, rows)
        self.link.call_at(now + REPORT_SECONDS, self._tick)

    def _look(self, follow: Follow, now: float, reports: dict[str, list[list[Any]]]) -> None:
        stream = follow.stream
        if stream.frozen and now >= follow.frozen_until:
            stream.thaw()
            self._fill(follow)
        if now - follow.heard >= SILENT_SECONDS:
            follow.heard = now
            self._fill(follow)
        with stream.lock:
            readers = [one for one in stream.readers if one.reading and not isinstance(one, Relay)]
            furthest = stream.furthest
            paused = bool(readers) and all(one.paused for one in readers)
            at_end = stream.life.outcome is not None and furthest >= stream.log.next
        if self._is_news(follow, (furthest, len(readers), paused), now, at_end=at_end):
            follow.told, follow.told_at = (furthest, len(readers), paused), now
            if stream.record.owner:
                row = [stream.id, furthest, len(readers), paused]
                reports.setdefault(stream.record.owner, []).append(row)

    def _is_news(
        self, follow: Follow, new: tuple[int, int, bool], now: float, *, at_end: bool
    ) -> bool:
        old = follow.told
        if new[1:] != old[1:] or new[0] - old[0] >= REPORT_UNITS or (at_end and new != old):
            return True
        age = now - follow.told_at
        return (new != old and age >= SILENT_SECONDS) or (new[1] > 0 and age >= self.lease / 3)

    def _tell(self, owner: str, rows: list[list[Any]]) -> None:
        if owner not in {"", self.control.process}:
            self.control.tell(owner, "report", rows=rows)
