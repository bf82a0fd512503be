"""The connections: which streams each of them reads, and which it owns."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from textstream.stream import Stream
from textstream.subscription import Subscription

MAX_FINISHED_READERS = 64
"""Ended readers remembered per connection, for what to send at once when they come back."""


@dataclass
class Client:
    """One connection: its readers, and the running streams it owns, by stream id."""

    readers: OrderedDict[str, Subscription] = field(default_factory=OrderedDict)
    streams: dict[str, Stream] = field(default_factory=dict)


class Clients:
    """All connections. Not thread-safe: the hub's lock guards it."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def connect(self, client: str) -> Client:
        """Return the record of a connection, a new one if need be."""
        return self._clients.setdefault(client, Client())

    def disconnect(self, client: str) -> list[Subscription]:
        """Forget a connection; return its readers, ended ones too."""
        record = self._clients.pop(client, None)
        return list(record.readers.values()) if record else []

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

    def add_reader(self, client: str, reader: Subscription) -> None:
        """Add a reader, and forget the oldest ended one when there are many."""
        readers = self.connect(client).readers
        readers[reader.stream.id] = reader
        readers.move_to_end(reader.stream.id)
        if len(readers) > MAX_FINISHED_READERS:
            for stream_id in [key for key, old in readers.items() if old.over][:1]:
                del readers[stream_id]

    def remove_reader(self, client: str, stream_id: str) -> Subscription | None:
        """Remove and return the connection's reader of a stream, if it has one."""
        return self.connect(client).readers.pop(stream_id, None)

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
