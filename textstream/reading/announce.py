"""What a reader is told about its stream: that it begins, that something is wrong, that it ends."""

from __future__ import annotations

from typing import Any

from textstream.protocol import (
    STREAM_END,
    STREAM_ERROR,
    STREAM_START,
    FormatName,
    Rate,
    StreamEnd,
    StreamInfo,
)
from textstream.reading.sink import Sink
from textstream.stream.life import Ending
from textstream.stream.stream import Stream


def info(stream: Stream, *, rate: Rate, format_: FormatName, offset: int) -> dict[str, Any]:
    """Return the payload of ``stream_start`` for a reader that begins at `offset`."""
    if isinstance(rate, float) and rate.is_integer():
        rate = int(rate)
    return StreamInfo(
        id=stream.id,
        source=stream.source,
        unit=stream.unit,
        rate=rate,
        format=format_,
        offset=offset,
    ).model_dump()


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
        StreamEnd(
            id=stream_id,
            reason=ending.reason,
            offset=ending.offset,
            text_sha256=ending.text_sha256,
        ).model_dump(),
    )
