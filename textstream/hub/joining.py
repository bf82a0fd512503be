"""What whoever may join a stream is told of it, and whether that can be done."""

from __future__ import annotations

from textstream.errors import InvalidRequest, OffsetGone, UnknownStream
from textstream.protocol import StreamDescription
from textstream.stream.stream import Stream


def describe(stream: Stream) -> StreamDescription:
    """Say how a stream is now."""
    with stream.lock:
        return StreamDescription(
            id=stream.id,
            source=stream.source,
            unit=stream.unit,
            state=stream.life.state,
            first=stream.log.first,
            next=stream.log.next,
            furthest=max(stream.furthest, stream.log.first),
            readers=stream.reader_count,
            reason=stream.ending.reason if stream.ending else None,
        )


def check_resumable(stream: Stream, offset: int) -> None:
    """Refuse an offset that nobody can read from, with the stream's lock held.

    Raises:
        UnknownStream: the stream was forgotten.
        OffsetGone: the text there was trimmed.
        InvalidRequest: the stream is not that long.

    """
    if stream.life.state == "forgotten":
        raise UnknownStream("That stream was forgotten just now. Start a new one.")
    first, behind = stream.log.first, stream.log.next
    if offset < first:
        raise OffsetGone(
            f"The text before offset {first} was trimmed. Resume at {first} or later.", first=first
        )
    if offset > behind:
        raise InvalidRequest(f"offset: the stream has {behind} units so far, not {offset}.")
