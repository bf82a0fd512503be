"""Assembling the messages that arrive on a WebSocket (RFC 6455). No I/O."""

from __future__ import annotations

from codecs import utf_8_decode
from dataclasses import dataclass

from textstream.transport.bounds import LARGE, Bounds, Limit
from textstream.transport.frames import CLOSE, INVALID_DATA, MESSAGE_TOO_BIG, PING, TEXT
from textstream.transport.large import Large, Oversized
from textstream.transport.measure import exceeded, head_of
from textstream.transport.parser import Parser, Part, Violation, close_code

FRAMES = 64
"""Frames of one socket that are looked at in a turn.

Each takes some 1 µs, and its message 2 more on its way to the inbox. The smallest has 6 bytes: in
`RECEIVE` bytes there may be 1,365 of them, for which every other connection would wait.
"""


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


class Assembler:
    """Makes messages of the bytes that arrive, and never keeps more than the limit.

    Parts are joined as they come, in UTF-8: a list of them would take 90 bytes for each character
    that comes in a fragment of its own. A text message over a limit is thrown away as it arrives
    and reported at its end; one over ``max_dropped``, or a binary one over a limit, is the end of
    the connection.
    """

    __slots__ = (
        "_bounds",
        "_cut",
        "_deaf",
        "_head",
        "_kept",
        "_next",
        "_parser",
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
        self._parser = Parser()
        self._cut = b""  # the beginning of a character, of a text that is not complete
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
        self.pending = False
        messages: list[Incoming] = []
        try:
            text = None if self._deaf else self._parser.whole_text(data)
            if text is not None and len(text) <= self._next:
                self.frames = 1
                return [text.decode()]
            self._parser.feed(data)
            self._take_parts(messages)
        except UnicodeDecodeError as error:
            why = f"Text is not UTF-8: {error.reason}"
            messages.append(self._broken(Violation(why, INVALID_DATA)))
        except Violation as error:
            messages.append(self._broken(error))
        if self.over:
            self._parser.clear()
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
        self._parser.clear()

    def _begin(self) -> None:
        """Forget the message before."""
        self._kept = _NOTHING
        self._size = 0
        self._next = self._bounds.first_look
        self._head = ""
        self._refused: Limit | None = None
        self.unfinished = False
        """Whether a message has begun that has not ended."""

    def _take_parts(self, messages: list[Incoming]) -> None:
        """Add to `messages` what is complete.

        Raises:
            Violation, UnicodeDecodeError: what comes then is wrong.

        """
        while (part := self._parser.next()) is not None:
            message = self._take(part)
            if message is not None:
                messages.append(message)
            if part[2]:
                self.frames += 1
                if self.over:
                    return
                if self.frames >= FRAMES:
                    self.pending = True
                    return

    def _take(self, part: Part) -> Incoming | None:
        kind, payload, _, complete = part
        if kind >= CLOSE:
            return self._control(kind, payload)
        is_text = kind == TEXT
        if complete and not (self.unfinished or self._deaf or len(payload) > self._next):
            return payload.decode() if is_text else payload  # nearly all there are
        if is_text:
            self._check(payload, complete=complete)
        if self._deaf:
            return None
        self._add(payload, is_text)
        self.unfinished = not complete
        if not complete:
            return None
        made = self._message(is_text)
        self._begin()
        return made

    def _check(self, payload: bytes, *, complete: bool) -> None:
        """Refuse what is no UTF-8 as soon as it is none, wherever characters are cut.

        Raises:
            UnicodeDecodeError: it is none.

        """
        if self._cut or not payload.isascii():
            data = self._cut + payload
            _, decoded = utf_8_decode(data, "strict", complete)
            self._cut = data[decoded:]

    def _message(self, is_text: bool) -> Message:
        if self._refused:
            return Oversized(self._head, self._size, self._refused)
        if self._size > LARGE:
            return Large(self._kept, is_text=is_text)
        return self._kept.decode() if is_text else bytes(self._kept)

    def _control(self, kind: int, payload: bytes) -> Incoming | None:
        if kind == CLOSE:
            code = close_code(payload)
            self.over = True
            return Closed(code)
        return Ping(payload) if kind == PING else None

    def _add(self, data: bytes, is_text: bool) -> None:
        self._size += len(data)
        if not self._refused:
            if self._kept is _NOTHING:
                self._kept = bytearray()
            self._kept += data
        if self._size > self._next:
            self._look(is_text)

    def _broken(self, violation: Violation) -> Broken:
        self.over = True
        self._begin()
        return Broken(violation.code, str(violation))

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
            raise Violation("Message is too big", MESSAGE_TOO_BIG)
        if limit and not self._refused:
            self._refused, self._head, self._kept = limit, head_of(self._kept), _NOTHING
        self._next = _next_look(size, bounds, dropped=limit is not None)


_NOTHING = bytearray()
"""What is kept of no message. Never changed: an idle connection needs none of its own."""


def _next_look(size: int, bounds: Bounds, *, dropped: bool) -> int:
    """Return at how many bytes a message of `size` is to be looked at again."""
    if dropped:
        return bounds.max_dropped
    plain = bounds.max_plain
    return plain if plain is not None and plain >= size else bounds.max_message
