"""The lines of the log that tell how streams have ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from textstream.log_lines import CallAt, SoonLines
from textstream.loggable import fingerprint
from textstream.stream.stream import Stream

logger = logging.getLogger("textstream.streams")

SAID = "stream ended"


class EndLines:
    """Tells the log of each stream that has ended, soon."""

    def __init__(self, *, call_at: CallAt, clock: Callable[[], float]) -> None:
        """Tell nothing yet.

        Args:
            call_at: calls back at a time of the clock, with no lock held.
            clock: seconds, monotonic.

        """
        self._lines = SoonLines(logger, call_at=call_at, clock=clock)
        self._clock = clock

    def add(self, stream: Stream) -> None:
        """Tell of a stream that has ended. Locks may be held: nothing is written here."""
        if self._lines.wanted:
            seconds = self._clock() - stream.life.created
            self._lines.add(SAID, partial(_told, stream, seconds))


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
