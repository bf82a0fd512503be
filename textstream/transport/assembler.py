"""Assembling the messages that arrive on a WebSocket (RFC 6455). No I/O."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from textstream.transport.bounds import LARGE, Bounds, Limit
from textstream.transport.frames import BAD_GATEWAY, NORMAL, PROTOCOL_ERROR
from textstream.transport.large import Large, Oversized
from textstream.transport.measure import exceeded, head_of

FRAMES = 64
"""Frames of one socket that are looked at in a turn.

Each takes some 10 µs, and the smallest has 6 bytes: in `RECEIVE` bytes there may be 1,365 of them,
for which every other connection would wait.
"""

_BAD_GATEWAY = struct.pack("!H", BAD_GATEWAY)
_TRY_AGAIN_LATER = struct.pack("!H", CloseReason.TRY_AGAIN_LATER)


@dataclass(frozen=True)
class Ping:
    """A ping; answer with a pong of the same payload."""

    payload: bytes


@dataclass(frozen=True)
class Closed:
    """The peer's close frame; answer with the same code."""

    code: int


@dataclass(frozen=True)
class Broken:
    """The peer broke the protocol or a limit; close with `code`, and say why."""

    code: int
    reason: str


Message = str | bytes | Large | Oversized
Incoming = Message | Ping | Closed | Broken


class _Protocol(FrameProtocol):
    """wsproto's, which leaves out one close code that is registered with IANA: 1014."""

    def _process_close(self, frame: Frame) -> Frame:
        payload = bytes(frame.payload)  # type: ignore[arg-type]
        if not payload.startswith(_BAD_GATEWAY):
            return super()._process_close(frame)
        # The reason is checked as that of the code before it.
        super()._process_close(frame._replace(payload=_TRY_AGAIN_LATER + payload[2:]))
        return frame._replace(payload=(BAD_GATEWAY, ""))


class Assembler:
    """Makes messages of the bytes that arrive, and never keeps more than the limit.

    Parts are joined as they come, in UTF-8: a list of them would take 90 bytes for each character
    that comes in a fragment of its own. A text message over a limit is thrown away as it arrives
    and reported at its end; one over ``max_dropped``, or a binary one over a limit, is the end of
    the connection.
    """

    __slots__ = (
        "_bounds",
        "_deaf",
        "_head",
        "_kept",
        "_next",
        "_protocol",
        "_refused",
        "_size",
        "frames",
        "over",
        "pending",
        "unfinished",
    )

    def __init__(self, bounds: Bounds) -> None:
        """Take messages within `bounds`."""
        self._bounds = bounds
        self._protocol = _Protocol(client=False, extensions=[])
        self._deaf = False
        self._begin()
        self.frames = 0
        """How many frames the last `feed` has come to the end of."""
        self.pending = False
        """Whether there may be more in what was fed: `feed` nothing, and it goes on."""
        self.over = False
        """Whether the peer closed or broke the protocol: nothing after that means anything."""

    @property
    def kept(self) -> int:
        """Bytes kept of an unfinished message."""
        return len(self._kept)

    def feed(self, data: bytes) -> list[Incoming]:
        """Take what arrived; return what is now complete. `Closed` and `Broken` come last.

        What was complete before a mistake is returned with it. So it does not depend on how TCP
        cut the bytes whether it is handled. After `FRAMES` frames it stops.
        """
        self.frames = 0
        if self.over:
            return []
        self._protocol.receive_bytes(data)
        self.pending = False
        messages: list[Incoming] = []
        try:
            for part in self._protocol.received_frames():
                message = self._take(part)
                if message is not None:
                    messages.append(message)
                if part.frame_finished:
                    self.frames += 1
                    if self.frames >= FRAMES and not self.over:
                        self.pending = True
                        break
        except ParseFailed as error:
            self.over = True
            self._begin()
            messages.append(Broken(int(error.code or PROTOCOL_ERROR), str(error)[:100]))
        return messages

    def discard(self) -> None:
        """Keep nothing, from now on, and look for the peer's close frame alone."""
        self._deaf = True
        self._begin()

    def close(self) -> None:
        """Take nothing more, and free the memory at once."""
        self.over = True
        self.pending = False
        self._begin()
        # wsproto's parser and its generator point at each other.
        vars(self._protocol).clear()

    def _begin(self) -> None:
        """Forget the message before."""
        self._kept = _NOTHING
        self._size = 0
        self._next = _first_look(self._bounds)
        self._head = ""
        self._refused: Limit | None = None
        self.unfinished = False
        """Whether a message has begun that has not ended."""

    def _take(self, frame: Frame) -> Incoming | None:
        opcode, payload, ended, is_last = frame
        if opcode.iscontrol():
            return self._control(opcode, payload)
        if self._deaf:
            return None
        part: str | bytes = payload  # type: ignore[assignment]
        complete = ended and is_last
        if complete and not self.unfinished and 4 * len(part) <= self._next:
            return part  # nearly all there are
        self._add(part)
        self.unfinished = not complete
        if not complete:
            return None
        made = self._message(isinstance(part, str))
        self._begin()
        return made

    def _message(self, is_text: bool) -> Message:
        if self._refused:
            return Oversized(self._head, self._size, self._refused)
        if self._size > LARGE:
            return Large(self._kept, is_text=is_text)
        return self._kept.decode() if is_text else bytes(self._kept)

    def _control(self, opcode: Opcode, payload: Any) -> Incoming | None:
        if opcode is Opcode.CLOSE:
            self.over = True
            return Closed(NORMAL if payload[0] == CloseReason.NO_STATUS_RCVD else int(payload[0]))
        return Ping(bytes(payload)) if opcode is Opcode.PING else None

    def _add(self, part: str | bytes) -> None:
        data = part.encode() if isinstance(part, str) else part
        self._size += len(data)
        if not self._refused:
            if self._kept is _NOTHING:
                self._kept = bytearray()
            self._kept += data
        if self._size > self._next:
            self._look(isinstance(part, str))

    def _look(self, is_text: bool) -> None:
        """Look whether the message may go on, as it has passed a limit."""
        size, bounds = self._size, self._bounds
        limit = self._refused
        if size > bounds.max_message:
            limit = limit or Limit.MESSAGE
        if is_text:
            limit = limit or exceeded(self._kept, bounds)
        elif bounds.max_plain is not None and size > bounds.max_plain:
            limit = Limit.PLAIN
        if limit and (not is_text or size > bounds.max_dropped):
            raise ParseFailed("Message is too big", CloseReason.MESSAGE_TOO_BIG)
        if limit and not self._refused:
            self._refused, self._head, self._kept = limit, head_of(self._kept), _NOTHING
        self._next = _next_look(size, bounds, dropped=limit is not None)


_NOTHING = bytearray()
"""What is kept of no message. Never changed: an idle connection needs none of its own."""


def _first_look(bounds: Bounds) -> int:
    return min(LARGE, bounds.max_message, LARGE if bounds.max_plain is None else bounds.max_plain)


def _next_look(size: int, bounds: Bounds, *, dropped: bool) -> int:
    """Return at how many bytes a message of `size` is to be looked at again."""
    if dropped:
        return bounds.max_dropped
    plain = bounds.max_plain
    return plain if plain is not None and plain >= size else bounds.max_message
