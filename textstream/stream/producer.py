"""Runs a stream's source: iterates its generator and appends units to the stream.

A producer that is ahead of its readers does not keep a thread: it leaves its open generator
where it is, gives the thread back, and comes back to it, on whichever thread, when a reader has
moved on. So ten thousand paced streams of long texts need no ten thousand threads.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator

from textstream.errors import SourceFailed, TextStreamError
from textstream.loggable import fingerprint, log_exception
from textstream.protocol import EndReason
from textstream.sources.base import SourceRequest
from textstream.stream.feed import CallAt, new_feed
from textstream.stream.start import Start
from textstream.stream.stream import Stream
from textstream.threads import ThreadPool

logger = logging.getLogger("textstream.producer")


BATCH = 1024
"""Code points of a source that is not live which are appended together.

Its text is there already: taking the stream's lock for each word of it gains nobody anything.
"""


class Producer:
    """Moves one stream's text from its source to its log."""

    def __init__(
        self,
        stream: Stream,
        start: Start,
        pool: ThreadPool,
        *,
        clock: Callable[[], float],
        call_at: CallAt,
    ) -> None:
        """Make a producer.

        Args:
            stream: what to append to.
            start: whose source to ask, for what.
            pool: threads for the sources.
            clock: seconds, monotonic.
            call_at: calls back at a time of that clock.

        """
        self._stream = stream
        self._source = source = start.source
        self._request: SourceRequest | None = start.request
        self._pool = pool
        self._generator: Iterator[str] | None = None
        self._feed = new_feed(stream, live=source.live, clock=clock, call_at=call_at)

    def start(self) -> None:
        """Begin: at once if the text is there already, else on a thread of the pool."""
        if self._source.immediate:
            self._run(moves=1)
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._pool.submit(self._run)

    def _run(self, moves: float = math.inf) -> None:
        try:
            reason = self._iterate(moves)
        except BaseException as error:  # noqa: BLE001 (SystemExit too: its readers must be told)
            self._broke(error)
        else:
            if reason:
                self._stream.finish(reason)

    def _iterate(self, moves: float) -> EndReason | None:
        """Move text until the source ends (return why), or must wait or stop (return None).

        After so many `moves` it goes on in the pool.
        """
        if self._request is not None:
            # The prompt is the source's now, to keep or to let go.
            request, self._request = self._request, None
            self._stream.begin()
            self._generator = iter(self._source.generate(request))
            del request
        else:
            self._feed.go_on()
        while not self._stream.cancel.cancelled and not self._stream.log.ending:
            if self._stream.hold(self._go_on):
                return None
            if not moves:
                self._go_on()
                return None
            moves -= 1
            assert self._generator is not None  # noqa: S101 (made above)
            reason = self._move(self._generator)
            if reason:
                return reason
        self._close()
        return None

    def _move(self, generator: Iterator[str]) -> EndReason | None:
        """Move a delta to the log, or some at once if nobody waits for each; say if it ended."""
        deltas: list[str] = []
        reason: EndReason | None = None
        try:
            left = 0 if self._source.live else min(BATCH, self._stream.lookahead // 8) - 1
            while left >= 0:
                delta = next(generator)
                if not isinstance(delta, str):
                    self._close()
                    raise SourceFailed(
                        f"The source {self._source.name} yielded {type(delta).__name__}, not str."
                    )
                deltas.append(delta)
                left -= max(1, len(delta))
        except StopIteration as stop:
            reason = "length" if stop.value == "length" else "completed"
        finally:  # also what came before a failure
            if reason:
                self._feed.finish(deltas)
            else:
                self._feed.append(deltas)
        return reason

    def _broke(self, error: BaseException) -> None:
        shown = fingerprint(self._stream.id)
        if self._stream.cancel.cancelled:
            # What it was waiting for was taken away: no failure, whatever it raised.
            said = "stream %s: a cancelled source raised something"
            log_exception(logger, said, shown, error=error, level=logging.DEBUG)
            return
        name = self._source.name
        if isinstance(error, TextStreamError):
            # What a source of ours says names no prompt. What a user's says may.
            log_exception(
                logger, "stream %s: %s", shown, error.code, error=error, level=logging.WARNING
            )
        else:
            log_exception(logger, "stream %s: source %s failed", shown, name, error=error)
            error = SourceFailed(
                f"The source {name} failed ({type(error).__name__}). The server's log says more."
            )
        self._feed.finish()
        self._stream.finish("error", error)

    def _close(self) -> None:
        close = getattr(self._generator, "close", None)
        if close:
            close()
