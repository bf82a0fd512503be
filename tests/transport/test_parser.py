"""Frames from bytes. Most is said elsewhere: ``rfc6455`` has the rules, `frame_fuzz` wsproto's."""

from __future__ import annotations

import sys

import pytest

from reliability.fuzz.frames import BINARY, CONTINUATION, PING, TEXT, frame
from tests.transport.frame_fuzz import outcomes
from textstream.transport import frames
from textstream.transport.parser import Parser, Part, Violation, close_code, unmasked

KEY = b"\x9c\x01\xfe\x37"


def parts(parser: Parser, data: bytes) -> list[Part]:
    """Return all that is in `data`."""
    parser.feed(data)
    return list(iter(parser.next, None))


def test_whatever_comes_it_is_what_wsproto_makes_of_it() -> None:
    counts = outcomes(range(2000))
    kinds = {"str", "bytes", "Ping", "Oversized", "Closed 1000", "Closed 1014"}
    assert kinds | {"Broken 1002", "Broken 1007", "Broken 1009"} <= set(counts)
    assert min(counts["str"], counts["bytes"], counts["Ping"]) > 500, "most of it is right"


@pytest.mark.parametrize("size", [*range(10), 125, 126, 511, 512, 513, 514, 515, 516, 8191, 8192])
def test_a_mask_is_one_xor(size: int) -> None:
    payload = bytes(range(251)) * 40
    due = bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload[:size]))
    assert unmasked(payload[:size], KEY) == due
    assert unmasked(due, KEY) == payload[:size]


@pytest.mark.parametrize("size", [0, 1, 57, 125])
def test_one_short_text_is_taken_as_a_whole(size: int) -> None:
    data = frame(b"x" * size, TEXT, mask=KEY)
    assert Parser().whole_text(data) == b"x" * size
    assert parts(Parser(), data) == [(frames.TEXT, b"x" * size, True, True)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        frame(b"abc", TEXT)[:-1],
        frame(b"abc", TEXT) + b"\x81",
        frame(b"abc", TEXT) * 2,
        frame(b"x" * 126, TEXT),
        frame(b"x" * 126, TEXT)[: 6 + 126],
        frame(b"x" * 65_536, TEXT)[: 6 + 127],
        frame(b"abc", TEXT, fin=False),
        frame(b"abc", BINARY),
        frame(b"abc", CONTINUATION),
        frame(b"abc", PING),
        frame(b"abc", TEXT, reserved=1),
        frame(b"abc", TEXT, mask=None),
        frame(b"abc", TEXT, mask=None) + KEY,
        frame(b"abc", TEXT, width=2),
    ],
)
def test_nothing_else_is(data: bytes) -> None:
    assert Parser().whole_text(data) is None


@pytest.mark.parametrize(
    "before",
    [
        frame(b"abc", TEXT, fin=False),
        frame(b"abc", BINARY, length=100),
        frame(b"", TEXT, length=100),
        frame(b"abc", TEXT)[:1],
        frame(b"abc", PING)[:-1],
    ],
)
def test_nor_what_comes_after_something_unfinished(before: bytes) -> None:
    parser = Parser()
    parts(parser, before)
    assert parser.whole_text(frame(b"abc", TEXT)) is None
    fresh = Parser()
    parts(fresh, frame(b"abc", TEXT) + frame(b"a", TEXT, fin=False) + frame(b"", CONTINUATION))
    assert fresh.whole_text(frame(b"abc", TEXT)) == b"abc"


@pytest.mark.parametrize(
    ("data", "needed", "why"),
    [
        (frame(b"", TEXT, reserved=2, length=1 << 20), 2, "Reserved bit"),
        (frame(b"", 3, length=1 << 20), 2, "Invalid opcode 0x3"),
        (frame(b"", 15, reserved=7, mask=None), 2, "Invalid opcode 0xf"),
        (frame(b"", TEXT, mask=None, length=1 << 20), 2, "without a mask"),
        (frame(b"", CONTINUATION, length=1 << 20), 2, "Continuation without a message"),
        (frame(b"", PING, fin=False), 2, "Control frame in fragments"),
        (frame(b"", PING, length=126), 2, "more than 125 bytes"),
        (frame(b"", TEXT, length=125, width=2), 4, "Length 125 in 2 bytes"),
        (frame(b"", TEXT, length=65_535, width=8), 10, "Length 65535 in 8 bytes"),
        (frame(b"", TEXT, length=1 << 63), 10, "more than 63 bits"),
    ],
)
def test_what_is_wrong_is_told_as_soon_as_it_has_come(data: bytes, needed: int, why: str) -> None:
    parser = Parser()
    for at in range(needed - 1):
        assert parts(parser, data[at : at + 1]) == []
    with pytest.raises(Violation, match=why) as caught:
        parts(parser, data[needed - 1 : needed])
    assert caught.value.code == frames.PROTOCOL_ERROR


def test_a_new_message_may_not_come_before_the_end_of_the_last() -> None:
    parser = Parser()
    parts(parser, frame(b"a", TEXT, fin=False) + frame(b"", PING))
    with pytest.raises(Violation, match="expected a continuation"):
        parts(parser, frame(b"", TEXT)[:2])


@pytest.mark.parametrize(
    ("payload", "code", "why"),
    [
        (b"\x03", frames.PROTOCOL_ERROR, "one byte"),
        (b"\x03\xed", frames.PROTOCOL_ERROR, "code 1005"),
        (b"\x03\xe8\xff", frames.INVALID_DATA, "not UTF-8: invalid start byte"),
    ],
)
def test_a_close_frame_says_why_or_nothing(payload: bytes, code: int, why: str) -> None:
    with pytest.raises(Violation, match=why) as caught:
        close_code(payload)
    assert caught.value.code == code


def test_what_comes_of_a_frame_is_handed_out_and_not_kept() -> None:
    payload = bytes(range(256)) * 4000
    data = frame(payload, BINARY, mask=KEY)
    parser, came = Parser(), b""
    for at in range(0, len(data), 8192):
        ((kind, part, ends_frame, ends_message),) = parts(parser, data[at : at + 8192])
        assert (kind, ends_frame) == (frames.BINARY, ends_message)
        came += part
        assert sum(sys.getsizeof(getattr(parser, name)) for name in Parser.__slots__) < 400
    assert (came, ends_message) == (payload, True)
