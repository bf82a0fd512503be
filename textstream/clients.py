"""The connections: which streams each of them reads, and which it owns."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from textstream.stream import Stream
from textstream.subscription import Subscription

MAX_FINISHED = 64
"""Positions of ended readers remembered per connection: what to send at once if it comes back."""


@dataclass
class Client:
    """One connection, by stream id: its readers, where ended ones stood, what it owns and runs.

    An ended reader is not kept itself: it would keep its stream's text.
    """

    readers: dict[str, Subscription] = field(default_factory=dict)
    finished: OrderedDict[str, int] = field(default_factory=OrderedDict)
    streams: dict[str, Stream] = field(default_factory=dict)


class Clients:
    """All connections. Not thread-safe: the hub's lock guards it."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def connect(self, client: str) -> Client:
        """Return the record of a connection, a new one if need be."""
        return self._clients.setdefault(client, Client())

    def disconnect(self, client: str) -> Client:
        """Forget a connection; return its record."""
        return self._clients.pop(client, None) or Client()

    def reader(self, client: str, stream_id: str) -> Subscription | None:
        """Return the connection's reader of a stream, if it has one that goes on."""
        record = self._clients.get(client)
        reader = record.readers.get(stream_id) if record else None
        return reader if reader and reader.reading else None

    def char_reader(self, client: str) -> Subscription | None:
        """Return the connection's one reader in format ``char``, if it has one."""
        record = self._clients.get(client)
        readers = record.readers.values() if record else ()
        return next((r for r in readers if r.format == "char" and r.reading), None)

    @property
    def reading(self) -> bool:
        """Whether any connection reads any stream."""
        return any(record.readers for record in self._clients.values())

    def add_reader(self, client: str, reader: Subscription) -> None:
        """Add a reader."""
        record = self.connect(client)
        record.readers[reader.stream.id] = reader
        record.finished.pop(reader.stream.id, None)

    def remove_reader(self, client: str, stream_id: str) -> Subscription | None:
        """Remove and return the connection's reader of a stream, if it has one."""
        return self.connect(client).readers.pop(stream_id, None)

    def finish_reader(self, client: str, reader: Subscription) -> None:
        """Let go of a reader that is over; remember where it stood."""
        record = self._clients.get(client)
        if record is None or record.readers.get(reader.stream.id) is not reader:
            return  # the connection is gone, or reads the stream anew
        del record.readers[reader.stream.id]
        record.finished[reader.stream.id] = reader.cursor
        if len(record.finished) > MAX_FINISHED:
            record.finished.popitem(last=False)

    def own(self, client: str, stream: Stream) -> None:
        """Make the connection the owner of a running stream."""
        stream.owner = client
        self.connect(client).streams[stream.id] = stream

    def adopt(self, client: str, stream: Stream) -> None:
        """Make the connection the owner, if the stream runs and its owner has gone."""
        if stream.ending is None and stream.owner not in self._clients:
            self.own(client, stream)

    def disown(self, stream: Stream) -> None:
        """Forget the owner of a stream that has ended."""
        if record := self._clients.get(stream.owner):
            record.streams.pop(stream.id, None)

    def running(self, client: str) -> list[Stream]:
        """Return the running streams that the connection owns."""
        record = self._clients.get(client)
        return [s for s in record.streams.values() if s.ending is None] if record else []
