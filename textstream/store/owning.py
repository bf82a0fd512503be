"""Owning: what a process does with a stream that becomes its own, or is not its own any more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from textstream.errors import SourceFailed, TextStreamError
from textstream.hub.keeper import Keeper, Limits
from textstream.loggable import fingerprint
from textstream.sources import SourceRegistry
from textstream.sources.base import CancelToken, SourceRequest
from textstream.store import scripts
from textstream.store.keys import Keys
from textstream.store.lease import Lease
from textstream.store.link import Link
from textstream.store.production import Production
from textstream.store.record import Record, read_record
from textstream.store.shared import SharedStream
from textstream.store.tail import Tail
from textstream.store.writer import Writer
from textstream.stream.pools import Pools
from textstream.stream.producer import Producer
from textstream.stream.start import Start

logger = logging.getLogger("textstream.store")

DIED = "The server that generated this stream has died. The text so far is kept. Start it again."
MISSING = "The server that generated this stream has gone, and no other here can go on with it."

CallAt = Callable[[float, Callable[[], None]], None]


class Owning:
    """Takes streams over, and gives them away. The store's thread only, but for `claim`.

    Attributes:
        keeper: keeps the streams of this process.
        lease: of this process.
        follow: makes a stream of a record, and follows it.

    """

    keeper: Keeper
    lease: Lease
    follow: Callable[[Record], SharedStream]

    def __init__(
        self,
        link: Link,
        keys: Keys,
        writer: Writer,
        tail: Tail,
        *,
        registry: SourceRegistry,
        pools: Pools,
        limits: Limits,
        clock: Callable[[], float],
        call_at: CallAt,
    ) -> None:
        """Own by way of these; `call_at` is the dispatcher's, for sources."""
        self._link = link
        self._keys = keys
        self._writer = writer
        self._tail = tail
        self._registry = registry
        self._pools = pools
        self._limits = limits
        self._clock = clock
        self._call_at = call_at

    def claim(self, stream: SharedStream) -> None:
        """Become the owner of a stream whose owner is dead. Any thread."""
        before = stream.record.owner

        def claimed(replies: list[Any] | None) -> None:
            if replies and isinstance(replies[0], int) and replies[0] > 0:
                self.lease.took(stream.id, before, replies[0])

        self._link.send([self.lease.claim(stream.id, before)], claimed)

    def claim_if_running(self, stream: SharedStream) -> None:
        """Do so, unless it has ended."""
        if stream.ending is None:
            self.claim(stream)

    def taken(self, stream_id: str, epoch: int) -> None:
        """Go on with a stream that was taken over, when all of it is here."""
        stream = self.keeper.kept(stream_id)
        if isinstance(stream, SharedStream):
            self._own_when_filled(stream, epoch)
            return
        record = ("HGETALL", self._keys.record(stream_id))
        self._link.send([record], partial(self._found, stream_id, epoch))

    def lost(self, stream: SharedStream) -> None:
        """Follow a stream that another process owns: this one was taken for dead."""
        logger.warning("stream %s is another process's now", fingerprint(stream.id))
        stream.disown()
        if stream.ending is None:
            self._tail.follow(stream)

    def release(self) -> None:
        """Give away what can go on elsewhere."""
        keys, me = self._keys, self._writer.process
        for stream in list(self._writer.streams.values()):
            if not stream.record.deterministic or stream.ending:
                continue
            self._writer.remove(stream)
            stream.disown()
            stream.record.owner = ""
            self._link.send([
                ("EVAL", scripts.RELEASE, 1, keys.record(stream.id), me),
                ("SADD", keys.owned(""), stream.id),
                ("SREM", keys.owned(me), stream.id),
            ])  # fmt: skip
            self._tail.follow(stream)

    def _found(self, stream_id: str, epoch: int, replies: list[Any] | None) -> None:
        if not replies or not isinstance(replies[0], dict) or not replies[0]:
            return  # it stays among those that this process owns, for whoever asks for it
        record = read_record(stream_id, replies[0])
        record.owner = ""  # not ours before it is filled
        self._own_when_filled(self.follow(record), epoch)

    def _own_when_filled(self, stream: SharedStream, epoch: int) -> None:
        if stream.is_owner:
            return
        stream.record.owner = self._writer.process
        self._tail.read_to_end(stream, lambda: self._own(stream, epoch))

    def _own(self, stream: SharedStream, epoch: int) -> None:
        """Go on as the owner: make the text again, or say why there is no more of it."""
        if stream.ending:
            owned = self._keys.owned(self._writer.process)
            self._link.send([("SREM", owned, stream.id)])
            return
        self._tail.forget(stream)
        record = stream.record
        record.epoch, outcome = epoch, record.outcome
        stream.cancel = CancelToken()
        production = Production(stream)
        stream.own(production)
        stream.owned_at = self._clock()
        leaves = record.on_disconnect == "cancel"
        stream.life.give(0.0 if leaves else self._limits.grace)
        self._writer.add(stream)
        news = ("PUBLISH", self._keys.channel(stream.id), f"{stream.log.next}|0||")
        self._link.send([news])  # that it has another owner
        if outcome is not None or stream.life.outcome is not None:
            return  # its source had finished
        try:
            self._produce(stream, record, production)
        except TextStreamError as error:
            logger.warning("stream %s: %s", fingerprint(stream.id), error.message)
            production.finish("error", SourceFailed(MISSING))

    def _produce(self, stream: SharedStream, record: Record, production: Production) -> None:
        if not record.deterministic:
            production.finish("error", SourceFailed(DIED))
            return
        source = self._registry.get(record.source)
        request = SourceRequest(
            record.prompt,
            source.params_model.model_validate_json(record.params),
            cancel=stream.cancel,
            unit=stream.unit,
        )
        start = Start(source, request, rate=record.rate)
        stream.set_ahead(start, self._limits.lookahead)
        producer = Producer(
            production,  # type: ignore[arg-type]  # all that a producer asks of a stream
            start,
            self._pools,
            clock=self._clock,
            call_at=self._call_at,
        )
        producer.start()
