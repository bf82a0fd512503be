"""Server-sent events out of bytes: pure, and bounded in memory.

By the rules of the WHATWG (HTML, 9.2.6 "Interpreting an event stream"), with one exception:
see `SseDecoder.close`. The fields ``id`` and ``retry`` serve a browser that connects again; nobody
does here, so they are read over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 8 * 2**20
"""The longest line, and the most data of one event, in bytes: what one stream keeps by default."""

_BOM = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """A line or an event's data is longer than the decoder keeps."""


@dataclass(frozen=True)
class Event:
    """One event: its data, the lines joined by LF, and its type, "" where none was named."""

    data: str
    type: str = ""


class SseDecoder:
    """Takes the bytes as they come and gives the events that they complete.

    However the bytes are cut, also inside a line end or a character, the events are the same.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._line = bytearray()  # of the line that has not ended
        self._first = True  # no line has ended yet: a BOM may stand in front
        self._after_cr = False  # the last byte was a CR: a LF belongs to it
        self._data: list[str] = []
        self._data_bytes = 0
        self._type = ""

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events that `data` completes. To be iterated to its end before the next.

        Raises:
            EventTooLong: before it would keep more than its limit.

        """
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        for piece in data.splitlines(keepends=True):  # of bytes: at CR, LF and CRLF, no others
            text = piece.rstrip(b"\r\n")
            if len(self._line) + len(text) > self._limit:
                raise EventTooLong
            self._line += text
            if len(text) < len(piece):
                yield from self._end_of_line()

    def close(self) -> Iterator[Event]:
        """Yield the event that lacks only its line end or its blank line. To be called at the end.

        The rules drop it: it might be cut. Servers do end behind ``data: [DONE]``, and of JSON it
        is plain to see whether it is whole, so what it says is not thrown away.
        """
        if self._line:
            yield from self._end_of_line()
        yield from self._dispatch()

    def _end_of_line(self) -> Iterator[Event]:
        line = bytes(self._line)
        self._line.clear()
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            yield from self._dispatch()
            return
        field, _, value = line.partition(b":")  # a comment's field is ""
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data_bytes += len(value) + 1
            if self._data_bytes > self._limit:
                raise EventTooLong
            self._data.append(value.decode("utf-8", "replace"))
        elif field == b"event":
            self._type = value.decode("utf-8", "replace")

    def _dispatch(self) -> Iterator[Event]:
        data, type_ = self._data, self._type
        self._data, self._data_bytes, self._type = [], 0, ""
        if data:  # a record without data is none; one with an empty `data:` is
            yield Event("\n".join(data), type_)
