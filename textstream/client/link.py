"""The streams read over one connection: requests and their answers, events and whose they are.

It lives as long as its connection; what must survive that is in the readers. Everything here
is called with the client's lock held, and nothing waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from textstream.client.connection import Connection
from textstream.client.reader import Reader
from textstream.client.wire_errors import error_from_wire, not_understood
from textstream.errors import (
    Forbidden,
    TextStreamError,
    Unauthorized,
    Unavailable,
    UnknownStream,
)
from textstream.protocol import (
    CONTINUE_STREAM,
    LEAVE_STREAM,
    PAUSE_STREAM,
    RESUME_STREAM,
    STOP_STREAM,
    STREAM_CHUNK,
    STREAM_END,
    STREAM_ERROR,
    STREAM_WAITING,
    StreamChunk,
    StreamEnd,
    StreamInfo,
    StreamWaiting,
)

OnOk = Callable[[dict[str, Any]], None]
OnError = Callable[[TextStreamError], None]
Handle = Callable[[Reader, Any], None]

EVENTS = (STREAM_CHUNK, STREAM_END, STREAM_ERROR, STREAM_WAITING)
"""What the server sends that `Link.receive` takes. ``stream_start`` says nothing new here."""


class Link:
    """A connection and the readers on it.

    Attributes:
        fruitful: whether new text has arrived over it.
        expired: whether its token has: it is to be made anew, with another.
        unserved: whether its server cannot tell about a stream just now: another one may.

    """

    def __init__(
        self, connection: Connection, readers: Callable[[], Sequence[Reader]], timeout: float
    ) -> None:
        """Make a link. `readers` returns those not over; `timeout` is for answers, in s."""
        self.fruitful = False
        self.expired = False
        self.unserved = False
        self._connection = connection
        self._readers = readers
        self._timeout = timeout
        self._due: dict[object, float] = {}  # when each answer is due, in monotonic seconds
        self._early: list[tuple[Handle, Any]] = []

    @property
    def deadline(self) -> float | None:
        """When the first answer is due, in seconds of ``time.monotonic()``; None: none is."""
        return min(self._due.values(), default=None)

    @property
    def overdue(self) -> bool:
        """Whether an answer is late. A server that gives none is as good as gone."""
        return self.deadline is not None and self.deadline <= time.monotonic()

    def wake(self) -> None:
        """Make the thread that waits for this connection look around."""
        self._connection.wake()

    # Requests.

    def attach(self, reader: Reader) -> None:
        """Start the reader's stream, or resume it at the unit that is due."""
        if reader.stopping and reader.id is not None:
            self.stop(reader)
            return
        event, payload = reader.attach_request()
        reader.attaching()

        def attached(answer: dict[str, Any]) -> None:
            first = reader.info is None
            info = StreamInfo.model_validate(answer.get("stream"))
            reader.started(info, answer.get("key"), answer.get("position"))
            if first:
                early, self._early = self._early, []
                for handle, data in early:
                    self._deliver(handle, data)
            if reader.stopping:
                self.stop(reader)
            if reader.left:
                self.leave(reader)
            self.adjust(reader)

        def refused(error: TextStreamError) -> None:
            if isinstance(error, Unavailable) and event == RESUME_STREAM:
                # Nothing is lost by that: tried again as any lost connection is.
                self.unserved = True
                return
            reader.refused(error)
            if reader.left:
                self.leave(reader)  # where it was before; a resume that is refused changes nothing

        self._request(event, payload, attached, refused)

    def stop(self, reader: Reader) -> None:
        """Stop the reader's stream for everyone, once it is known by an id."""
        if reader.id is None:
            return  # The answer to its start comes back here.

        def stopped(answer: dict[str, Any]) -> None:
            if not reader.attached:  # else the server's own end follows
                reader.stopped(int(answer.get("offset", reader.assembler.offset)))

        def refused(error: TextStreamError) -> None:
            if isinstance(error, UnknownStream):
                reader.stopped(reader.assembler.offset)
            elif isinstance(error, Forbidden):
                reader.stopping, reader.unstoppable = False, error  # it is read on
            else:
                reader.fail(error)

        self._request(STOP_STREAM, {"id": reader.id, **reader.shown_key}, stopped, refused)

    def leave(self, reader: Reader) -> None:
        """Tell the server that a reader that was left reads no longer; the stream goes on.

        Without asking for an answer: a server that does not know the event gives none, and would
        be taken for one that is gone.
        """
        # The answer to a resume comes back here. Sent before it, a server with a thread per event
        # might handle the leave first.
        if reader.resuming or not reader.attached or reader.result:
            return
        reader.attached = False
        # One that reads the stream anew has taken its place on the server.
        if all(other.id != reader.id for other in self._readers()):
            self._connection.emit(LEAVE_STREAM, {"id": reader.id})

    def adjust(self, reader: Reader) -> None:
        """Pause or continue the reader on the server, as it is wanted by now.

        One request at a time: a server with a thread per event may swap two of them.
        """
        wanted = reader.wants_pause()
        if not reader.attached or reader.stopping or reader.over or reader.adjusting:
            return
        if wanted == reader.server_paused:
            return
        reader.adjusting = True

        def settled(_outcome: object) -> None:
            reader.adjusting = False

        def done(_answer: dict[str, Any]) -> None:
            settled(None)
            reader.server_paused = wanted
            self.adjust(reader)

        # Refused means that the reader has ended on the server; its end is on its way.
        event = PAUSE_STREAM if wanted else CONTINUE_STREAM
        self._request(event, {"id": reader.id}, done, settled)

    def request(
        self, reader: Reader, event: str, on_ok: OnOk, on_error: OnError, **fields: Any
    ) -> None:
        """Send any other request about the reader's stream."""
        self._request(event, {"id": reader.id, **fields}, on_ok, on_error)

    def _request(self, event: str, payload: dict[str, Any], on_ok: OnOk, on_error: OnError) -> None:
        token = object()
        self._due[token] = time.monotonic() + self._timeout

        def answered(answer: Any) -> None:
            self._due.pop(token, None)
            if not isinstance(answer, dict):
                on_error(not_understood(f"no answer to {event}"))
            elif answer.get("ok") is not True:
                error = error_from_wire(answer.get("error"))
                if not self._expires(error):
                    on_error(error)
            else:
                try:
                    on_ok(answer)
                except (ValidationError, TypeError, ValueError):
                    on_error(not_understood(f"a wrong answer to {event}"))

        self._connection.emit(event, payload, answered)
        self._connection.wake()  # There is a deadline now.

    # Events.

    def receive(self, event: str, data: object) -> None:
        """Take an event, one of `EVENTS`.

        Raises:
            StreamFailed: it is not as the protocol has it.

        """
        if event == STREAM_CHUNK:
            self._deliver(self._chunk, _parse(StreamChunk, data))
        elif event == STREAM_END:
            self._deliver(self._end, _parse(StreamEnd, data))
        elif event == STREAM_WAITING:
            self._deliver(self._waiting, _parse(StreamWaiting, data))
        elif isinstance(data, dict) and "id" in data:
            self._deliver(self._failing, data)
        else:
            # It is about a start that failed: its answer says the same. Or about the connection.
            self._expires(error_from_wire(data))

    def _expires(self, error: TextStreamError) -> bool:
        """Note whether the connection's token has expired, which is one more way to lose it."""
        if isinstance(error, Unauthorized) and error.reason == "expired":
            self.expired = True
        return self.expired

    def _deliver(self, handle: Handle, data: Any) -> None:
        stream_id = data["id"] if isinstance(data, dict) else data.id
        for reader in self._readers():
            if reader.id == stream_id and reader.info is not None:
                handle(reader, data)
                return
        if any(reader.info is None for reader in self._readers()):
            # The text, and even the end, may overtake the answer that says whose it is. That of a
            # resumed stream has an owner, but nobody has been handed the stream yet.
            self._early.append((handle, data))

    def _chunk(self, reader: Reader, chunk: StreamChunk) -> None:
        if reader.chunk(chunk, time.monotonic()):
            self.attach(reader)
        else:
            self.fruitful = True
            self.adjust(reader)

    def _end(self, reader: Reader, end: StreamEnd) -> None:
        if reader.end(end):
            self.attach(reader)

    def _waiting(self, reader: Reader, waiting: StreamWaiting) -> None:
        reader.position = waiting.position

    def _failing(self, reader: Reader, error: object) -> None:
        if reader.failing(error_from_wire(error)):
            self.attach(reader)


def _parse(model: type[BaseModel], data: object) -> BaseModel:
    try:
        return model.model_validate(data)
    except ValidationError:
        raise not_understood(f"a wrong {model.__name__}") from None
