"""Close frames: RFC 6455, 5.5.1 and 7.4, and the codes that IANA has registered since."""

from __future__ import annotations

from collections.abc import Iterator

from reliability.fuzz.frames import BINARY, CLOSE, PING, TEXT, frame
from tests.transport.rfc6455.case import INVALID, PROTOCOL_ERROR, Case, close, cut, text

GOOD = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
FREE = (3000, 3999, 4000, 4999)
BAD = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
NO_UTF8 = (b"\xff", b"\xc3", b"ok \xed\xa0\x80", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xf4\x90\x80\x80")


def codes() -> Iterator[Case]:
    """Each good code is answered with itself, whatever the reason."""
    yield Case("no code", [frame(b"", CLOSE)], 1000)
    yield Case("half a code", [frame(b"\x03", CLOSE)], PROTOCOL_ERROR)
    for code in (*GOOD, *FREE):
        yield Case(f"code {code}", [close(code)], code)
    for code in BAD:
        yield Case(f"code {code}", [close(code)], PROTOCOL_ERROR)
        yield Case(f"code {code}, cut up", cut(close(code, b"why"), 1), PROTOCOL_ERROR)
    for code in (1000, 1014, 4999):
        for reason in (b"why", "größer".encode(), b"x" * 123):
            sent = close(code, reason)
            yield Case(f"code {code}, a reason of {len(reason)} bytes", [sent], code)
            yield Case(f"code {code}, {len(reason)} bytes, cut up", cut(sent, 1), code)
        for reason in NO_UTF8:
            yield Case(f"code {code}, a reason of {reason!r}", [close(code, reason)], INVALID)


def data_after_close() -> Iterator[Case]:
    """Is thrown away; what came before is not."""
    goodbye = close(1000)
    for name, late in (
        ("text", text("late")),
        ("a ping", frame(b"late", PING)),
        ("another close frame", close(1001)),
        ("a wrong frame", frame(b"", 3)),
        ("what is no frame", b"GET / HTTP/1.1\r\n\r\n"),
        ("200 kB", frame(bytes(200_000), BINARY)),
        ("half a frame", text("late")[:4]),
    ):
        yield Case(f"{name} after a close frame", [goodbye, late], 1000)
        yield Case(f"{name} in the same write", [goodbye + late], 1000)
        broken = frame(b"\xff", TEXT)
        yield Case(f"{name} after a mistake", [broken, late], INVALID)
    yield Case("text, then a close frame", [text("before"), goodbye], 1000, ["before"])
    yield Case("both in one write", [text("before") + goodbye], 1000, ["before"])
    sent = [frame(b"early", PING) + text("before") + goodbye + text("late")]
    yield Case("and more after that", sent, 1000, ["before"], [b"early"])
