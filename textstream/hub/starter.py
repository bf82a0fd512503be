"""Makes streams: asks whether one may be, claims its place, and has its source asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from textstream.access.account import Holding, Kind
from textstream.access.principal import Principal
from textstream.access.visits import Visit
from textstream.hub.directory import Directory, Name
from textstream.hub.keeper import Keeper
from textstream.hub.waiting import WaitingStreams
from textstream.ids import new_stream_id
from textstream.reading.dispatcher import Dispatcher
from textstream.reading.reader import Reader
from textstream.reading.sink import Sink
from textstream.sources.base import admits_all, nobody_waits
from textstream.stream.log import NewLog
from textstream.stream.pools import Pools
from textstream.stream.producer import Producer
from textstream.stream.start import Start, StreamLimits
from textstream.stream.stream import Stream
from textstream.stream.units import split_whole

COUNTED_PROMPT = 4096
"""Characters from which on a prompt is counted: a stream itself takes as much."""


class Made(NamedTuple):
    """A new stream's first reader, what it was started with, and its text, if that is there."""

    reader: Reader
    start: Start
    text: str | None


class Starter:
    """Makes the streams of a hub. Any thread; a source's code is called without any lock."""

    def __init__(
        self,
        keeper: Keeper,
        dispatcher: Dispatcher,
        pools: Pools,
        *,
        new_log: NewLog,
        clock: Callable[[], float],
        limits: StreamLimits,
        directory: Directory | None = None,
    ) -> None:
        """Make streams that `keeper` keeps; the rest is the hub's."""
        self._directory = directory
        self._new_stream: Callable[..., Stream] = directory.make if directory else Stream
        self._keeper = keeper
        self._dispatcher = dispatcher
        self._pools = pools
        self._new_log = new_log
        self._clock = clock
        self._limits = limits
        self._waiting = WaitingStreams(call_at=dispatcher.call_at, clock=clock)

    def make(
        self, start: Start, key: str | None, connection: str, sink: Sink, *, principal: Principal
    ) -> Made | Stream:
        """Make a stream and its first reader; or return the stream, if it was started before.

        Args:
            start: what it is started with.
            key: what the request is known by, where it has a name.
            connection: who starts it.
            sink: where its first reader writes.
            principal: who that is, as it is now.

        Raises:
            ShuttingDown, TooManyStreams, RateLimited: see `Hub.start`.

        """
        visit = self._keeper.visit(connection)
        share = visit.client.share
        if share.starts or share.connection_starts or visit.user is not None:
            self._keeper.clients.take_start(visit, connection)
        self._keeper.make_room(visit)
        request = start.request
        source = start.source
        place = 0
        if source.admit is not admits_all:
            place = source.admit(request)
        if request.prompt is not None and len(request.prompt) >= COUNTED_PROMPT:
            start = _counting_prompt(start, visit)
        made: Reader | Stream | None = None
        try:
            text = source.whole(request)
            if self._directory is None:
                name = Name(new_stream_id(), new_stream_id())
                made = self._claim(name, start, visit, key, connection, sink, principal)
            else:
                made = self._claim_of_all(start, visit, key, connection, sink, principal)
        finally:
            if not isinstance(made, Reader):
                if start.request.holding:
                    start.request.holding.close()
                # Its source, which has let it in, is to forget it.
                start.request.cancel.cancel()
        if not isinstance(made, Reader):
            return made
        if source.places is not nobody_waits:
            self._waiting.add(made.stream, source, place)
        return Made(made, start, text)

    def produce(self, made: Made) -> None:
        """Have the source asked for its text."""
        stream = made.reader.stream
        if made.text is None:
            clock, call_at = self._clock, self._dispatcher.call_at
            Producer(stream, made.start, self._pools, clock=clock, call_at=call_at).start()
            return
        units = split_whole(made.text, stream.unit)
        with stream.lock:
            full = stream.append(units)
            stream.finish("completed")
        if full:  # its source is told, as ever
            stream.cancel.cancel()

    def _claim_of_all(  # noqa: PLR0917 (all of them, each time)
        self,
        start: Start,
        visit: Visit,
        key: str | None,
        connection: str,
        sink: Sink,
        principal: Principal,
    ) -> Reader | Stream:
        """Claim it before the other processes, too."""
        directory = self._directory
        assert directory is not None  # noqa: S101 (the caller has looked)
        name = directory.create(start, key, principal)
        if isinstance(name, Stream):
            return name
        made = None
        try:
            made = self._claim(name, start, visit, key, connection, sink, principal)
        finally:
            directory.created(name, made.stream if isinstance(made, Reader) else None)
        return made

    def _claim(  # noqa: PLR0917 (all of them, each time)
        self,
        name: Name,
        start: Start,
        visit: Visit,
        key: str | None,
        connection: str,
        sink: Sink,
        principal: Principal,
    ) -> Reader | Stream:
        stream = self._new_stream(
            name.id,
            start,
            connection,
            principal=principal,
            key=name.key,
            log=self._new_log(name.id, visit.count_text),
            clock=self._clock,
            limits=self._limits,
            observer=self._keeper,
        )
        reader = Reader(
            stream,
            sink,
            self._dispatcher,
            now=self._clock(),
            connection=connection,
            rate=start.rate,
            format_=start.format,
        )
        # Held until it is read: whoever starts it again meanwhile finds its reader.
        with stream.lock:
            holding, replacing = start.request.holding, start.format == "char"
            known = self._keeper.claim(stream, visit, key=key, holding=holding, replacing=replacing)
            if known is None:
                stream.attach(reader)
        if holding and known is None:  # not before: it must not be refused for itself
            holding.set(sys.getsizeof(start.request.prompt))
        return known or reader


def _counting_prompt(start: Start, visit: Visit) -> Start:
    """Return the start with what counts its prompt for the client."""
    holding = Holding(visit.account, Kind.WAITING)
    return replace(start, request=replace(start.request, holding=holding))
