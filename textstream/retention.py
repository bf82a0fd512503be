"""How long a stream that nobody reads is kept: time of grace, retention, bound in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from textstream.dispatcher import Dispatcher
from textstream.stream import Stream


class Retention:
    """Ends unread streams after `grace` seconds, forgets ended ones after `retention` more.

    Ended and unread streams are forgotten earlier, oldest first, when there are more than
    `max_streams` of them or they keep more than `max_bytes` bytes of text.

    ``_lock`` guards the table; it may be taken with the hub's or a stream's lock held.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        clock: Callable[[], float],
        grace: float,
        retention: float,
        max_streams: int,
        max_bytes: int,
        forget: Callable[[Stream], None],
    ) -> None:
        """Keep nothing yet; `forget` is called, without the lock, for what is to be dropped."""
        self._dispatcher = dispatcher
        self._clock = clock
        self._grace = grace
        self._retention = retention
        self._max_streams = max_streams
        self._max_bytes = max_bytes
        self._forget = forget
        self._lock = threading.Lock()
        self._unread: dict[str, tuple[Stream, float]] = {}  # with since when
        self._ended: OrderedDict[str, tuple[Stream, int]] = OrderedDict()  # unread, with bytes
        self._bytes = 0

    def unread(self, stream: Stream) -> None:
        """Take note that nobody reads `stream` now, or that an unread stream has ended."""
        now = self._clock()
        ended = stream.ending is not None
        with self._lock:
            self._unread[stream.id] = (stream, now)
            if ended and stream.id not in self._ended:
                nbytes = stream.log.nbytes
                self._ended[stream.id] = (stream, nbytes)
                self._bytes += nbytes
            surplus = self._surplus()
        wait = self._retention if ended else self._grace
        # The id, not the stream: a timer must not keep the text of one that was dropped early.
        stream_id = stream.id
        self._dispatcher.call_at(now + wait, lambda: self._check(stream_id, now))
        for other in surplus:
            self._drop(other)

    def read(self, stream: Stream) -> None:
        """Take note that somebody reads `stream` again."""
        with self._lock:
            self._unread.pop(stream.id, None)
            self._bytes -= self._ended.pop(stream.id, (stream, 0))[1]

    def _check(self, stream_id: str, since: float) -> None:
        with self._lock:
            stream, latest = self._unread.get(stream_id, (None, since))
            if stream is None or latest != since:
                return  # was read meanwhile, or has ended: there is a later check
        if stream.has_readers:
            self.read(stream)  # one came just as the last one left; it is heard of when it goes
        elif stream.ending is None:
            stream.stop("expired")  # comes back through unread() as ended
        else:
            self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        self.read(stream)
        self._forget(stream)

    def _surplus(self) -> list[Stream]:
        surplus = []
        count, nbytes = len(self._ended), self._bytes
        for stream, size in self._ended.values():
            if count <= self._max_streams and nbytes <= self._max_bytes:
                break
            surplus.append(stream)
            count -= 1
            nbytes -= size
        return surplus
