"""Where readers' units go: a connection of ours, or plain ``socketio.emit``."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from flask_socketio import SocketIO

from textstream.loggable import fingerprint
from textstream.protocol import NEW_CHAR, STREAM_CHUNK, FormatName, stream_chunk
from textstream.reading.chunks import UNIT_BYTES
from textstream.reading.run import SHORTEST
from textstream.reading.sink import MAX_CHUNK_BYTES, Event, Ready, Waiting
from textstream.stream.log import text_of
from textstream.transport.connection import Connection
from textstream.transport.frames import EventFrames, event_frame
from textstream.transport.session_queue import SessionQueue

logger = logging.getLogger("textstream.sink")

MAX_QUEUED = 1024
"""Packets in a queue of Engine.IO's own above which its readers are held back."""

MAX_QUEUED_CHUNKS = 16
"""The same in format ``chunk``: of what one poll takes."""

ESCAPED = 6
"""Bytes of JSON for a byte of text, at most: ``\\u0001``. python-socketio writes ASCII."""

EVENT_BYTES = 512
"""Of an event and its packet beside the text, at most."""

FRAME_BYTES = 20
"""Of ``new_char`` with one ASCII character."""

MAX_BLOCKS = 64
"""Blocks remembered: those of readers at a few paces, who came at a few moments.

With hundreds of streams of one reader each none is asked for twice, and the memory is for nothing.
"""

CHAR_FRAMES = EventFrames(NEW_CHAR)
"""The frames of ``new_char``: the same bytes for every reader of the process."""


class Blocks:
    """The frames of the blocks that were asked for last: readers of one stream share them.

    Used in the dispatcher's thread only.
    """

    def __init__(self, frames: EventFrames) -> None:
        self._frames = frames
        self._blocks: OrderedDict[tuple[str, int, int], tuple[bytes, ...]] = OrderedDict()

    def frames(self, stream_id: str, offset: int, units: Sequence[str]) -> tuple[bytes, ...]:
        """Return a frame for each of `units`, the first of which has `offset` in the stream."""
        key = (stream_id, offset, len(units))
        known = self._blocks.get(key)
        if known is None:
            known = self._blocks[key] = self._frames.all(units)
            if len(self._blocks) > MAX_BLOCKS:
                self._blocks.popitem(last=False)
        return known


CHAR_BLOCKS = Blocks(CHAR_FRAMES)


def make_chunk(stream_id: str, offset: int, units: Sequence[str]) -> dict[str, Any]:
    """Return the payload of ``stream_chunk``."""
    return stream_chunk(stream_id, offset, offset + len(units), text_of(units))


class NoQueue:
    """Stands in for the queue of a session that is gone."""

    connection = None


NO_QUEUE = NoQueue()


