"""The connections: which streams each of them reads, and which it owns."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import cast

from textstream.reading.reader import Reader
from textstream.stream.stream import Stream

MAX_FINISHED = 64
"""Positions of ended readers remembered per connection: what to send at once if it comes back."""


@dataclass
class Client:
    """One connection, by stream id: its readers, where ended ones stood, what it owns and runs.

    An ended reader is not kept itself: it would keep its stream's text. `number` grows from one
    connection to the next.
    """

    number: int = 0
    readers: dict[str, Reader] = field(default_factory=dict)
    finished: OrderedDict[str, int] = field(default_factory=OrderedDict)
    streams: dict[str, Stream] = field(default_factory=dict)


class Clients:
    """All connections. Not thread-safe: the hub's lock guards it."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._numbers = itertools.count(1)
        self._inherited: set[str] = set()  # running streams whose owner did not ask for them

    def connect(self, client: str) -> Client:
        """Return the record of a connection, a new one if need be."""
        record = self._clients.get(client)
        if record is None:
            record = self._clients[client] = Client(next(self._numbers))
        return record

    def disconnect(self, client: str) -> Client:
        """Forget a connection, hand on what it owns; return its record."""
        record = self._clients.pop(client, None) or Client()
        for stream in record.streams.values():
            self._hand_on(stream, record)
        return record

    def reader(self, client: str, stream_id: str) -> Reader | None:
        """Return the connection's reader of a stream, if it has one that goes on."""
        record = self._clients.get(client)
        reader = record.readers.get(stream_id) if record else None
        return reader if reader and reader.reading else None

    def char_reader(self, client: str) -> Reader | None:
        """Return the connection's one reader in format ``char``, if it has one."""
        record = self._clients.get(client)
        readers = record.readers.values() if record else ()
        return next((r for r in readers if r.format == "char" and r.reading), None)

    @property
    def reading(self) -> bool:
        """Whether any connection reads any stream."""
        return any(record.readers for record in self._clients.values())

    def add_reader(self, client: str, reader: Reader) -> None:
        """Add a reader."""
        record = self.connect(client)
        record.readers[reader.stream.id] = reader
        record.finished.pop(reader.stream.id, None)

    def remove_reader(self, client: str, stream_id: str) -> Reader | None:
        """Remove and return the connection's reader of a stream, if it has one."""
        return self.connect(client).readers.pop(stream_id, None)

    def finish_reader(self, client: str, reader: Reader) -> None:
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
        self.disown(stream)
        stream.owner = client
        self.connect(client).streams[stream.id] = stream

    def adopt(self, client: str, stream: Stream) -> None:
        """Make the connection the owner if the stream runs and its owner has gone.

        Called when it resumes what it does not read already. An owner that has only inherited it
        is no hindrance: it may be a viewer, and this the owner that is back.
        """
        orphaned = stream.owner not in self._clients or stream.id in self._inherited
        if stream.ending is None and orphaned and stream.owner != client:
            self.own(client, stream)

    def disown(self, stream: Stream) -> None:
        """Forget the owner of a stream: it has ended, or gets another."""
        self._inherited.discard(stream.id)
        if record := self._clients.get(stream.owner):
            record.streams.pop(stream.id, None)

    def running(self, client: str) -> list[Stream]:
        """Return the running streams that the connection owns."""
        record = self._clients.get(client)
        return [s for s in record.streams.values() if s.ending is None] if record else []

    def _hand_on(self, stream: Stream, gone: Client) -> None:
        """Let the likeliest successor of an owner that has gone inherit a running stream.

        A connection may break without the server's knowledge, and the next one resume before
        this one times out: it was no owner then. Among those that read the stream, it is the one
        that connected last: after the other broke, when viewers were there already. By the
        order of attaching it would be any viewer that sought since. One that is older than
        `gone` is none.

        It may be a viewer all the same. So what was inherited is not handed on, and goes to the
        next that resumes (see `adopt`).
        """
        if stream.ending is not None or stream.id in self._inherited:
            return
        heir, latest = None, gone.number
        with stream.lock:
            for reader in cast("set[Reader]", stream.readers):  # a hub's are no others
                record = self._clients.get(reader.client)
                if record and record.number > latest and reader.reading:
                    heir, latest = reader.client, record.number
        if heir is not None:
            self.own(heir, stream)
            self._inherited.add(stream.id)
