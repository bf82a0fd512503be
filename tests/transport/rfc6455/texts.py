"""Text is UTF-8, wherever it is cut, and refused as soon as it is not: RFC 6455, 5.6 and 8.1."""

from __future__ import annotations

from collections.abc import Iterator

from reliability.fuzz.frames import BINARY, TEXT, frame
from tests.transport.rfc6455.case import INVALID, Case, cut, fragments, text

VALID = {
    "Greek": "κόσμε",
    "German": "Hello-µ@ßöäüàá-UTF-8!!",
    "CJK": "漢字かな混じり文",
    "emoji with joiners": "👩‍👩‍👧 👍🏽 🇨🇭",
    "NUL": "a\0b",
    "DEL and U+0080": "\x7f\x80",
    "the last of two bytes": "\u07ff",
    "the first of three bytes": "\u0800",
    "before the surrogates": "\ud7ff",
    "after the surrogates": "\ue000",
    "no characters U+FFFE, U+FFFF": "\ufffe\uffff",
    "byte order mark": "\ufeffx",
    "the first of four bytes": "\U00010000",
    "no character U+1FFFF": "\U0001ffff",
    "the last of all": "\U0010ffff",
}
INVALID_BYTES = {
    "a continuation alone": b"\x80",
    "the last continuation alone": b"\xbf",
    "a lead without what follows": b"\xc3x",
    "overlong, two bytes": b"\xc0\xaf",
    "overlong NUL": b"\xc0\x80",
    "overlong, three bytes": b"\xe0\x9f\xbf",
    "overlong, four bytes": b"\xf0\x8f\xbf\xbf",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "the first surrogate": b"\xed\xa0\x80",
    "the last surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "after the last of all": b"\xf4\x90\x80\x80",
    "FE": b"\xfe",
    "FF": b"\xff",
    "Latin-1": "köln".encode("latin-1"),
    "UTF-16": "ab".encode("utf-16"),
}
UNFINISHED = {"one of two": b"\xc3", "two of three": b"\xe2\x82", "three of four": b"\xf0\x9f\x98"}


def valid() -> Iterator[Case]:
    """Whatever is UTF-8 arrives, also what is no character, in whatever pieces."""
    for name, said in VALID.items():
        data = said.encode()
        yield Case(name, [text(said)], handled=[said])
        in_bytes = fragments(b"4", *cut(data, 1))
        yield Case(f"{name}, each byte a fragment", in_bytes, handled=[said])
        written = cut(text(said, mask=b"\x55\xaa\x0f\xf0"), 1)
        yield Case(f"{name}, each byte a write", written, handled=[said])
    for name, data in INVALID_BYTES.items():
        yield Case(f"binary may be anything: {name}", [frame(data, BINARY)], handled=[data])


def invalid() -> Iterator[Case]:
    """What is not UTF-8 is refused, and not only when its message is complete."""
    for name, data in INVALID_BYTES.items():
        yield Case(name, [text(b"a" + data + b"b")], INVALID)
        yield Case(f"{name}, each byte a fragment", fragments(b"4", *cut(data, 1), b"b"), INVALID)
        begun = frame(b"4" + data + b"b", TEXT, fin=False)
        yield Case(f"{name}, in a message that is not finished", [begun], INVALID)
        in_frame = frame(b"4" + data + b"b", TEXT, length=1000)
        yield Case(f"{name}, in a frame that is not finished", [in_frame], INVALID)
        after = [text("good") + text(data + b"!")]
        yield Case(f"{name}, after a good message", after, INVALID, ["good"])
    for name, data in UNFINISHED.items():
        yield Case(f"ends in a character: {name}", [text(data)], INVALID)
        sent = fragments(b"4", data, b"")
        yield Case(f"ends in a character: {name}, then an empty fragment", sent, INVALID)