class EmitSink:
    """Emits to one connection; holds back while much waits in its Engine.IO queue.

    For any transport and any async mode.
    """

    __slots__ = ("_queue", "_session", "_sid", "_socketio")  # one for each reader

    def __init__(self, socketio: SocketIO, sid: str) -> None:
        self._socketio = socketio
        self._sid = sid
        server = socketio.server
        self._session = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))
        self._queue = self._session.queue if self._session else NO_QUEUE

    def room(self, format_: FormatName) -> int:
        """Return what the client's queue would take: 0 also while the client does not poll."""
        if self._session is None or self._session.closed:
            return 0
        queue = self._session.queue
        if not isinstance(queue, SessionQueue):
            return _room_by_count(int(queue.qsize()), format_)
        left = queue.room
        if format_ == "char":
            return left // (EVENT_BYTES + ESCAPED * UNIT_BYTES)
        return min(MAX_CHUNK_BYTES, max(0, left - EVENT_BYTES) // ESCAPED)

    def wake_with_room(self, who: Waiting) -> bool:
        """Wake `who` with the poll that makes room, where the queue is one of ours."""
        queue = self._session.queue if self._session else None
        return isinstance(queue, SessionQueue) and queue.wake_with_room(who)

    def write_units(
        self,
        stream_id: str,
        format_: FormatName,
        offset: int,
        units: Sequence[str],
        *,
        before: Sequence[Event] = (),
        after: Sequence[Event] = (),
    ) -> None:
        """Emit an event per unit, or one for all."""
        for event in before:
            self._emit(*event)
        if format_ == "char":
            for unit in units:
                self._emit(NEW_CHAR, unit)
        else:
            self._emit(STREAM_CHUNK, make_chunk(stream_id, offset, units))
        for event in after:
            self._emit(*event)

    def write_event(self, event: Event) -> None:
        """Emit an event."""
        self._emit(*event)

    def prepare(
        self,
        stream_id: str,  # noqa: ARG002 (these are a sink's)
        offset: int,  # noqa: ARG002
        units: Sequence[str],  # noqa: ARG002
        done: int,  # noqa: ARG002
    ) -> Ready | None:
        """Return None: what is emitted is encoded as it goes."""
        return None

    def _emit(self, event: str, payload: object) -> None:
        try:
            self._socketio.emit(event, payload, to=self._sid)
        except Exception as error:  # noqa: BLE001 (a closing connection raises what it likes)
            # The disconnect handler takes its readers away; nothing is lost, they may return.
            logger.debug("not emitted to %s: %r", fingerprint(self._sid), error)


def _room_by_count(queued: int, format_: FormatName) -> int:
    """Return the room in a queue that counts packets, not bytes."""
    if format_ == "char":
        return MAX_QUEUED - queued
    return MAX_CHUNK_BYTES if queued < MAX_QUEUED_CHUNKS else 0


class ConnectionSink(EmitSink):
    """Writes ready-made frames, straight to the socket, once the client has one of ours.

    Until then (a client that polls, or has not upgraded yet) it emits.
    """

    __slots__ = ()

    def room(self, format_: FormatName) -> int:
        """Return what it would take now; 0 until it has come to what it was sent.

        A chunk has a ping behind it where it is as large as a burst, and so is no larger.
        """
        connection: Connection | None = self._queue.connection
        if connection is None:
            return super().room(format_)
        if not connection.ready:
            return 0
        window = connection.window
        if format_ == "chunk":
            return min(window.room, window.burst)
        return window.room // FRAME_BYTES + 1

    def write_units(
        self,
        stream_id: str,
        format_: FormatName,
        offset: int,
        units: Sequence[str],
        *,
        before: Sequence[Event] = (),
        after: Sequence[Event] = (),
    ) -> None:
        """Write a frame per unit, or one for all, and the events' own in the same send."""
        connection: Connection | None = self._queue.connection
        if connection is None:
            super().write_units(stream_id, format_, offset, units, before=before, after=after)
            return
        if format_ == "char":
            frames: Sequence[bytes] = CHAR_FRAMES.all(units)
        else:
            frames = (event_frame(STREAM_CHUNK, make_chunk(stream_id, offset, units)),)
        first = last = b""  # no generators: mostly there is one event, or none
        for event in before:
            first += event_frame(*event)
        for event in after:
            last += event_frame(*event)
        part = connection.window.burst // FRAME_BYTES + 1  # so that pings go between them
        while len(frames) > part:
            connection.write_units(b"".join(frames[:part]), before=first)
            frames, first = frames[part:], b""
        connection.write_units(b"".join(frames), before=first, after=last)

    def write_event(self, event: Event) -> None:
        """Write a frame."""
        connection: Connection | None = self._queue.connection
        if connection is None:
            super().write_event(event)
        else:
            connection.write(event_frame(*event))

    def prepare(self, stream_id: str, offset: int, units: Sequence[str], done: int) -> Ready | None:
        """Return frames for as many units as may go without a ping, once there is a connection.

        Nothing is sent beside them until they have gone. If they closed the window, no ping would
        be behind them, and the client would be taken for one that does not read.
        """
        connection: Connection | None = self._queue.connection
        if connection is None or not connection.ready:
            return None
        frames = CHAR_BLOCKS.frames(stream_id, offset, units)
        window = connection.window
        most = min(window.burst, window.room - 1)
        sizes = list(accumulate(map(len, frames[done:])))
        count = bisect_right(sizes, most)
        if count < min(SHORTEST, len(sizes)):
            return None
        connection.announce(sizes[count - 1])
        return Ready(frames if count == len(sizes) else frames[: done + count], connection)
