"""What a reader is told about its stream: that it begins, that something is wrong, that it ends."""

from __future__ import annotations

from typing import Any

from textstream.protocol import (
    STREAM_END,
    STREAM_ERROR,
    STREAM_START,
)
from textstream.reading.sink import Sink
from textstream.stream.log import Ending


def start(sink: Sink, payload: dict[str, Any]) -> None:
    """Write ``stream_start``."""
    sink.write_event(STREAM_START, payload)


def error(sink: Sink, stream_id: str, problem: dict[str, Any]) -> None:
    """Write ``stream_error``: the protocol's error object, with the stream's id."""
    sink.write_event(STREAM_ERROR, {"id": stream_id, **problem})


def end(sink: Sink, stream_id: str, ending: Ending) -> None:
    """Write ``stream_end``, and before it what went wrong."""
    if ending.error:
        error(sink, stream_id, ending.error)
    sink.write_event(
        STREAM_END,
        {
            "id": stream_id,
            "reason": ending.reason,
            "offset": ending.offset,
            "text_sha256": ending.text_sha256,
        },
    )
