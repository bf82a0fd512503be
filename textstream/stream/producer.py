"""Runs a stream's source: iterates its generator and appends units to the stream.

A producer that is ahead of its readers, or whose source waits, does not keep a thread: it leaves
its open generator where it is, gives the thread back, and comes back to it, on whichever thread,
when a reader has moved on or the wait is over. So ten thousand paced streams of long texts need no
ten thousand threads.

The source's code runs in one context of its own, a copy of that of whoever started the stream:
what it sets, nobody else sees, and it finds it again on the next thread. Only the source's code:
were the producer's own in there, two threads might be in it at once for a moment, when one lets
go and another goes on.
"""

from __future__ import annotations

import contextvars
import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

from textstream.errors import SourceFailed, TextStreamError
from textstream.loggable import fingerprint, log_exception
from textstream.protocol import EndReason
from textstream.sources.base import Source, SourceRequest, Wait
from textstream.stream.feed import CallAt, new_feed
from textstream.stream.pools import Pools
from textstream.stream.resumption import Resumption
from textstream.stream.start import Start
from textstream.stream.stream import Stream

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
        pools: Pools,
        *,
        clock: Callable[[], float],
        call_at: CallAt,
    ) -> None:
        """Make a producer.

        Args:
            stream: what to append to.
            start: whose source to ask, for what.
            pools: threads for the sources.
            clock: seconds, monotonic.
            call_at: calls back at a time of that clock.

        """
        self._stream = stream
        self._source = source = start.source
        self._request: SourceRequest | None = start.request
        self._caller = start.request.caller
        self._blocking = source.blocking and not source.immediate
        self._pools = pools
        self._within: Callable[..., Any] = (
            contextvars.copy_context().run if source.contextual else _call
        )
        self._generator: Iterator[str | Wait] | None = None
        # Whether the next move is made in the thread that starts the stream: of one delta then.
        self._first = source.immediate
        self._resumption: Resumption | None = None  # made for who waits: most sources do not
        self._feed = new_feed(stream, live=source.live, clock=clock, call_at=call_at)

    def start(self) -> None:
        """Begin: at once if the text is there already, else on a thread of the pool."""
        if self._source.immediate:
            self._run(moves=1)
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._pools.submit(self._run, self._caller, blocking=self._blocking)

    def _release(self) -> None:
        self._pools.submit(self._run_again, self._caller, blocking=self._blocking)

    def _run_again(self) -> None:
        """Come back to a source that was held: from now on it may rest."""
        self._feed.go_on()
        self._run()

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
            self._generator = self._within(_generate, self._source, request)
            del request
        while not self._stream.cancel.cancelled and not self._stream.log.ending:
            if self._stream.hold(self._release):
                return None
            if not moves:
                self._go_on()
                return None
            moves -= 1
            met = self._move()
            if isinstance(met, Wait):
                if not met.is_over:
                    self._await(met)
                    return None
            elif met:
                return met
        self._within(_close, self._generator)
        return None

    def _await(self, wait: Wait) -> None:
        """Leave the source until its wait is over, or cancelled: the last that a thread does."""
        if self._resumption is None:
            self._resumption = Resumption(self._stream.cancel)
        self._resumption.after(wait, self._go_on)

    def _move(self) -> EndReason | Wait | None:
        """Move a delta to the log, or some at once if nobody waits for each.

        Return how the source ended, or what it waits for.
        """
        deltas: list[str] = []
        met: EndReason | Wait | None = None
        try:
            met = self._within(self._take, deltas)
        finally:  # also what came before a failure
            if isinstance(met, str):
                self._feed.finish(deltas)
            else:
                self._feed.append(deltas)
        return met

    def _take(self, deltas: list[str]) -> EndReason | Wait | None:
        """Put what the source yields into `deltas`; for a move, in the source's context."""
        generator, left = self._generator, 0
        assert generator is not None  # noqa: S101 (for the type checker)
        if not self._source.live and not self._first:
            left = min(BATCH, self._stream.lookahead // 8) - 1
        self._first = False
        try:
            while left >= 0:
                delta = next(generator)
                if isinstance(delta, Wait):
                    return delta
                if not isinstance(delta, str):
                    _close(generator)
                    raise SourceFailed(
                        f"The source {self._source.name} yielded {type(delta).__name__}, not str."
                    )
                deltas.append(delta)
                left -= max(1, len(delta))
        except StopIteration as stop:
            return "length" if stop.value == "length" else "completed"
        return None

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


def _call(function: Callable[..., Any], *args: Any) -> Any:
    """Call it as it is: where a source has no context of its own."""
    return function(*args)


def _generate(source: Source, request: SourceRequest) -> Iterator[str | Wait]:
    return iter(source.generate(request))


def _close(generator: object) -> None:
    """Close a source's generator, in its context; an iterator of another kind need have no end."""
    close = getattr(generator, "close", None)
    if close:
        close()
