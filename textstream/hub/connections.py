"""The connections: which streams each of them reads, and which it owns."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from textstream.access.principal import ANYBODY, Principal
from textstream.access.visits import Visit
from textstream.errors import TooManyStreams
from textstream.reading.reader import Reader
from textstream.stream.stream import Stream

MAX_FINISHED = 64
"""Positions of ended readers remembered per connection: what to send at once if it comes back."""


@dataclass(slots=True)
class Record:
    """One connection, by stream id: its readers, where ended ones stood, what it owns and runs.

    An ended reader is not kept itself: it would keep its stream's text. `char` is the last of its
    readers in format ``char``. `visit` is what is kept for it, and for its address. `principal` is
    who it is of, now.
    """

    visit: Visit | None = None
    principal: Principal = ANYBODY
    readers: dict[str, Reader] = field(default_factory=dict)
    finished: OrderedDict[str, int] = field(default_factory=OrderedDict)
    streams: dict[str, Stream] = field(default_factory=dict)
    char: Reader | None = None


class Connections:
    """All connections. Not thread-safe: the hub's lock guards it. Calls nothing of a stream's."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.records)

    def add(self, connection: str) -> Record:
        """Return the record of a connection, a new one if need be."""
        record = self.records.get(connection)
        if record is None:
            record = self.records[connection] = Record()
        return record

    def remove(self, connection: str) -> Record:
        """Forget a connection; return its record."""
        return self.records.pop(connection, None) or Record()

    # What it reads.

    def reader(self, connection: str, stream_id: str) -> Reader | None:
        """Return the connection's reader of a stream, if it has one that goes on."""
        record = self.records.get(connection)
        reader = record.readers.get(stream_id) if record else None
        return reader if reader and reader.reading else None

    @property
    def reading(self) -> bool:
        """Whether any connection reads any stream, or was not told yet that it has ended."""
        return any(record.readers for record in self.records.values())

    def add_reader(self, reader: Reader) -> None:
        """Add a reader; where both are in format ``char``, in the place of the one before.

        Their characters carry no id: one of them must be ended, without the hub's lock.
        """
        record = self.add(reader.connection)
        record.readers[reader.stream.id] = reader
        record.finished.pop(reader.stream.id, None)
        if reader.format == "char":
            before, record.char = record.char, reader
            if before and before.reading:
                reader.replaces = before

    def remove_reader(self, reader: Reader) -> None:
        """Remove a reader; remember where it stood if it was told of the end."""
        record = self.records.get(reader.connection)
        if record is None:
            return  # the connection is gone
        if record.char is reader:
            record.char = None
        if record.readers.get(reader.stream.id) is not reader:
            return  # it reads the stream anew
        del record.readers[reader.stream.id]
        if reader.left:
            return
        record.finished[reader.stream.id] = reader.cursor
        if len(record.finished) > MAX_FINISHED:
            record.finished.popitem(last=False)

    # What it owns.

    def add_stream(self, stream: Stream, *, most: int, replacing: bool) -> None:
        """Add a new stream to those that its owner runs.

        Args:
            stream: the stream.
            most: how many that may be.
            replacing: whether one does not count that it reads in format ``char``.

        Raises:
            TooManyStreams: there are so many already.

        """
        record = self.add(stream.owner)
        running = len(record.streams)
        if replacing and record.char:
            running -= self.replaced(stream.owner)
        if running >= most:
            raise TooManyStreams(
                f"This connection already runs {running} streams, as many as it may. "
                "Stop one, or wait until one has ended.",
                scope="connection",
            )
        record.streams[stream.id] = stream

    def replaced(self, connection: str) -> int:
        """Return how many of its streams end when a connection begins another one: 1 or 0."""
        record = self.records.get(connection)
        before = record.char if record else None
        return int(
            bool(record and before and before.reading and before.stream.id in record.streams)
        )

    def own(self, connection: str, stream: Stream) -> None:
        """Make the connection the owner of a stream, if that still runs."""
        if stream.ending is None and stream.owner != connection:
            self.disown(stream)
            stream.owner = connection
            self.add(connection).streams[stream.id] = stream

    def disown(self, stream: Stream) -> None:
        """Forget the owner of a stream: it has ended, or gets another."""
        if record := self.records.get(stream.owner):
            record.streams.pop(stream.id, None)

    def owned(self, connection: str) -> list[Stream]:
        """Return the running streams that the connection owns."""
        record = self.records.get(connection)
        return list(record.streams.values()) if record else []

    def are_quick(self, connection: str) -> bool:
        """Return whether all streams are that the connection owns, and that it may replace.

        Any thread, without the lock: it goes through a copy, which is made in one step.
        """
        record = self.records.get(connection)
        if record is None:
            return True
        read = record.char
        if read is not None and not read.stream.quick:
            return False
        return not record.streams or all(stream.quick for stream in list(record.streams.values()))
