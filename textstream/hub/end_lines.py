"""The lines of the log that tell how streams have ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from textstream.hub.retention import NOW
from textstream.log_lines import HELD_SECONDS, Line, holder_of
from textstream.loggable import fingerprint
from textstream.stream.stream import Stream

logger = logging.getLogger("textstream.streams")

SAID = "stream ended"


class EndLines:
    """Tells the log of each stream that has ended, soon."""

    def __init__(
        self,
        *,
        call_at: Callable[[float, Callable[[], None]], None],
        clock: Callable[[], float],
    ) -> None:
        """Tell nothing yet.

        Args:
            call_at: calls back at a time of the clock, with no lock held.
            clock: seconds, monotonic.

        """
        self._call_at = call_at
        self._clock = clock

    def add(self, stream: Stream) -> None:
        """Tell of a stream that has ended. Locks may be held: nothing is written here."""
        if not logger.isEnabledFor(logging.INFO):
            return
        now = self._clock()
        told = partial(_told, stream, now - stream.life.created)
        holder = holder_of(logger)
        if holder is None:
            self._call_at(NOW, partial(_log, told))
        elif holder.hold(Line(time.time(), logger.name, SAID, told)):
            self._call_at(now + HELD_SECONDS, holder.flush)


def _told(stream: Stream, seconds: float) -> dict[str, Any]:
    ending = stream.ending
    assert ending is not None  # noqa: S101 (it has ended)
    return {
        "stream": fingerprint(stream.id),
        "source": stream.source,
        "unit": stream.unit,
        "units": ending.offset,
        "seconds": round(seconds, 3),
        "reason": ending.reason,
        "sha256": ending.text_sha256,
    }


def _log(told: Callable[[], dict[str, Any]]) -> None:
    # Not by `info`: that looks through the stack for who calls it, for each stream that ends.
    record = logger.makeRecord(
        logger.name, logging.INFO, __file__, 0, SAID, (), None, "_log", told()
    )
    logger.handle(record)
