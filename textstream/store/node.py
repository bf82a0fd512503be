"""One process among those that share a store: its parts, and what they have in common."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from textstream.access.principal import Principal
from textstream.hub.keeper import Keeper, Limits
from textstream.protocol import EndReason
from textstream.sources import SourceRegistry
from textstream.sources.base import Source, SourceRequest
from textstream.store.answers import Answers
from textstream.store.bus import Bus
from textstream.store.control import Control
from textstream.store.keys import Keys
from textstream.store.lease import Lease
from textstream.store.link import Link
from textstream.store.log import SharedLog
from textstream.store.owning import CallAt, Owning
from textstream.store.record import Record
from textstream.store.shared import FOLLOW_GRACE, SharedStream
from textstream.store.tail import Tail
from textstream.store.wire import Command
from textstream.store.writer import REFRESH_SECONDS, Writer
from textstream.stream.pools import Pools
from textstream.stream.start import Start

RELEASE_SECONDS = 1.0
"""For so long a process that goes down waits until it has given its streams away."""

SEALED_BEFORE = 0.3
"""Seconds before the end of a process until which it waits for the store to have all."""


class Node:
    """The parts that speak with the store. Its own methods are for any thread.

    Attributes:
        process: what this process is called: another name each time that it starts. Nothing before
            `start`: one that is forked from the process that made this is another.
        records: of streams that are being made, by id.

    """

    def __init__(
        self,
        link: Link,
        keys: Keys,
        *,
        registry: SourceRegistry,
        pools: Pools,
        limits: Limits,
        max_bytes: int,
        lease: float,
        clock: Callable[[], float],
        call_at: CallAt,
    ) -> None:
        """Take part by `link`; the rest is the hub's."""
        self.link = link
        self.keys = keys
        self.process = ""
        self.lease_seconds = lease
        self.records: dict[str, Record] = {}
        self._limits = limits
        self._max_bytes = max_bytes
        self._clock = clock
        self._buses: dict[str, Bus] = {}
        self.control = Control(link, keys)
        self.writer = Writer(link, keys, clock=clock, retention=limits.retention)
        self.tail = Tail(link, keys, self.control, clock, lease)
        self.answers = Answers(link, keys, self.control, self.writer, self.tail, clock=clock)
        self.owning = Owning(
            link,
            keys,
            self.writer,
            self.tail,
            registry=registry,
            pools=pools,
            limits=limits,
            clock=clock,
            call_at=call_at,
        )
        self.lease = self.owning.lease = Lease(
            link,
            keys,
            seconds=lease,
            clock=clock,
            taken=self.owning.taken,
            doubt=self.writer.check_all,
        )
        self.owning.follow = self.follow
        self.writer.valid = lambda: self.lease.valid
        self.writer.lost = self.owning.lost
        self.writer.other = self.tail.touched
        link.on_up, link.on_message = self._up, self._message

    def serve(self, keeper: Keeper, stop: Callable[[SharedStream, EndReason], int]) -> None:
        """Know who keeps the streams of this process, and who ends them."""
        self._keeper = self.owning.keeper = self.answers.keeper = keeper
        self._stop = self.answers.stop = stop

    def start(self) -> None:
        """Begin, in this process."""
        self.process = secrets.token_hex(6)
        for part in (self.control, self.writer, self.lease):
            part.process = self.process
        self.link.start()
        self.link.soon(self.lease.begin)
        self.link.call_at(self._clock() + REFRESH_SECONDS, self._refresh)
        self.link.call_at(self._clock() + 1.0, self._look_for_silent)

    def listen(self, channel: str, hear: Callable[[bytes], object]) -> Bus:
        """Return what publishes on a channel; `hear` is called with what is published there."""
        bus = self._buses[channel] = Bus(self.link, channel, hear)
        return bus

    def close(self, deadline: float) -> None:
        """Write what is left, and give up the lease."""
        if not self.process:
            return
        self.lease.close()
        latest = deadline - SEALED_BEFORE
        while self.writer.streams and self.link.up and time.monotonic() < latest:
            time.sleep(0.01)
        if self.link.up and not self.writer.streams:
            self.link.send([self.lease.end()])
        self.answers.close(deadline)
        for bus in self._buses.values():
            bus.close(deadline)
        self.link.close(max(0.1, deadline - time.monotonic()))

    # Home of the shared streams.

    def touch(self, stream: SharedStream) -> None:
        """Look at a stream soon."""
        self.writer.touch(stream)

    def stop(self, stream: SharedStream, reason: EndReason) -> int:
        """End a stream for everyone."""
        return self._stop(stream, reason)

    def follow(self, record: Record) -> SharedStream:
        """Keep a stream of another process here, and have it read; return it."""
        source = Source(record.source, generate=_nothing, live=True, quick=True)
        request = SourceRequest(unit=record.unit)
        digest = bytes.fromhex(record.digest)
        stream = SharedStream(
            record.id,
            Start(source, request, rate=record.rate, digest=digest),
            "",
            principal=Principal(record.principal),
            key=record.key,
            log=SharedLog(record.id, self._keeper.count_text, max_bytes=self._max_bytes),
            clock=self._clock,
            limits=self._limits,
            observer=self._keeper,
        )
        stream.share_by(self, record, is_owner=False)
        stream.is_private, stream.share = record.private, record.share
        stream.life.give(FOLLOW_GRACE, age=max(0.0, time.time() - record.created))
        kept = self._keeper.adopt(stream, request_key=record.request or None)
        if kept is not stream:
            assert isinstance(kept, SharedStream)  # noqa: S101 (here all are)
            return kept
        if record.owner == self.process:  # it was begun here, and not gone on with
            claim = self.owning.claim_if_running
            self.link.soon(lambda: self.tail.read_to_end(stream, lambda: claim(stream)))
        else:
            self.link.soon(lambda: self.tail.follow(stream))
        return stream

    def owns_since(self, stream: SharedStream) -> float:
        """Return for how many seconds a stream has been taken over; infinite: it is from here."""
        return self._clock() - stream.owned_at

    def give_up(self, stream_id: str, request: str) -> None:
        """Take back what was made known of a stream that was not made."""
        commands: list[Command] = [
            ("DEL", self.keys.record(stream_id)),
            ("SREM", self.keys.owned(self.process), stream_id),
        ]
        if request:
            commands.append(("DEL", self.keys.request(request)))
        self.link.send(commands)

    def release(self) -> None:
        """Give away what can go on elsewhere: this process goes down."""
        if not self.process:
            return
        self.lease.close()
        released = threading.Event()

        def release() -> None:
            self.owning.release()
            released.set()

        self.link.soon(release)
        released.wait(RELEASE_SECONDS)

    # The store's thread.

    def _up(self) -> None:
        self.link.send([self.control.subscribe()])
        self.lease.renew_now()
        self.writer.check_all()
        self.tail.follow_again()
        for bus in self._buses.values():
            bus.begin()

    def _message(self, channel: bytes, message: bytes) -> None:
        name = channel.decode()
        if name == self.keys.control(self.process):
            self.control.take(message)
        elif name in self._buses:
            self._buses[name].heard(message)
        else:
            self.tail.news(self.keys.stream_of(name), message)

    def _refresh(self) -> None:
        self.writer.refresh()
        self.link.call_at(self._clock() + REFRESH_SECONDS, self._refresh)

    def _look_for_silent(self) -> None:
        now = self._clock()
        if self.link.up and now - self.link.up_since > 2 * self.lease_seconds:
            for stream in list(self.writer.streams.values()):
                if stream.relays:
                    stream.forget_silent(now - self.lease_seconds)
        self.link.call_at(now + 1.0, self._look_for_silent)


def _nothing(_request: SourceRequest) -> Any:
    """Generate nothing: the text comes from another process."""
    return iter(())
