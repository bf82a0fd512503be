"""What a reader is told about its stream: that it begins, that something is wrong, that it ends.

Events are made here and written by the reader's step, together with the units beside them.
"""

from __future__ import annotations

from typing import Any

from textstream.errors import OffsetGone
from textstream.protocol import (
    STREAM_END,
    STREAM_ERROR,
    STREAM_START,
    STREAM_WAITING,
    stream_end,
    stream_error,
    stream_waiting,
)
from textstream.reading.sink import Event
from textstream.stream.log import Ending


def start(payload: dict[str, Any]) -> Event:
    """Return ``stream_start``."""
    return Event(STREAM_START, payload)


def waiting(stream_id: str, position: int) -> Event:
    """Return ``stream_waiting``: which place it has in the line of its source."""
    return Event(STREAM_WAITING, stream_waiting(stream_id, position))


def error(stream_id: str, problem: dict[str, Any]) -> Event:
    """Return ``stream_error``: the protocol's error object, with the stream's id."""
    return Event(STREAM_ERROR, stream_error(stream_id, problem))


def end(stream_id: str, ending: Ending | None, lost: OffsetGone | None) -> tuple[Event, ...]:
    """Return what a reader is told last; nothing while it goes on.

    Of one that has `lost` its place the stream itself does not end.
    """
    if lost is not None:
        return (error(stream_id, lost.to_wire()),)
    if ending is None:
        return ()
    told = stream_end(stream_id, ending.reason, ending.offset, ending.text_sha256)
    over = Event(STREAM_END, told)
    return (error(stream_id, ending.error), over) if ending.error else (over,)
