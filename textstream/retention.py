"""Ends and forgets streams that nobody reads, and streams that are too long, when it is time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from textstream.dispatcher import Dispatcher
from textstream.logs.base import ByteCount
from textstream.stream import Stream


class Retention:
    """Ends streams when their `Life` says so, and forgets them after their end.

    Ended and unread streams are forgotten earlier, oldest first, when there are more than
    `max_streams` of them, or when all streams together keep more than `max_bytes` bytes of text.

    ``_lock`` guards the tables; it may be taken with the hub's or a stream's lock held, and no
    other is taken while it is held.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        clock: Callable[[], float],
        kept: ByteCount,
        max_streams: int,
        max_bytes: int,
        forget: Callable[[Stream], None],
    ) -> None:
        """Keep nothing yet.

        Args:
            dispatcher: calls back when it is time.
            clock: its clock, in seconds.
            kept: bytes of text that all streams keep.
            max_streams: ended and unread streams, at most.
            max_bytes: of text, at most.
            forget: called, without the lock, for a stream whose text was let go of.

        """
        self._dispatcher = dispatcher
        self._clock = clock
        self._kept = kept
        self._max_streams = max_streams
        self._max_bytes = max_bytes
        self._forget = forget
        self._lock = threading.Lock()
        self._unread: dict[str, Stream] = {}
        self._ended: OrderedDict[str, Stream] = OrderedDict()  # and unread
        self._running: OrderedDict[str, Stream] = OrderedDict()  # oldest first
        self._timer = False  # one for the oldest of them: one for each would wait for a day

    def run(self, stream: Stream) -> None:
        """Take note of a new stream."""
        with self._lock:
            self._running[stream.id] = stream
            start, self._timer = not self._timer, True
        if start:
            self._dispatcher.call_at(stream.life.longest_until, self._end_longest)

    def unread(self, stream: Stream) -> None:
        """Take note that the last reader of a stream has gone, or that it has ended unread."""
        with stream.lock:
            due, ended = stream.life.due, stream.ending is not None
        if ended:
            with self._lock:
                self._running.pop(stream.id, None)
        if due is None:
            return  # one came just as the last one left; it is heard of when it goes
        with self._lock:
            self._unread[stream.id] = stream
            if ended:
                self._ended.setdefault(stream.id, stream)
        # The id, not the stream: a timer must not keep the text of one that was dropped early.
        stream_id = stream.id
        self._dispatcher.call_at(due, lambda: self._check(stream_id))
        self.make_room()

    def read(self, stream: Stream) -> None:
        """Take note that somebody reads a stream again."""
        with self._lock:
            self._unread.pop(stream.id, None)
            self._ended.pop(stream.id, None)

    def make_room(self) -> bool:
        """Forget what is too much; return whether there is room for another stream's text."""
        while True:
            with self._lock:
                count, full = len(self._ended), self._kept.total >= self._max_bytes
                if not self._ended or (count <= self._max_streams and not full):
                    return not full
                oldest = next(iter(self._ended.values()))
            self._drop(oldest)

    def _check(self, stream_id: str) -> None:
        stream = self._unread.get(stream_id)
        due = stream.life.due if stream else None
        if stream is None or due is None or due > self._clock():
            return  # was read meanwhile, or has ended: there is a later check, or one when it goes
        if stream.ending is None:
            stream.stop("expired")  # comes back through unread() as ended
        else:
            self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        self.read(stream)
        if stream.forget():
            self._forget(stream)

    def _end_longest(self) -> None:
        now = self._clock()
        too_long = []
        with self._lock:
            while self._running:
                oldest = next(iter(self._running.values()))
                if oldest.life.longest_until > now:
                    break
                too_long.append(self._running.pop(oldest.id))
            self._timer = bool(self._running)
            if self._timer:
                self._dispatcher.call_at(oldest.life.longest_until, self._end_longest)
        for stream in too_long:
            stream.stop("expired")
