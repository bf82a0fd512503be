"""The table of streams: makes them, finds them, logs their end, forgets them."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from textstream.errors import TooManyStreams, UnknownStream
from textstream.hub.retention import Retention
from textstream.protocol import OnDisconnect, Rate, UnitName
from textstream.reading.dispatcher import Dispatcher
from textstream.sources.base import CancelToken, Source
from textstream.stream.life import Life
from textstream.stream.log import ByteCount, Log
from textstream.stream.stream import Stream

logger = logging.getLogger("textstream.streams")

SHARED_REQUEST_ID = 16
"""Characters from which on a request id is taken for unguessable, as a UUID is.

It is then known across connections, so that a start is not done twice when the connection broke
before its answer came. A shorter one counts for its own connection only: two clients that both
count from 1 must not get each other's text.
"""

PACED_AHEAD = 2048
UNPACED_AHEAD = 16_384
"""Units that a source which is not live may run ahead, paced and unpaced.

Its text is there already. Taking all of it at once, for a thousand readers that come together,
would keep the first characters waiting that are due.
"""

TEXT_RATE = 30.0
"""Units per second of a source that is not live, when the client names no pace."""


@dataclass(frozen=True)
class Limits:
    """What is allowed. Units and defaults: `textstream.settings`."""

    max_streams: int = 10_000
    max_streams_per_client: int = 16
    lookahead: int = 65_536
    grace: float = 60.0
    retention: float = 300.0
    max_duration: float = 86_400.0
    max_units: int = 1_000_000
    max_total_bytes: int = 256 * 2**20


class Streams:
    """All streams of this process, running or kept for a while after their end.

    ``_lock`` guards the tables. The hub's lock and a stream's may be held when it is taken.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        new_log: Callable[[ByteCount], Log],
        clock: Callable[[], float],
        limits: Limits,
        on_ended: Callable[[Stream], None],
    ) -> None:
        """Make an empty table; `on_ended` is called in the dispatcher's thread, without locks."""
        self._dispatcher = dispatcher
        self._new_log = new_log
        self._clock = clock
        self._limits = limits
        self._on_ended = on_ended
        self._lock = threading.Lock()
        self._streams: dict[str, Stream] = {}
        self._running: dict[str, Stream] = {}
        self._requests: dict[str, Stream] = {}
        self._kept = ByteCount()
        self._retention = Retention(
            dispatcher=dispatcher,
            clock=clock,
            kept=self._kept,
            max_streams=limits.max_streams,
            max_bytes=limits.max_total_bytes,
            forget=self._forget,
        )

    def create(
        self,
        source: Source,
        *,
        unit: UnitName,
        rate: Rate | None,
        owner: str,
        cancel: CancelToken,
        on_disconnect: OnDisconnect,
        request_id: str | None,
    ) -> Stream:
        """Make a stream that nobody reads and nothing feeds yet.

        Raises:
            TooManyStreams: as many run as may, or they keep as much text as they may.

        """
        self._check_limits()
        default: Rate = "auto" if source.live else TEXT_RATE
        lookahead = self._limits.lookahead
        if not source.live:
            lookahead = min(lookahead, UNPACED_AHEAD if rate == 0 else PACED_AHEAD)
        stream = Stream(
            stream_id=secrets.token_urlsafe(16),
            source=source.name,
            unit=unit,
            rate=default if rate is None else rate,
            owner=owner,
            log=self._new_log(self._kept),
            life=Life(
                self._clock,
                grace=0.0 if on_disconnect == "cancel" else self._limits.grace,
                retention=self._limits.retention,
                longest=self._limits.max_duration,
            ),
            lookahead=lookahead,
            max_units=self._limits.max_units,
            cancel=cancel,
            on_end=self._end_soon,
        )
        key = _request_key(owner, request_id)
        with self._lock:
            self._streams[stream.id] = self._running[stream.id] = stream
            if key:
                stream.request_key = key
                self._requests[key] = stream
        self._retention.run(stream)
        return stream

    def get(self, stream_id: str) -> Stream | None:
        """Return the stream, if it is there."""
        return self._streams.get(stream_id)

    def find(self, stream_id: str) -> Stream:
        """Return the stream.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.

        """
        stream = self._streams.get(stream_id)
        if stream is None:
            raise UnknownStream(
                "No stream has this id. It never existed, or it ended more than "
                f"{self._limits.retention:g} s ago and was forgotten. Start a new one."
            )
        return stream

    def requested(self, client: str, request_id: str | None) -> Stream | None:
        """Return the stream that this request has already started, if it has."""
        key = _request_key(client, request_id)
        return self._requests.get(key) if key else None

    def all(self) -> list[Stream]:
        """Return every stream."""
        with self._lock:
            return list(self._streams.values())

    @property
    def running(self) -> int:
        """The number of streams that have not ended."""
        return len(self._running)

    def read(self, stream: Stream) -> None:
        """Take note that somebody reads the stream."""
        self._retention.read(stream)

    def watch(self, stream: Stream) -> None:
        """Take note that a reader has gone, or that the stream has ended."""
        self._retention.unread(stream)

    def _check_limits(self) -> None:
        if len(self._running) >= self._limits.max_streams:
            raise TooManyStreams(
                f"The server already runs {len(self._running)} streams, as many as it may "
                "(TEXTSTREAM_MAX_STREAMS). Try again later."
            )
        if not self._retention.make_room():
            raise TooManyStreams(
                "The server keeps as much text as it may (TEXTSTREAM_MAX_TOTAL_BYTES). "
                "Try again later."
            )

    def _end_soon(self, stream: Stream) -> None:
        # Called with the stream's lock held: the rest follows in the dispatcher's thread. But who
        # is told of the end may start the next one at once.
        with self._lock:
            self._running.pop(stream.id, None)
        self._dispatcher.call_at(float("-inf"), lambda: self._ended(stream))

    def _ended(self, stream: Stream) -> None:
        ending = stream.ending
        if ending:
            logger.info(
                "stream ended",
                extra={
                    "stream": stream.id,
                    "source": stream.source,
                    "unit": stream.unit,
                    "units": ending.offset,
                    "seconds": round(self._clock() - stream.life.created, 3),
                    "reason": ending.reason,
                    "sha256": ending.text_sha256,
                },
            )
        self._on_ended(stream)
        self.watch(stream)

    def _forget(self, stream: Stream) -> None:
        with self._lock:
            self._streams.pop(stream.id, None)
            if stream.request_key:
                self._requests.pop(stream.request_key, None)


def _request_key(client: str, request_id: str | None) -> str | None:
    if request_id is None or len(request_id) >= SHARED_REQUEST_ID:
        return request_id
    return f"{client} {request_id}"
