"""Writes what is produced here to the store: once a tick, all streams in one send."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import hiredis

from textstream.loggable import fingerprint
from textstream.store import scripts, wire
from textstream.store.keys import Keys
from textstream.store.link import MAX_BACKLOG, Link, Replies
from textstream.store.record import Outcome, Record
from textstream.store.shared import SharedStream
from textstream.store.wire import Command

logger = logging.getLogger("textstream.store")

FLUSH_SECONDS = 0.01
"""Between two sends to the store, at least. One entry for each character would be 12.5 bytes of it
in the store's memory, batches of 20 are 1.6 (measured)."""

ENTRIES = 16
"""Of one stream in a send, at most: the others wait for their turn meanwhile."""

TTL = 600
"""Seconds after which what nobody refreshes is gone from the store: of deployments that are."""

REFRESH_SECONDS = TTL / 4

BEHIND = ("equal or smaller", "exhausted")
"""What the store says of an entry that it has already, or that comes behind the end."""

Taken = Callable[[Any], object]


@dataclass
class Written:
    """What was written, in numbers."""

    entries: int = 0
    units: int = 0
    refused: int = 0
    rewritten: int = 0
    published: int = 0


class Writer:
    """Keeps the store in step with the streams that this process owns.

    `touch` for any thread; the rest is the store's thread's own.

    Attributes:
        process: this one.
        streams: those whose end is not stored yet, by id.
        valid: whether the lease is good: says so before each write.
        lost: told of a stream that another process owns.
        other: told of a stream that was touched and is not owned.

    """

    def __init__(
        self,
        link: Link,
        keys: Keys,
        *,
        clock: Callable[[], float],
        retention: float,
    ) -> None:
        """Write by `link`; what has ended is kept for `retention` seconds."""
        self._link = link
        self._keys = keys
        self.process = ""
        self._clock = clock
        self._retention = max(1, round(retention))
        self._touched: deque[SharedStream] = deque()
        self._scheduled = False
        self._flushed = 0.0
        self._unsure: set[str] = set()
        self.streams: dict[str, SharedStream] = {}
        self.counts = Written()
        self.valid: Callable[[], bool] = lambda: True
        self.lost: Callable[[SharedStream], object] = bool
        self.other: Callable[[SharedStream], object] = bool

    def touch(self, stream: SharedStream) -> None:
        """Look at a stream in the next tick. Any thread, any lock held."""
        if stream.touched:
            return
        stream.touched = True
        self._touched.append(stream)
        if not self._scheduled:
            self._scheduled = True
            self._link.call_at(self._flushed + FLUSH_SECONDS, self._flush)

    def add(self, stream: SharedStream) -> None:
        """Write a stream from now on, from where the store ends."""
        self.streams[stream.id] = stream
        self.touch(stream)

    def remove(self, stream: SharedStream) -> None:
        """Write it no longer."""
        self.streams.pop(stream.id, None)
        self._unsure.discard(stream.id)

    def refresh(self) -> None:
        """Keep what belongs to the streams from being forgotten."""
        commands: list[Command] = [("EXPIRE", self._keys.owned(self.process), TTL)]
        for stream in self.streams.values():
            commands.append(("EXPIRE", self._keys.log(stream.id), TTL))
            commands.append(("EXPIRE", self._keys.record(stream.id), TTL))
            commands += self._lives(stream, TTL)
        self._link.send(commands)

    def create(self, record: Record) -> list[Command]:
        """Return what makes the record of a stream, with this process as the owner."""
        keys = self._keys
        record.owner = self.process
        names = [keys.record(record.id)]
        if record.request:
            names.append(keys.request(record.request))
        return [
            ("SADD", keys.owned(self.process), record.id),
            ("EVAL", scripts.CREATE, len(names), *names, TTL, record.id, *record.fields()),
        ]

    # What the store has.

    def check(self, streams: Iterable[SharedStream]) -> None:
        """Find out where the store stands with streams, and go on from there; write none before."""
        streams = list(streams)
        commands: list[Command] = []
        for stream in streams:
            self._unsure.add(stream.id)
            commands.append(("HGET", self._keys.record(stream.id), "owner"))
            commands.append(wire.last(self._keys.log(stream.id)))
        if commands:
            self._link.send(commands, lambda replies: self._checked(streams, replies))

    def check_all(self) -> None:
        """Check all: the connection is new, or this process was silent for too long."""
        self.check(self.streams.values())
        self._again()  # what was touched meanwhile

    def _checked(self, streams: list[SharedStream], replies: Replies | None) -> None:
        if replies is None:
            return  # with the next connection all are checked
        for stream, owner, last in zip(streams, replies[::2], replies[1::2], strict=True):
            if stream.id not in self.streams:
                continue
            if owner is None or isinstance(owner, hiredis.ReplyError):
                self._make_again(stream)
            elif owner.decode() != self.process:
                self.remove(stream)
                self.lost(stream)
            elif last and last[0][0] == wire.SEAL_ID.encode():
                self.remove(stream)
                if stream.ending is None:
                    self.lost(stream)
            else:
                self._go_on(stream, wire.position(last[0][0]) if last else 0)

    def _go_on(self, stream: SharedStream, stored: int) -> None:
        if stored < stream.stored:
            self.counts.rewritten += stream.stored - stored
        stream.sent = stored
        stream.on_stored(stored)
        self._unsure.discard(stream.id)
        self.touch(stream)

    def _make_again(self, stream: SharedStream) -> None:
        """Write it anew: the store has lost it, and here is all its text."""
        if stream.log.first:
            logger.error(
                "stream %s: the store has lost it, and its beginning was trimmed here",
                fingerprint(stream.id),
            )
        stream.record.outcome = None
        self._link.send(self.create(stream.record))
        self._go_on(stream, 0)

    # Each tick.

    def _flush(self) -> None:
        self._flushed = self._clock()
        self._scheduled = False
        if not self._link.up or not self._touched:
            return
        if self._link.backlog > MAX_BACKLOG:
            self._again()
            return
        if not self.valid():
            self.check([one for one in self.streams.values() if one.id not in self._unsure])
        commands: list[Command] = []
        taken: list[Taken] = []
        for _ in range(len(self._touched)):
            stream = self._touched.popleft()
            stream.touched = False
            if not stream.is_owner:
                self.other(stream)
            elif stream.id in self.streams and stream.id not in self._unsure:
                self._write(stream, commands, taken)
        if commands:
            self._link.send(commands, lambda replies: _each(taken, replies))
        if self._touched:
            self._again()

    def _again(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._link.call_at(self._flushed + FLUSH_SECONDS, self._flush)

    def _write(self, stream: SharedStream, commands: list[Command], taken: list[Taken]) -> None:
        log, channel = self._keys.log(stream.id), self._keys.channel(stream.id)
        for _ in range(ENTRIES):
            entry = stream.next_entry()
            if entry is None:
                break
            first = stream.sent == 0
            stream.sent = entry.next
            commands.append(wire.append(log, entry))
            taken.append(self._stored(stream, entry))
            if first:
                commands.append(("EXPIRE", log, TTL))
                taken.append(bool)
            if stream.followed:
                commands.append(wire.publish(channel, entry))
                taken.append(self._heard(stream))
        else:
            self.touch(stream)
            return
        with stream.lock:
            outcome, ending = stream.life.outcome, stream.ending
            is_whole = stream.sent >= stream.written
        record = stream.record
        if ending is not None:
            self._seal(stream, commands, taken)
        elif outcome is not None and record.outcome is None and is_whole:
            record.outcome = Outcome(outcome.reason, stream.log.next, outcome.error)
            commands.append(
                ("HSET", self._keys.record(stream.id), "outcome", record.outcome.pack())
            )
            commands.append(("PUBLISH", channel, f"{stream.sent}|0||"))
            taken += [bool, self._heard(stream)]

    def _seal(self, stream: SharedStream, commands: list[Command], taken: list[Taken]) -> None:
        ending = stream.ending
        assert ending is not None  # noqa: S101 (the caller has looked)
        keys = self._keys.log(stream.id), self._keys.record(stream.id)
        said = (self.process, self._retention, *wire.seal(ending))
        commands.append(("EVAL", scripts.SEAL, 2, *keys, *said))
        taken.append(self._sealed(stream))
        more: list[Command] = [
            *self._lives(stream, self._retention),
            ("SREM", self._keys.owned(self.process), stream.id),
            ("PUBLISH", self._keys.channel(stream.id), f"{ending.offset}|0||"),
        ]
        commands += more
        taken += [bool] * len(more)
        self._unsure.add(stream.id)  # nothing more, until the reply says so

    def _lives(self, stream: SharedStream, seconds: int) -> Iterable[Command]:
        if stream.record.request:
            yield ("EXPIRE", self._keys.request(stream.record.request), seconds)

    # Replies.

    def _stored(self, stream: SharedStream, entry: wire.Entry) -> Taken:
        def taken(reply: Any) -> None:
            if isinstance(reply, hiredis.ReplyError) or reply is None:
                self._refused(stream, reply)
            elif stream.is_owner and stream.id not in self._unsure:
                self.counts.entries += 1
                self.counts.units += len(entry.units)
                stream.on_stored(entry.next)

        return taken

    def _heard(self, stream: SharedStream) -> Taken:
        def taken(reply: Any) -> None:
            self.counts.published += 1
            if reply == 0:
                stream.followed = False

        return taken

    def _sealed(self, stream: SharedStream) -> Taken:
        def taken(reply: Any) -> None:
            if isinstance(reply, hiredis.ReplyError) and BEHIND[1] not in str(reply):
                self._refused(stream, reply)
            else:
                self.remove(stream)

        return taken

    def _refused(self, stream: SharedStream, reply: Any) -> None:
        """Look what is there: it was written already, by another, or lost; or there is no room."""
        self.counts.refused += 1
        if stream.id in self._unsure and stream.ending is None:
            return  # one look for all entries of the send
        self._unsure.add(stream.id)
        if reply is None or any(said in str(reply) for said in BEHIND):
            self.check([stream])
            return
        logger.error("the store refuses text: %s", reply)
        self._link.call_at(self._clock() + 1.0, lambda: self.check([stream]))


def _each(taken: list[Taken], replies: Replies | None) -> None:
    if replies is not None:  # else all is checked with the next connection
        for take, reply in zip(taken, replies, strict=True):
            take(reply)
