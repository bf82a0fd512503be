"""What the client knows about one stream that it reads. No I/O, no threads, no lock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from textstream.client.assembler import Assembler, OutOfStep
from textstream.client.wire_errors import not_understood
from textstream.errors import Forbidden, OffsetGone, StreamFailed, TextStreamError
from textstream.protocol import (
    RESUME_STREAM,
    START_STREAM,
    EndReason,
    Rate,
    StreamChunk,
    StreamEnd,
    StreamInfo,
)

HIGH_WATER = 262_144
LOW_WATER = 65_536
"""Code points that wait for the consumer: above the one the server pauses, below it goes on.

Pausing, and not blocking the thread that reads the socket: that one answers the server's
heartbeats, and serves the other streams of the connection.
"""

MAX_FUTILE_RESUMES = 5
"""Resumes in a row that brought nothing new, after which the stream has failed."""

# These reasons end the stream at its last unit; the others at any point.
_AT_THE_END: frozenset[EndReason] = frozenset(("completed", "length", "error"))


@dataclass(frozen=True)
class Chunk:
    """A piece of the text.

    Attributes:
        offset: its first unit, counted from the start of the text.
        next: the unit after its last.
        text: the units, joined.
        at: when it arrived, in seconds of ``time.monotonic()``.

    """

    offset: int
    next: int
    text: str
    at: float


@dataclass(frozen=True)
class StreamResult:
    """How a stream ended.

    Attributes:
        reason: why; see the protocol.
        offset: the number of its units in all.
        text_sha256: SHA-256 of the whole text, hex; empty when the server did not say.
        verified: whether this reader has all of the text and its hash is the same. False also
            when it began, or was stopped, in the middle.

    """

    reason: EndReason
    offset: int
    text_sha256: str
    verified: bool


@dataclass(eq=False)
class Reader:
    """The state of one stream on its way to one consumer.

    Attributes:
        request: what starts it, or None when it was started before.
        id: its id, once known.
        key: makes whoever shows it the stream's owner; None: not known here.
        grant: lets whoever shows it read the stream; None: there is none.
        assembler: the text so far, and the next unit due.
        rate: the pace asked for last; None: the server's choice.
        info: what the server said at the first attach.
        paused: whether the consumer wants it to stand still.
        stopping: whether it is to be stopped.
        unstoppable: why the server did not stop it: it is somebody else's.
        left: whether the consumer has left it, and the stream goes on.
        asked: whether a start or a resume was ever sent.
        attached: whether the connection that is open now reads it.
        resuming: whether a start or a resume was sent and not answered yet.
        server_paused: whether the server was told to stand still.
        adjusting: whether a pause or its end was sent and not answered yet.
        error: the reason of a failure; raised after the text that came before it.
        result: set at the end.
        over: whether nothing more will come.
        position: its place in the line of its source, 1 is next; 0: it does not wait for one.
        told_position: the one that was told to who wants to know.

    """

    request: dict[str, Any] | None = None
    id: str | None = None
    key: str | None = None
    grant: str | None = None
    assembler: Assembler = field(default_factory=Assembler)
    rate: Rate | None = None
    info: StreamInfo | None = None
    paused: bool = False
    stopping: bool = False
    unstoppable: TextStreamError | None = None
    left: bool = False
    asked: bool = False
    attached: bool = False
    resuming: bool = False
    server_paused: bool = False
    adjusting: bool = False
    error: TextStreamError | None = None
    result: StreamResult | None = None
    over: bool = False
    position: int = 0
    told_position: int = 0
    _full: bool = False
    _chunks: deque[Chunk] = field(default_factory=deque)
    _waiting: int = 0  # code points in _chunks
    _futile: int = 0

    def attach_request(self) -> tuple[str, dict[str, Any]]:
        """Return the event and payload that make a new connection read this stream."""
        if self.id is None:
            return START_STREAM, dict(self.request or {})
        payload: dict[str, Any] = {
            "id": self.id,
            "offset": self.assembler.offset,
            "format": "chunk",
        }
        if self.rate is not None:
            payload["rate"] = self.rate
        if self.grant is not None:
            payload["grant"] = self.grant
        return RESUME_STREAM, payload | self.shown_key

    @property
    def shown_key(self) -> dict[str, str]:
        """What a payload has of the key: nothing, where it is not known."""
        return {} if self.key is None else {"key": self.key}

    def attaching(self) -> None:
        """Forget what was asked of the server's reader: the attach that is sent makes a new one."""
        self.asked = self.resuming = True
        self.server_paused = self.adjusting = False

    def started(self, info: StreamInfo, key: object = None, position: object = None) -> None:
        """Take the server's answer to a start, which has a key, or to a resume."""
        self.position = position if isinstance(position, int) else 0
        self.id = info.id
        if isinstance(key, str):
            self.key = key
        self.info = self.info or info
        self.attached, self.resuming = True, False
        if self.rate is None:
            self.rate = info.rate

    def refused(self, error: TextStreamError) -> None:
        """Take the server's refusal of a start or a resume."""
        self.resuming = False
        self.fail(error)

    def detached(self) -> None:
        """Wait for the next connection: this one is lost."""
        self.attached = self.resuming = False
        self.position = 0
        self.server_paused = self.adjusting = False

    def chunk(self, chunk: StreamChunk, at: float) -> bool:
        """Take a chunk; return whether the stream has to be resumed at the offset due."""
        if self.over:
            return False
        try:
            text = self.assembler.accept(chunk.offset, chunk.next, chunk.text)
        except OutOfStep:
            return self._must_resume()
        except ValueError as error:
            self.fail(not_understood(str(error)))
            return False
        if text:
            self._futile = self.position = 0
            self._chunks.append(Chunk(chunk.offset, chunk.next, text, at))
            self._waiting += len(text)
        return False

    def end(self, end: StreamEnd) -> bool:
        """Take the end; return whether units before it are missing, so that it has to resume."""
        self.position = 0
        if self.over:
            return False
        verified = self.assembler.verify(end.offset, end.text_sha256)
        if end.offset > self.assembler.offset and end.reason in _AT_THE_END:
            return self._must_resume()
        self.result = StreamResult(end.reason, end.offset, end.text_sha256, verified is True)
        self.over = True
        if end.reason == "error":
            self.error = self.error or StreamFailed("source_failed", "The source failed.")
        elif verified is False:
            self.error = StreamFailed(
                "text_mismatch", "The text that arrived is not the text that the server sent."
            )
        return False

    def stopped(self, offset: int) -> None:
        """End it as stopped, when no connection is there to bring the server's own end."""
        if not self.over:
            self.result = StreamResult("stopped", offset, "", verified=False)
            self.over = True

    def failing(self, error: TextStreamError) -> bool:
        """Take the server's error; return whether the stream has to be resumed.

        An end follows, unless the text was trimmed, or may not be read any more, or the server
        itself made a mistake and let go of this reader.
        """
        if error.code == "internal_error" and not self.over:
            return self._must_resume(error)
        self.error = error
        self.over = self.over or isinstance(error, (OffsetGone, Forbidden))
        return False

    def fail(self, error: TextStreamError) -> None:
        """End it with `error`, unless it is over."""
        if not self.over:
            self.error, self.over = error, True

    def leave(self) -> None:
        """End it for its consumer, whatever else may come."""
        self.left = self.over = True

    def take(self) -> Chunk | None:
        """Return the next chunk for the consumer, or None when none waits."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self._waiting -= len(chunk.text)
        return chunk

    def discard(self) -> None:
        """Drop what waits: the consumer has left."""
        self._chunks.clear()
        self._waiting = 0

    @property
    def waiting(self) -> bool:
        """Whether a chunk waits for the consumer."""
        return bool(self._chunks)

    def wants_pause(self) -> bool:
        """Tell whether the server is to stand still: the consumer said so, or is behind."""
        if self._waiting > HIGH_WATER:
            self._full = True
        elif self._waiting < LOW_WATER:
            self._full = False
        return self.paused or self._full

    def _must_resume(self, error: TextStreamError | None = None) -> bool:
        if self.resuming:
            return False  # What was on its way before the resume may still arrive.
        self._futile += 1
        if self._futile > MAX_FUTILE_RESUMES:
            what = f"other units than those from {self.assembler.offset} on"
            self.fail(error or not_understood(what))
            return False
        return True
