"""The streams that exist, and who reads them: start, attach, stop, let go, close all.

A *client* is a connection. It owns the streams it started, and those it took over from one that is
gone (see `Clients`), and reads each stream at most once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from textstream.errors import (
    InvalidRequest,
    OffsetGone,
    ShuttingDown,
    TooManyStreams,
    UnknownStream,
)
from textstream.hub.connections import Clients
from textstream.hub.table import Limits, Streams
from textstream.protocol import FormatName, OnDisconnect, Rate, StreamDescription, UnitName
from textstream.reading.dispatcher import Dispatcher
from textstream.reading.reader import Reader
from textstream.reading.sink import Sink
from textstream.sources.base import Source, SourceRequest
from textstream.stream.life import State
from textstream.stream.log import ByteCount, Log
from textstream.stream.producer import Producer
from textstream.stream.stream import Stream
from textstream.threads import ThreadPool


class Hub:
    """All streams of this process.

    Locks, outermost first: ``_lock`` (the tables below), a stream's, its log's or the
    dispatcher's. A source's cancel callbacks and the log line run without any.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        pool: ThreadPool,
        new_log: Callable[[ByteCount], Log],
        clock: Callable[[], float],
        limits: Limits | None = None,
    ) -> None:
        """Make an empty hub.

        Args:
            dispatcher: serves the readers; somebody else runs it.
            pool: threads for the sources.
            new_log: makes an empty log, whose bytes it counts.
            clock: the dispatcher's clock, in seconds.
            limits: see `Limits`.

        """
        self._dispatcher = dispatcher
        # One of each for all readers: a bound method or a closure is 64 to 290 bytes.
        self._wake_reader = dispatcher.wake
        self._serve_run = dispatcher.add_run
        self._on_over = self._reader_over
        self._pool = pool
        self._clock = clock
        self._limits = limits or Limits()
        self._lock = threading.RLock()
        self._clients = Clients()
        self._closing = False
        self._streams = Streams(
            dispatcher=dispatcher,
            new_log=new_log,
            clock=clock,
            limits=self._limits,
            on_ended=self._disown,
        )

    # Starting and finding.

    def start(
        self,
        source: Source,
        request: SourceRequest,
        *,
        client: str,
        sink: Sink,
        unit: UnitName = "char",
        rate: Rate | None = None,
        format_: FormatName = "char",
        on_disconnect: OnDisconnect = "continue",
        request_id: str | None = None,
    ) -> Reader:
        """Start a stream and read it from its start.

        The same `request_id` from the same client attaches to the stream that it already
        started.

        Raises:
            ShuttingDown: the server is going down.
            TooManyStreams: the client's limit or the server's is reached.

        """
        with self._lock:
            if known := self._streams.requested(client, request_id):
                return self._again(known, client, sink, rate, format_)
            if self._closing:
                raise ShuttingDown("The server is going down. Try again in a moment.")
            self._check_own_limit(client, replacing=format_ == "char")
            stream = self._streams.create(
                source,
                unit=unit,
                rate=rate,
                owner=client,
                cancel=request.cancel,
                on_disconnect=on_disconnect,
                request_id=request_id,
            )
            replaced = self._replace_char_reader(client) if format_ == "char" else None
            self._clients.own(client, stream)
            reader = self._read(stream, client, sink, rate=rate, format_=format_)
        if replaced:
            replaced.stop("replaced")
        Producer(stream, source, request, self._pool).start()
        return reader

    def resume(
        self,
        stream_id: str,
        *,
        offset: int,
        client: str,
        sink: Sink,
        rate: Rate | None = None,
        format_: FormatName | None = None,
    ) -> Reader:
        """Read a stream from `offset`: after a reconnect, as a late viewer, or once more.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.
            OffsetGone: the text there was trimmed.
            InvalidRequest: the stream is not that long.

        """
        stream = self._streams.find(stream_id)
        with self._lock, stream.lock:
            _check_resumable(stream, offset)
            before = self._clients.remove_reader(client, stream_id)
            if before:
                # It stays on its connection: nothing to catch up with, it seeks.
                before.leave(may_return=False)
                format_ = format_ or before.format
            format_ = format_ or "char"
            replaced = self._replace_char_reader(client) if format_ == "char" else None
            if not before:  # seeking is no return
                self._clients.adopt(client, stream)
            reached = offset if before else stream.returning(offset)
            reader = self._read(
                stream, client, sink, offset=offset, reached=reached, rate=rate, format_=format_
            )
        if replaced:
            replaced.stop("replaced")
        return reader

    def reader(self, stream_id: str, client: str) -> Reader:
        """Return this client's reader of the stream.

        Raises:
            UnknownStream: there is no such stream, or this connection does not read it.

        """
        self._streams.find(stream_id)
        with self._lock:
            reader = self._clients.reader(client, stream_id)
        if reader is None:
            raise UnknownStream(
                "This connection does not read that stream (any more). Attach with resume_stream."
            )
        return reader

    def leave(self, stream_id: str, client: str) -> int:
        """Read a stream no longer on this connection; return where it stood. It goes on.

        Raises:
            UnknownStream: there is no such stream, or this connection does not read it.

        """
        reader = self.reader(stream_id, client)
        with self._lock:
            self._clients.remove_reader(client, stream_id)
        reader.leave()
        self._streams.watch(reader.stream)
        return reader.cursor

    def describe(self, stream_id: str) -> StreamDescription:
        """Say how a stream is now, to whoever may read it.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.

        """
        stream = self._streams.find(stream_id)
        with stream.lock:
            return StreamDescription(
                id=stream.id,
                source=stream.source,
                unit=stream.unit,
                state=stream.life.state.value,
                first=stream.log.first,
                next=stream.log.next,
                furthest=max(stream.furthest, stream.log.first),
                readers=len(stream.readers),
                reason=stream.ending.reason if stream.ending else None,
            )

    # Ending.

    def stop(self, stream_id: str) -> int:
        """Stop a stream for everyone; return the number of its units.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.

        """
        return self._streams.find(stream_id).stop("stopped")

    def stop_own(self, client: str) -> dict[str, int]:
        """Stop the running streams of this client; return the number of units of each."""
        with self._lock:
            own = self._clients.running(client)
        return {stream.id: stream.stop("stopped") for stream in own}

    def connect(self, client: str) -> None:
        """Take note of a connection."""
        with self._lock:
            self._clients.connect(client)

    def disconnect(self, client: str) -> None:
        """Take note that a connection is gone. Its streams go on for the time of grace."""
        with self._lock:
            record = self._clients.disconnect(client)
        for stream_id, cursor in record.finished.items():
            if stream := self._streams.get(stream_id):
                stream.depart(cursor)
        for reader in record.readers.values():
            reader.leave()
            self._streams.watch(reader.stream)

    def refuse_starts(self) -> None:
        """Take no more streams; those there are go on, and may be resumed."""
        with self._lock:
            self._closing = True

    def close(self, timeout: float) -> None:
        """Take no more streams, end all with ``shutdown``, wait up to `timeout` s for sources."""
        deadline = time.monotonic() + timeout
        self.refuse_starts()
        for stream in self._streams.all():
            stream.stop("shutdown")
        self._pool.close(deadline)

    @property
    def closing(self) -> bool:
        """Whether no more streams are taken."""
        return self._closing

    @property
    def settled(self) -> bool:
        """Whether every stream has ended and every reader was told."""
        with self._lock:  # a reader is let go of only after its stream_end was written
            return not self._clients.reading and all(s.ending for s in self._streams.all())

    @property
    def running_streams(self) -> int:
        """The number of streams that have not ended."""
        return self._streams.running

    # Inside. All with the hub's lock held, but for what the dispatcher calls.

    def _check_own_limit(self, client: str, *, replacing: bool) -> None:
        own = self._clients.running(client)
        if replacing and (reader := self._clients.char_reader(client)):
            own = [stream for stream in own if stream is not reader.stream]
        if len(own) >= self._limits.max_streams_per_client:
            raise TooManyStreams(
                f"This connection already runs {len(own)} streams, as many as it may. "
                "Stop one, or wait until one has ended."
            )

    def _read(
        self,
        stream: Stream,
        client: str,
        sink: Sink,
        *,
        rate: Rate | None,
        format_: FormatName,
        offset: int = 0,
        reached: int = 0,
    ) -> Reader:
        reader = Reader(
            stream,
            sink,
            offset=offset,
            reached=reached,
            rate=rate,
            format_=format_,
            now=self._clock(),
            wake=self._wake_reader,
            serve_run=self._serve_run,
            on_over=self._on_over,
            client=client,
        )
        stream.attach(reader)
        self._streams.read(stream)
        self._clients.add_reader(client, reader)
        reader.wake()
        return reader

    def _again(
        self, stream: Stream, client: str, sink: Sink, rate: Rate | None, format_: FormatName
    ) -> Reader:
        if reader := self._clients.reader(client, stream.id):
            return reader
        return self.resume(
            stream.id, offset=stream.log.first, client=client, sink=sink, rate=rate, format_=format_
        )

    def _replace_char_reader(self, client: str) -> Stream | None:
        """End the connection's reader in format ``char``: its characters carry no id.

        Return its stream if nobody else reads that; it is to be stopped without the lock.
        """
        reader = self._clients.char_reader(client)
        if not reader:
            return None
        reader.end_now("replaced")
        stream = reader.stream
        return stream if stream.readers <= {reader} else None

    def _reader_over(self, reader: Reader) -> None:
        with self._lock:
            self._clients.finish_reader(reader.client, reader)
        self._streams.watch(reader.stream)

    def _disown(self, stream: Stream) -> None:
        with self._lock:
            self._clients.disown(stream)


def _check_resumable(stream: Stream, offset: int) -> None:
    if stream.life.state is State.FORGOTTEN:
        raise UnknownStream("That stream was forgotten just now. Start a new one.")
    first, behind = stream.log.first, stream.log.next
    if offset < first:
        raise OffsetGone(
            f"The text before offset {first} was trimmed. Resume at {first} or later.", first=first
        )
    if offset > behind:
        raise InvalidRequest(f"offset: the stream has {behind} units so far, not {offset}.")
