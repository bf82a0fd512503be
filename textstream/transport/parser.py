"""Parsing the frames that clients send, by the letter of RFC 6455, 5. No I/O.

wsproto does the same in several times the time; tests compare what the two make of any bytes.
"""

from __future__ import annotations

from textstream.transport.frames import (
    BINARY,
    CLOSE,
    INVALID_DATA,
    MEDIUM,
    NORMAL,
    PING,
    PONG,
    PROTOCOL_ERROR,
    SHORT,
    TEXT,
)

Part = tuple[int, bytes, bool, bool]
"""A frame, or as much of it as has come.

Its kind: `TEXT`, `BINARY`, `CLOSE`, `PING` or `PONG`, for a fragment that of its message; the
payload; whether the frame ends with it; whether the message does. Control frames come whole.
"""

_FINAL, _RESERVED, _OPCODE = 0x80, 0x70, 0x0F  # bits of the first byte, and
_MASKED = 0x80  # of the second

_HEAD = 6
"""Bytes in front of a payload of less than `SHORT`: two, and the key."""

_NONE = 0

_CONTROL = frozenset((CLOSE, PING, PONG))
_NEW = _CONTROL | {TEXT, TEXT ^ _FINAL, BINARY, BINARY ^ _FINAL}
_CONTINUING = _CONTROL | {0, _FINAL}
_MAY_COME = {_NONE: _NEW, TEXT: _CONTINUING, BINARY: _CONTINUING}
"""The first bytes of frames that may come, by the message that has begun."""

_AS_NUMBER = 512
"""Bytes up to which a payload is unmasked as one number: 57 in 0.4 µs. Of more it is faster to
look up every fourth byte in a table: 8 kB in 8 µs, as a number in 16."""

_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))
"""Those that may be sent: RFC 6455, 7.4, and what IANA has registered since."""


