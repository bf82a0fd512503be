"""The body of an API's response, as it comes, read as what it is. Pure, and bounded in memory.

Its first character tells what it is, not its ``Content-Type``, which is missing or wrong too often:
JSON begins with a brace or a bracket, HTML with "<", and neither can begin a server-sent event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from textstream.errors import SourceFailed, TextStreamError
from textstream.sources.base import Finished
from textstream.sources.chat_answer import Answer, is_whole
from textstream.sources.sse import MAX_EVENT_BYTES, EventTooLong, SseDecoder

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_SPACES = re.compile(r"\s*")
_ATTEMPTS = 64


class AnswerBody:
    """Takes the bytes of a response and gives the text in them.

    What `feed` and `close` yield is text, or "" where the model is at work and has said nothing.
    """

    def __init__(self, content_type: str = "", *, limit: int = MAX_EVENT_BYTES) -> None:
        """Expect a body of whatever kind.

        Args:
            content_type: as the response says; only for what to say of an empty one.
            limit: the most bytes kept of one event, or of one JSON document.

        """
        self._limit = limit
        self._named_stream = "event-stream" in content_type.lower()
        self._answer = Answer()
        self._start: bytes | None = b""  # what came before the kind was known
        self._sse = SseDecoder(limit)
        self._json: _Documents | None = None
        self._foreign = False  # HTML

    @property
    def finished(self) -> bool:
        """Whether a ``finish_reason`` came, so that only the end is missing."""
        return self._answer.finished

    @property
    def over(self) -> bool:
        """Whether nothing that follows need be read."""
        return self._answer.done or self._foreign

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield what `data` adds. To be iterated to its end before the next.

        Raises:
            SourceFailed: the API reports an error, or sends what makes no sense.

        """
        if self._start is not None:
            data = self._begin(self._start + data)
        if not data or self._foreign:
            return
        try:
            if self._json:
                yield from self._said(self._json.feed(data))
                if data.strip(_SPACE):
                    yield ""
            else:
                yield from self._said(self._sse.feed(data))
        except EventTooLong:
            raise SourceFailed(
                f"The API sent more than {self._limit} bytes without an end of the record. "
                "Check TEXTSTREAM_OPENAI_BASE_URL."
            ) from None

    def close(self) -> Iterator[str]:
        """Yield what was still waiting for its end; to be called when nothing more comes.

        A record that was cut says nothing: that the answer was cut is said by `ending`.

        Raises:
            SourceFailed: as `feed`.

        """
        if self._json:
            yield from self._said(self._json.read())
        elif not self._foreign:
            yield from self._said(event for event in self._sse.close() if is_whole(event))

    def ending(self, failure: TextStreamError | None = None) -> Finished:
        """Return how the answer ended.

        Args:
            failure: what ended the connection, if it was not the API. It counts only if the answer
                was not whole.

        Raises:
            SourceFailed: it failed, was cut off, has no text, or is none at all.

        """
        if failure and not (self._answer.finished or self._answer.done):
            raise failure
        cut = self._json.unread if self._json else self._named_stream and not self._foreign
        if not (self._answer.begun or cut):
            raise SourceFailed(
                "What answers is no OpenAI-compatible API. Check TEXTSTREAM_OPENAI_BASE_URL."
            )
        return self._answer.ending()

    def _begin(self, data: bytes) -> bytes:
        """Find out what it is; return what is to be read. Blank lines in front say nothing."""
        text = data.removeprefix(_BOM).lstrip(_SPACE)
        if not text or _BOM.startswith(data):
            self._start = data[: len(_BOM)] if _BOM.startswith(data) else b""
            return b""
        self._start = None
        if text.startswith((b"{", b"[")):
            self._json = _Documents(self._limit)
        self._foreign = text.startswith(b"<")
        return text

    def _said(self, items: Iterator[Any]) -> Iterator[str]:
        for item in items:
            for one in item if isinstance(item, list) else [item]:
                text = self._answer.read(one)
                if text is not None:
                    yield text


class _Documents:
    """JSON documents, one behind the other: one in most cases, or one in each line."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._attempts = 0
        self._decoder = json.JSONDecoder()

    @property
    def unread(self) -> bool:
        """Whether the beginning of a document is waiting for its end."""
        return bool(self._kept)

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield the documents that are whole, now and then: `read` yields the others."""
        if len(self._kept) + len(data) > self._limit:
            raise EventTooLong
        self._kept += data
        # Not at each bracket: a large document would be parsed over and over.
        if data.rstrip(_SPACE).endswith((b"}", b"]")) and self._attempts < _ATTEMPTS:
            self._attempts += 1
            for value in self.read():
                self._attempts = 0
                yield value

    def read(self) -> Iterator[Any]:
        """Yield the documents that are whole, and keep the rest."""
        text, at = self._kept.decode("utf-8", "replace").lstrip(), 0
        while at < len(text):
            try:
                value, end = self._decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                break
            at = _SPACES.match(text, end).end()  # type: ignore[union-attr]  # it matches nothing too
            yield value
        self._kept = bytearray(text[at:].encode())
