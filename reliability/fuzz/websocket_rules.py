"""Malformed WebSocket: handshakes, and frames after a good one."""

from __future__ import annotations

import struct
from random import Random

from reliability.fuzz.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    fragments,
    frame,
)
from reliability.fuzz.http_rules import request
from reliability.fuzz.inputs import End, Made, Start, Write, one
from reliability.fuzz.values import LONG, garbage, mutated, string

TARGET = "/socket.io/?EIO=4&transport=websocket"

GOOD = (
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)  # fmt: skip

BAD = (
    "Upgrade: websockets", "Upgrade: \0", "Upgrade: h2c, websocket", "Upgrade: WEBSOCKET",
    "Connection: close", "Connection: keep-alive, Upgrade", "Connection:",
    "Sec-WebSocket-Key: short", "Sec-WebSocket-Key:", "Sec-WebSocket-Key: " + "A" * 5000,
    "Sec-WebSocket-Key: \x80\xff==", "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b",
    "Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 13, 8", "Sec-WebSocket-Version: thirteen",
    "Sec-WebSocket-Version: -13",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99",
    "Content-Length: 5", "Sec-WebSocket-Extensions: ;;;,,,=",
    "Sec-WebSocket-Extensions: " + "x, " * 3000, "Sec-WebSocket-Protocol: \x01",
    "Sec-WebSocket-Protocol: a, b, a", "Origin: http://evil.example", "Transfer-Encoding: chunked",
    "Host: b", "Expect: 100-continue",
)  # fmt: skip

INVALID_UTF8 = (
    b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80",
    b"\xf8\x88\x80", b"\xf0\x9f\x98", b'42["start_stream","\xed\xb0\x80"]',
    b"a" * 200 + b"\xfe",
)  # fmt: skip

CODES = (
    0,
    1,
    999,
    1000,
    1001,
    1003,
    1004,
    1005,
    1006,
    1011,
    1015,
    1016,
    2999,
    3000,
    4999,
    5000,
    65_535,
)

STARTS = (Start.WEBSOCKET, Start.CONNECTED, Start.CONNECTED)


def _broken(chance: Random, data: bytes) -> Made:
    """After this the frames cannot be told apart any more."""
    end = chance.choice((End.HALF_CLOSE,) * 6 + (End.CLOSE, End.RESET))
    return one(chance.choice(STARTS), data, end)


def _whole(chance: Random, data: bytes) -> Made:
    """After this another frame may come, if the server has not closed."""
    return one(chance.choice(STARTS), data, End.BARRIER)


def handshake(chance: Random) -> Made:
    lines = [line for line in GOOD if chance.random() < 0.8]
    lines += chance.sample(BAD, chance.randint(0, 2))
    chance.shuffle(lines)
    method = chance.choice(("GET",) * 6 + ("POST", "PUT", "HEAD"))
    version = chance.choice(("HTTP/1.1",) * 6 + ("HTTP/1.0", "HTTP/2.0"))
    early = chance.choice((b"", frame(b"40"), frame(b"", CLOSE), garbage(chance)))
    target = chance.choice(
        (TARGET, TARGET, TARGET + "&sid=nobody", "/", "/socket.io/?transport=websocket")
    )
    data = request(target, method=method, version=version, head="\r\n".join(lines), body=early)
    if chance.random() < 0.2:
        data = mutated(chance, data)
    return one(Start.TCP, data, chance.choice((End.HALF_CLOSE,) * 6 + (End.CLOSE, End.RESET)))


def half_handshake(chance: Random) -> Made:
    data = request(TARGET, head="\r\n".join(GOOD))
    end = chance.choice((End.HALF_CLOSE, End.CLOSE, End.RESET))
    return one(Start.TCP, data[: chance.randrange(len(data) + 1)], end)


def reserved_bits(chance: Random) -> Made:
    opcode = chance.choice((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
    return _whole(chance, frame(garbage(chance), opcode, reserved=chance.randint(1, 7)))


def reserved_opcode(chance: Random) -> Made:
    opcode = chance.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15))
    return _whole(chance, frame(garbage(chance), opcode, fin=chance.random() < 0.8))


def unmasked(chance: Random) -> Made:
    payload = chance.choice((b"40", b'42["start_stream"]', b"", garbage(chance)))
    return _broken(chance, frame(payload, chance.choice((TEXT, BINARY, CLOSE, PING)), mask=None))


def wrong_length(chance: Random) -> Made:
    payload = chance.choice((b"40", b'42["stop_stream"]', garbage(chance, 200)))
    claimed = chance.choice(
        (0, 1, len(payload) + 1, 125, 126, 65_535, 65_536, 2**31, 2**63, 2**64 - 1)
    )
    return _broken(chance, frame(payload, length=claimed, width=chance.choice((None, 1, 2, 8))))