class Violation(Exception):
    """The peer broke the protocol or a limit: close with `code`, and say why."""

    def __init__(self, reason: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(reason)
        self.code = code


class Parser:
    """Makes frames of bytes, however they were cut.

    Of a data frame it keeps nothing: what has come of it is a part. So a limit is noticed when it
    is passed, and nothing large is kept twice. Of anything else it keeps 130 bytes at most.
    """

    __slots__ = ("_at", "_data", "_is_last", "_key", "_left", "_message")

    def __init__(self) -> None:
        self._data = b""  # what was fed, and
        self._at = 0  # how much of it is done
        self._message = _NONE  # what has begun
        self._left = 0  # bytes that are still to come of a data frame,
        self._key = b""  # its key, from the next of them on, and
        self._is_last = False  # whether it is the last of its message

    def whole_text(self, data: bytes) -> bytes | None:
        """Return the payload if `data` is just one short text message; else it is to be fed.

        Nearly all that clients send is.
        """
        size = len(data) - _HEAD
        if (
            not 0 <= size < SHORT
            or data[0] != TEXT
            or data[1] != _MASKED | size
            or self._data
            or self._message
        ):
            return None
        return unmasked(data[_HEAD:], data[2:_HEAD])

    def feed(self, data: bytes) -> None:
        """Take what arrived; `next` tells what it is."""
        if data:
            self._data = self._data[self._at :] + data
            self._at = 0

    def next(self) -> Part | None:
        """Return the next part; None: there is no more in what was fed.

        Raises:
            Violation: what comes now is no frame, or may not come. That is the end of it.

        """
        part = self._continue() if self._left else self._begin()
        if part is None:
            self._data = self._data[self._at :]
            self._at = 0
        return part

    def clear(self) -> None:
        """Keep nothing: the connection has gone."""
        self._data = b""
        self._at = 0

    def _begin(self) -> Part | None:
        """Return a frame, or the beginning of one; None: not even its head is complete."""
        data, at = self._data, self._at
        if len(data) < at + 2:
            return None
        first, size = data[at], data[at + 1] ^ _MASKED
        if size >= _MASKED or first not in _MAY_COME[self._message]:
            raise _violation(first, size)
        start = at + _HEAD
        if size >= SHORT:
            if first in _CONTROL:
                raise Violation("Control frame of more than 125 bytes")
            width, least = (2, SHORT) if size == SHORT else (8, MEDIUM)
            start += width
            if len(data) < start - 4:
                return None
            size = _long(data[at + 2 : start - 4], least)
        end = start + size
        if len(data) < (end if first in _CONTROL else start):
            return None
        key = data[start - 4 : start]
        if first in _CONTROL:
            self._at = end
            return first, unmasked(data[start:end], key), True, True
        kind = self._message or first | _FINAL
        is_last = first >= _FINAL
        if end <= len(data):
            self._at = end
            self._message = _NONE if is_last else kind
            return kind, unmasked(data[start:end], key), True, is_last
        self._at, self._left = start, size
        self._message, self._key, self._is_last = kind, key, is_last
        return self._continue()

    def _continue(self) -> Part | None:
        """Return what there is of the frame that has begun."""
        at = self._at
        piece = self._data[at : at + self._left]
        if not piece:
            return None
        size = len(piece)
        self._at = at + size
        self._left -= size
        kind, payload = self._message, unmasked(piece, self._key)
        if self._left:
            turn = size % 4
            self._key = self._key[turn:] + self._key[:turn]
            return kind, payload, False, False
        if self._is_last:
            self._message = _NONE
        return kind, payload, True, self._is_last


def unmasked(payload: bytes, key: bytes) -> bytes:
    """Return `payload` without its mask, or with it (RFC 6455, 5.3); `key` has four bytes."""
    size = len(payload)
    if size <= _AS_NUMBER:
        repeated = (key * (size // 4 + 1))[:size]
        return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)
    made = bytearray(payload)
    for first, byte in enumerate(key):
        made[first::4] = made[first::4].translate(_TABLES[byte])
    return bytes(made)


_TABLES = [unmasked(bytes(range(256)), bytes((byte,)) * 4) for byte in range(256)]


def close_code(payload: bytes) -> int:
    """Return the code with which to answer a close frame (RFC 6455, 5.5.1).

    Raises:
        Violation: there is half a code, or one that may not be sent, or the reason is no UTF-8.

    """
    if not payload:
        return NORMAL
    code = int.from_bytes(payload[:2])
    if len(payload) == 1:
        raise Violation("Close frame of one byte: a code has two")
    if code not in _CLOSE_CODES:
        raise Violation(f"Close frame with code {code}, which may not be sent")
    try:
        payload[2:].decode()
    except UnicodeDecodeError as error:
        raise Violation(
            f"Reason of a close frame is not UTF-8: {error.reason}", INVALID_DATA
        ) from None
    return code


def _long(length: bytes, least: int) -> int:
    """Return a length of several bytes, which is `least` at least: none has more bytes than needed.

    RFC 6455, 5.2.
    """
    size = int.from_bytes(length)
    if size < least:
        raise Violation(f"Length {size} in {len(length)} bytes: it must take as few as it can")
    if size >> 63:
        raise Violation("Length of more than 63 bits")
    return size


def _violation(first: int, size: int) -> Violation:
    """Return what is wrong with the first two bytes of a frame."""
    opcode = first & _OPCODE
    if opcode | _FINAL not in {_FINAL, TEXT, BINARY, *_CONTROL}:
        return Violation(f"Invalid opcode {opcode:#x}")
    if first & _RESERVED:
        return Violation("Reserved bit set: no extension was agreed on")
    if size >= _MASKED:
        return Violation("Frame without a mask: a client must mask its frames")
    if opcode | _FINAL in _CONTROL:
        return Violation("Control frame in fragments: it must come in one frame")
    if opcode:
        return Violation("New message before the end of the last: expected a continuation")
    return Violation("Continuation without a message: expected text or binary")
