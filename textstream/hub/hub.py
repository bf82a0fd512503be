"""What clients ask for: start a stream, attach to one, stop it, let go of it; and going down.

A *connection* owns the streams it started, and those whose key it has shown (see
``access.policy``), and reads each stream at most once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from textstream.access.clients import Clients
from textstream.access.grants import Grants
from textstream.access.policy import Policy, owns
from textstream.access.principal import ANYBODY, Principal, Scope
from textstream.access.visits import Visit
from textstream.errors import InvalidRequest, NotReading
from textstream.hub.directory import Directory
from textstream.hub.joining import check_resumable, describe
from textstream.hub.keeper import Keeper, Limits
from textstream.hub.oversight import Oversight
from textstream.hub.sharing import Sharing
from textstream.hub.starter import Starter
from textstream.hub.table import request_key
from textstream.protocol import FormatName, Rate, StreamDescription
from textstream.reading.dispatcher import Dispatcher
from textstream.reading.reader import Reader
from textstream.reading.sink import Sink
from textstream.stream.log import NewLog
from textstream.stream.pools import Pools
from textstream.stream.start import Start
from textstream.stream.stream import Stream

__all__ = ["Hub", "Limits"]


class Hub:
    """All streams of this process. A source's cancel callbacks are called without any lock."""

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        pools: Pools,
        new_log: NewLog,
        clock: Callable[[], float],
        limits: Limits | None = None,
        clients: Clients | None = None,
        policy: Policy | None = None,
        grants: Grants | None = None,
        directory: Directory | None = None,
    ) -> None:
        """Make an empty hub.

        Args:
            dispatcher: serves the readers; somebody else runs it.
            pools: threads for the sources.
            new_log: makes an empty log.
            clock: the dispatcher's clock, in seconds.
            limits: see `Limits`.
            clients: who may have how much; by default everybody anything.
            policy: who may what.
            grants: makes and reads those of streams that are shared.
            directory: knows the streams of other processes; None: there are none.

        """
        self._dispatcher = dispatcher
        self._policy = policy or Policy()
        self.pools = pools
        self._clock = clock
        limits = limits or Limits()
        self.connections = self._keeper = Keeper(
            dispatcher, clock=clock, limits=limits, clients=clients
        )
        self._directory = directory
        self._starter = Starter(
            self._keeper,
            dispatcher,
            pools,
            new_log=new_log,
            clock=clock,
            limits=limits,
            directory=directory,
        )
        self.sharing = Sharing(
            self._keeper,
            dispatcher,
            self._policy,
            grants=grants or Grants(),
            clock=clock,
            directory=directory,
        )
        if directory is not None:
            directory.serve(self._keeper, on_access=self.sharing.dismiss)
        self.counts = self._keeper.counts
        self.oversight = Oversight(self._keeper)
        self.figures = self._keeper.figures

    # Starting and finding.

    def start(self, start: Start, *, connection: str, sink: Sink) -> Reader:
        """Start a stream and read it from its start.

        The same ``request_id`` of the same principal attaches to the stream that it already
        started.

        Raises:
            InvalidRequest: the ``request_id`` has started another stream.
            ShuttingDown: the server is going down.
            TooManyStreams: the connection's limit, its address's, the source's or the server's is
                reached.
            RateLimited: the connection, or its address, starts too many.
            Unauthorized, Forbidden: see `Policy.check`.

        """
        principal = self._keeper.principal(connection)
        if principal is not ANYBODY:
            self._policy.check(principal, "start", start.source.name)
        key = request_key(principal, connection, start.request_id) if start.request_id else None
        if key and (known := self._keeper.requested(key)):
            return self._start_again(known, start, connection, sink)
        made = self._starter.make(start, key, connection, sink, principal=principal)
        if isinstance(made, Stream):
            return self._start_again(made, start, connection, sink)
        self._begin_reading(made.reader)
        self._starter.produce(made)
        return made.reader

    def resume(
        self,
        stream_id: str,
        *,
        offset: int,
        connection: str,
        sink: Sink,
        rate: Rate | None = None,
        format_: FormatName | None = None,
        key: str | None = None,
        grant: str | None = None,
    ) -> Reader:
        """Read a stream from `offset`: after a reconnect, as a late viewer, or once more.

        With the stream's `key`, or as the principal that has started it, the connection owns it
        from then on. With a `grant` it may read it, for as long as that is good.

        Raises:
            Unauthorized, Forbidden: see `Policy.check_read`.
            UnknownStream: there is none of this id, or it was forgotten.
            OffsetGone: the text there was trimmed.
            InvalidRequest: the stream is not that long.

        """
        principal = self._ask(connection)
        stream = self._keeper.find(stream_id)
        if self._directory is not None:
            stream = self._directory.ready(stream, offset)
        with stream.lock:
            # Within it: else `unshare` could end what lets it in before it is among the readers.
            granted = self.sharing.check_read(stream, principal, connection, key=key, grant=grant)
            is_own = owns(stream, principal, connection, key)
            check_resumable(stream, offset)
            if is_own:
                self._keeper.own(connection, stream)
            before = self._keeper.reader(connection, stream_id)
            if before:
                # It stays on its connection: nothing to catch up with, it seeks.
                reached, format_ = offset, format_ or before.format
            else:
                reached, format_ = stream.departed.recall(offset), format_ or "char"
            reader = Reader(
                stream,
                sink,
                self._dispatcher,
                now=self._clock(),
                connection=connection,
                offset=offset,
                reached=reached,
                rate=rate,
                format_=format_,
            )
            stream.attach(reader)
            if before:
                before.leave(may_return=False)
            self.sharing.watch(stream, connection, granted)
        self.figures.resumed.add()
        self._begin_reading(reader)
        return reader

    def reader(self, stream_id: str, connection: str) -> Reader:
        """Return this connection's reader of the stream.

        Raises:
            Unauthorized: see `Policy.check`.
            UnknownStream: there is no such stream.
            NotReading: this connection does not read it.

        """
        self._ask(connection)
        reader = self._keeper.reader(connection, stream_id)
        if reader is None:
            if self._directory is None:  # else it could be anywhere, and here nobody waits
                self._keeper.find(stream_id)
            raise NotReading(
                "This connection does not read that stream (any more). Attach with resume_stream."
            )
        return reader

    def leave(self, stream_id: str, connection: str) -> int:
        """Read a stream no longer on this connection; return where it stood. It goes on.

        Raises:
            UnknownStream: there is no such stream.
            NotReading: this connection does not read it.

        """
        reader = self.reader(stream_id, connection)
        reader.leave()
        return reader.cursor

    def describe(
        self, stream_id: str, connection: str, *, key: str | None = None, grant: str | None = None
    ) -> StreamDescription:
        """Say how a stream is now, to whoever may read it.

        Raises:
            Unauthorized, Forbidden: see `Policy.check_read`.
            UnknownStream: there is none of this id, or it was forgotten.

        """
        principal = self._ask(connection)
        stream = self._keeper.find(stream_id)
        if grant is not None or not self._keeper.reader(connection, stream_id):
            # Who reads it may, by whatever lets it.
            self.sharing.check_read(stream, principal, connection, key=key, grant=grant)
        described = describe(stream)
        return self._directory.describe(stream, described) if self._directory else described

    # Ending.

    def stop(self, stream_id: str, connection: str, key: str | None = None) -> int:
        """Stop a stream for everyone; return the number of its units.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.
            Unauthorized, Forbidden: it is not the connection's to stop.

        """
        stream = self._keeper.find(stream_id)
        principal = self._keeper.principal(connection)
        self._policy.check_control(stream, principal, connection, key)
        return stream.stop("stopped")

    def stop_own(self, connection: str) -> dict[str, int]:
        """Stop the running streams of this connection; return the number of units of each.

        Raises:
            Unauthorized, Forbidden: see `Policy.check`.

        """
        self._ask(connection, "control")
        own = self._keeper.owned(connection)
        return {stream.id: stream.stop("stopped") for stream in own}

    def connect(
        self, connection: str, visit: Visit | None = None, principal: Principal = ANYBODY
    ) -> None:
        """Add a connection of a principal; `visit` is what is kept for it.

        By default nobody in particular's.
        """
        self._keeper.connect(connection, visit, principal)

    def disconnect(self, connection: str) -> None:
        """Let go of all that a connection reads. Its streams go on for the time of grace."""
        self._keeper.disconnect(connection)

    def refuse_starts(self) -> None:
        """Take no more streams; those there are go on, and may be resumed."""
        self._keeper.refuse_starts()
        if self._directory is not None:
            self._directory.release()

    def close(self, timeout: float) -> None:
        """Take no more streams, end all with ``shutdown``, wait up to `timeout` s for sources."""
        deadline = time.monotonic() + timeout
        self.refuse_starts()
        for stream in self._keeper.all():
            stream.stop("shutdown")
        self.pools.close(deadline)

    @property
    def is_shared(self) -> bool:
        """Whether other processes have streams of the same, so that it may wait for them."""
        return self._directory is not None

    @property
    def closing(self) -> bool:
        """Whether no more streams are taken."""
        return self._keeper.closing

    @property
    def lack(self) -> Literal["streams", "bytes"] | None:
        """What the server has as much of as it may, so that it takes no more streams."""
        return self._keeper.lack

    @property
    def settled(self) -> bool:
        """Whether every stream has ended and every reader was told."""
        return self._keeper.settled

    @property
    def running_streams(self) -> int:
        """The number of streams that have not ended."""
        return self._keeper.running

    # Inside.

    def _ask(self, connection: str, scope: Scope | None = None) -> Principal:
        """Return who a connection is of, if that one may.

        Raises:
            Unauthorized, Forbidden: see `Policy.check`.

        """
        principal = self._keeper.principal(connection)
        if principal is not ANYBODY:
            self._policy.check(principal, scope)
        return principal

    def _start_again(self, stream: Stream, start: Start, connection: str, sink: Sink) -> Reader:
        """Attach to the stream that a start has already made."""
        if stream.digest != start.digest:
            raise InvalidRequest(
                "request_id: it has started a stream already, with another payload. "
                "Take a new one for each start; the same again is for the same start."
            )
        with stream.lock:  # it may be about to be read for the first time
            reader = self._keeper.reader(connection, stream.id)
        return reader or self.resume(
            stream.id,
            offset=stream.log.first,
            connection=connection,
            sink=sink,
            rate=start.rate,
            format_=start.format,
        )

    def _begin_reading(self, reader: Reader) -> None:
        """Have a reader served, in the place of the connection's other one in format ``char``.

        A stream that nobody else reads ends with it. Without any lock: that calls its source.
        """
        before, reader.replaces = reader.replaces, None
        if before:
            before.end_now("replaced")
            self._dispatcher.wake(reader)  # behind that
        else:
            self._dispatcher.begin(reader)
        if before and before.stream.readers <= {before}:
            before.stream.stop("replaced")