def overlong_length(chance: Random) -> Made:
    return _whole(chance, frame(garbage(chance, 100), TEXT, width=chance.choice((2, 8))))


def oversize(chance: Random) -> Made:
    claimed = chance.choice((2**21 + 1, 2**24, 2**24 + 1, 2**32, 2**62))
    opcode = chance.choice((TEXT, BINARY, CONTINUATION))
    sent = b"a" * chance.choice((0, 100, 70_000))
    return _broken(chance, frame(sent, opcode, length=claimed, fin=chance.random() < 0.7))


def control_too_long(chance: Random) -> Made:
    payload = bytes(chance.choice((126, 127, 200, 70_000)))
    return _broken(chance, frame(payload, chance.choice((CLOSE, PING, PONG))))


def control_in_fragments(chance: Random) -> Made:
    opcode = chance.choice((CLOSE, PING, PONG))
    data = frame(b"a", opcode, fin=False) + frame(b"b", CONTINUATION)
    return _whole(chance, data)


def continuation_without_start(chance: Random) -> Made:
    return _whole(chance, frame(garbage(chance), CONTINUATION, fin=chance.random() < 0.5))


def start_in_fragments(chance: Random) -> Made:
    """A message begins while another has not ended."""
    first = frame(b"42[", TEXT, fin=False)
    return _whole(
        chance, first + frame(b"40", chance.choice((TEXT, BINARY)), fin=chance.random() < 0.5)
    )


def invalid_utf8(chance: Random) -> Made:
    payload = chance.choice((b"", b"42[", b"a" * 130)) + chance.choice(INVALID_UTF8)
    if chance.random() < 0.5:
        return _whole(chance, frame(payload, mask=chance.randbytes(4)))
    return _whole(chance, b"".join(fragments(chance, payload)))


def split_utf8(chance: Random) -> Made:
    """Valid, but fragments end within a character, with control frames between them."""
    text = b'42["nobody","' + string(chance).encode("utf-8", "replace") * 3 + b'"]'
    between = chance.choice(
        (b"", frame(b"p", PING), frame(b"", PONG), frame(garbage(chance), PING))
    )
    return _whole(chance, between.join(fragments(chance, text)))


def empty_fragments(chance: Random) -> Made:
    count = chance.choice((1, 10, 1000, 5000))
    data = frame(b"", TEXT, fin=False) + frame(b"", CONTINUATION, fin=False) * count
    return _whole(chance, data + frame(b"", CONTINUATION))


def bad_close(chance: Random) -> Made:
    reason = chance.choice((b"", b"bye", *INVALID_UTF8, b"r" * 123, b"r" * 124, b"\0"))
    payload = struct.pack("!H", chance.choice(CODES)) + reason
    if chance.random() < 0.2:
        payload = payload[:1]
    return _whole(
        chance, frame(payload, CLOSE) + chance.choice((b"", frame(b"40"), garbage(chance)))
    )


def frames_after_close(chance: Random) -> Made:
    more = frame(b'42["start_stream"]') * chance.choice((1, 50)) + frame(
        struct.pack("!H", 1000), CLOSE
    )
    return _whole(chance, frame(struct.pack("!H", 1000), CLOSE) + more)


def truncated(chance: Random) -> Made:
    whole = frame(bytes(chance.choice(LONG)), chance.choice((TEXT, BINARY, CLOSE, PING)))
    end = chance.choice((End.HALF_CLOSE, End.CLOSE, End.RESET))
    return one(chance.choice(STARTS), whole[: chance.randrange(min(len(whole), 200))], end)


def burst(chance: Random) -> Made:
    each = chance.choice(
        (
            frame(b"", PING),
            frame(b"", PONG),
            frame(b"3"),
            frame(b""),
            frame(b'42["x"]'),
            frame(b"2probe"),
        )
    )
    return _whole(chance, each * chance.choice((20, 200, 1000)))


def byte_by_byte(chance: Random) -> Made:
    data = mutated(chance, frame(b'42["stop_stream"]', mask=chance.randbytes(4)))
    return Made(Start.CONNECTED, tuple(Write(bytes((byte,))) for byte in data), End.HALF_CLOSE)


def mutated_frames(chance: Random) -> Made:
    data = frame(b'42["stop_stream"]') + frame(b"", PING) + frame(b"3") + frame(b'421["x",{}]')
    return _broken(chance, mutated(chance, data))


def noise(chance: Random) -> Made:
    return _broken(chance, garbage(chance, 1000))


RULES = (
    handshake, handshake, half_handshake, reserved_bits, reserved_opcode, unmasked, wrong_length,
    overlong_length, oversize, control_too_long, control_in_fragments, continuation_without_start,
    start_in_fragments, invalid_utf8, invalid_utf8, split_utf8, split_utf8, empty_fragments,
    bad_close, bad_close, frames_after_close, truncated, burst, byte_by_byte, mutated_frames,
    mutated_frames, noise,
)  # fmt: skip
