"""Keeps the streams and the connections: the one observer of all streams, and what it knows."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from textstream.access.account import Holding
from textstream.access.clients import Clients
from textstream.access.principal import ANYBODY, Principal
from textstream.access.shares import Shares
from textstream.access.visits import FEW_SECONDS, Visit
from textstream.errors import Forbidden, ShuttingDown, TooManyStreams, UnknownStream
from textstream.hub.connections import Connections
from textstream.hub.end_lines import EndLines
from textstream.hub.entry import Entry
from textstream.hub.retention import Retention
from textstream.hub.table import StreamTable
from textstream.observe.streams import StreamFigures
from textstream.reading.dispatcher import Dispatcher
from textstream.reading.reader import Reader
from textstream.stream.attached import AttachedReader
from textstream.stream.start import StreamLimits
from textstream.stream.stream import Stream

OTHER_USER = "That token is somebody else's. Connect anew with it."


@dataclass(frozen=True)
class Limits(StreamLimits):
    """What is allowed. Units and defaults: `textstream.settings`."""

    max_streams: int = 10_000
    max_streams_per_client: int = 16


class Keeper:
    """All streams of this process, who reads them, and who owns them.

    ``_lock`` guards the tables: connections, streams, and what is to be forgotten. A stream's lock
    may be held when it is taken, never the other way round, and nothing is called under it but
    the dispatcher.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        clock: Callable[[], float],
        limits: Limits,
        clients: Clients | None = None,
    ) -> None:
        """Keep nothing yet; `clients` is who may have how much, by default everybody anything."""
        self.clients = clients or Clients(Shares(), clock)
        self.figures = StreamFigures()
        self._dispatcher = dispatcher
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._connections = Connections()
        self._lines = EndLines(call_at=dispatcher.call_at, clock=clock)
        self._table = StreamTable()
        self._closing = False
        self.elsewhere: Callable[[str], Stream | None] | None = None
        """Finds a stream that is not kept here, and may wait; None: there are no others."""
        self.on_left: Callable[[Stream, AttachedReader], None] | None = None
        """Told of a reader that has gone, with its stream's lock held; None: nobody is."""
        self._retention = Retention(
            self._table,
            lock=self._lock,
            call_at=dispatcher.call_at,
            clock=clock,
            kept=self.clients.account,
            max_streams=limits.max_streams,
        )
        # Called where text is added, with that stream's lock and its log's held. Once when a limit
        # is reached is enough: while it is passed, whatever ends, or is left, makes room.
        self.clients.tell(self._retention.make_room_soon)
        self._stranger = self.clients.stranger()  # for streams of connections that nobody announced

    # Streams.

    def visit(self, connection: str) -> Visit:
        """Return what is kept for a connection."""
        record = self._connections.records.get(connection)
        return (record.visit if record else None) or self._stranger

    def claim(
        self,
        stream: Stream,
        visit: Visit,
        *,
        key: str | None = None,
        holding: Holding | None = None,
        replacing: bool,
    ) -> Stream | None:
        """Add a new stream, with its lock held; return the one there is, if it was started before.

        Args:
            stream: it.
            visit: what it counts for.
            key: the request that starts it, where that has a name.
            holding: the text that was sent for it, until its source has finished.
            replacing: what its connection reads in format ``char`` does not count.

        Raises:
            ShuttingDown: the server is going down.
            TooManyStreams: its owner's limit, its address's or the server's is reached.

        """
        with self._lock:
            if key and (known := self._table.requested(key)):
                return known
            self._check_limits()
            replaced = 0
            if replacing and visit.user is not None:
                replaced = self._connections.replaced(stream.owner)
            self.clients.check_stream(visit, ending=replaced)
            most = self._limits.max_streams_per_client
            self._connections.add_stream(stream, most=most, replacing=replacing)
            self._table.add(stream, visit, request_key=key, holding=holding)
            self.clients.started(visit)
            if not self._retention.watches_longest:
                self._retention.watch_longest()
        self.figures.started.add(stream.source)
        return None

    def requested(self, key: str) -> Stream | None:
        """Return the stream that a request has already started, if it has."""
        return self._table.requested(key)

    def make_room(self, visit: Visit) -> None:
        """Forget what is too much, if that hinders a visitor; with no lock held."""
        for owner in (visit, visit.client):
            if owner.keeps_too_much:
                self._retention.make_room(owner)
        if visit.user is not None and visit.user.keeps_too_much:
            self._retention.make_room(visit.user)
        if self.clients.account.full:
            self._retention.make_room()

    def find(self, stream_id: str) -> Stream:
        """Return a stream.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.

        """
        entry = self._table.entry(stream_id)
        if entry is not None:
            return entry.stream
        found = self.elsewhere(stream_id) if self.elsewhere else None
        if found is None:
            raise UnknownStream(
                "No stream has this id. It never existed, or it ended more than "
                f"{self._limits.retention:g} s ago and was forgotten. Start a new one."
            )
        return found

    def kept(self, stream_id: str) -> Stream | None:
        """Return a stream that is kept here."""
        entry = self._table.entry(stream_id)
        return entry.stream if entry else None

    def adopt(self, stream: Stream, *, request_key: str | None) -> Stream:
        """Keep a stream of another process; return it, or the one that is kept of its id."""
        with self._lock:
            entry = self._table.entry(stream.id)
            if entry is not None:
                return entry.stream
            self._table.add(stream, self._stranger, request_key=request_key)
            self.clients.started(self._stranger)
            if not self._retention.watches_longest:
                self._retention.watch_longest()
            self._retention.count_down(stream)  # nobody reads it yet
        return stream

    def count_text(self, nbytes: int) -> None:
        """Count text that is kept for nobody in particular."""
        self._stranger.count_text(nbytes)

    def all(self) -> list[Stream]:
        """Return every stream."""
        with self._lock:
            return self._table.all()

    def refuse_starts(self) -> None:
        """Take no more streams; those there are go on, and may be resumed."""
        self._closing = True

    @property
    def closing(self) -> bool:
        """Whether no more streams are taken."""
        return self._closing

    @property
    def lack(self) -> Literal["streams", "bytes"] | None:
        """What there is as much of as may be; bytes that are left when all that may go has gone."""
        if len(self._table.running) >= self._limits.max_streams:
            return "streams"
        everybody = self.clients.account
        return "bytes" if everybody.total >= everybody.most else None

    @property
    def running(self) -> int:
        """The number of streams that have not ended."""
        return len(self._table.running)

    @property
    def settled(self) -> bool:
        """Whether every stream has ended and every reader was told."""
        with self._lock:  # a reader is let go of only after its stream_end was written
            return not self._table.running and not self._connections.reading

    # Connections.

    def connect(self, connection: str, visit: Visit | None, principal: Principal) -> None:
        """Add a connection."""
        with self._lock:
            record = self._connections.add(connection)
            record.visit, record.principal = visit, principal

    def connections_of(self, wanted: Callable[[Principal], bool]) -> list[str]:
        """Return the connections of those principals that are `wanted`."""
        with self._lock:
            records = list(self._connections.records.items())
        return [one for one, record in records if wanted(record.principal)]

    def detach(self, connection: str) -> None:
        """End all that a connection reads. It stays."""
        with self._lock:
            record = self._connections.records.get(connection)
            readers = list(record.readers.values()) if record else []
        for reader in readers:
            reader.leave()

    def entries(self) -> list[Entry]:
        """Return what is known of every stream."""
        with self._lock:
            return self._table.all_entries()

    def principal(self, connection: str) -> Principal:
        """Return who a connection is of, now."""
        record = self._connections.records.get(connection)
        return record.principal if record else ANYBODY

    def swap(self, connection: str, principal: Principal) -> None:
        """Let a connection be of the same principal, with what that one may from now on.

        Raises:
            Forbidden: it is another.

        """
        with self._lock:
            record = self._connections.records.get(connection)
            if record is None:
                return  # it is gone
            if record.principal.id != principal.id:
                raise Forbidden(OTHER_USER)
            record.principal = principal
            if record.visit is not None:
                self.clients.renew(record.visit, principal)

    def disconnect(self, connection: str) -> None:
        """Let go of all that a connection reads. Nobody owns its streams until a key is shown."""
        with self._lock:
            record = self._connections.remove(connection)
        if record.visit is not None and record.visit.user is not None:
            self.clients.sign_out(record.visit)
        for stream_id, cursor in record.finished.items():
            if entry := self._table.entry(stream_id):
                with entry.stream.lock:
                    entry.stream.departed.remember(cursor)
        for reader in record.readers.values():
            reader.leave()

    def reader(self, connection: str, stream_id: str) -> Reader | None:
        """Return the connection's reader of a stream, if it has one that goes on."""
        with self._lock:
            return self._connections.reader(connection, stream_id)

    def own(self, connection: str, stream: Stream) -> None:
        """Make the connection the owner of a stream; that stream's lock is held."""
        with self._lock:
            self._connections.own(connection, stream)

    def owned(self, connection: str) -> list[Stream]:
        """Return the running streams that the connection owns."""
        with self._lock:
            return self._connections.owned(connection)

    def ends_quickly(self, connection: str, stream_id: str | None = None) -> bool:
        """Return whether only quick sources are told of it, if what there is ends now.

        Args:
            connection: a start or a resume may end what it reads, a stop what it owns.
            stream_id: a stream to be stopped, in their place.

        """
        if stream_id is not None:
            entry = self._table.entry(stream_id)
            return entry is None or entry.stream.quick
        # No lock: what is found behind one would be as old by the time that it is told.
        return self._connections.are_quick(connection)

    # What the streams tell, with their lock held.

    def on_read(self, stream: Stream, reader: AttachedReader) -> None:
        """Note who reads it, and keep it."""
        with self._lock:
            if isinstance(reader, Reader):  # else it stands for those of another process
                self._connections.add_reader(reader)
            if stream.life.state == "ended":
                self._retention.keep(stream)

    def on_unread(self, stream: Stream, reader: AttachedReader) -> None:
        """Let go of the reader; of the stream, in time, if it was the last."""
        if self.on_left is not None:
            self.on_left(stream, reader)
        with self._lock:
            if isinstance(reader, Reader):
                self._connections.remove_reader(reader)
            if not stream.readers:
                self._retention.count_down(stream)

    def on_ended(self, stream: Stream) -> None:
        """Count it among the ended ones: who is told of the end may start the next at once."""
        with self._lock:
            self._connections.disown(stream)
            if entry := self._table.end(stream):
                self.clients.ended(entry.visit, entry.user)
                if entry.holding:
                    entry.holding.close()
            if stream.readers:
                if not self._retention.watches_lingering:
                    self._retention.watch_lingering()
            else:
                self._retention.count_down(stream)
        ending = stream.ending
        assert ending is not None  # noqa: S101 (it has ended)
        if not stream.counted:
            return
        self.figures.ended.add(stream.source, ending.reason)
        self._lines.add(stream)

    def on_forgotten(self, stream: Stream) -> None:
        """Forget its name too."""
        with self._lock:
            if entry := self._table.remove(stream):
                self.clients.forgotten(entry.visit, entry.user)

    # For the operator.

    def counts(self) -> dict[str, Any]:
        """Return how many connections, streams by state, and readers there are now."""
        with self._lock:
            connections, streams = len(self._connections), self._table.all()
        return {
            "connections": connections,
            "streams": dict(Counter(stream.life.state for stream in streams)),
            "readers": sum(len(stream.readers) for stream in streams),
        }

    # Inside.

    def _check_limits(self) -> None:
        """Refuse a start that is too much, with the lock held."""
        if self._closing:
            raise ShuttingDown("The server is going down. Try again in a moment.")
        lack = self.lack
        if lack == "streams":
            raise TooManyStreams(
                f"The server already runs {len(self._table.running)} streams, as many as it may "
                "(TEXTSTREAM_MAX_STREAMS). Try again later.",
                retry_after=FEW_SECONDS,
                scope="server",
            )
        if lack == "bytes":
            raise TooManyStreams(
                "The server keeps as much text as it may (TEXTSTREAM_MAX_TOTAL_BYTES). "
                "Try again later.",
                retry_after=FEW_SECONDS,
                scope="server",
            )
