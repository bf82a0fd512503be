"""Frames, fragments and sizes: RFC 6455, 5."""

from __future__ import annotations

from collections.abc import Iterator

from reliability.fuzz.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from tests.transport.rfc6455.case import (
    DROPPED,
    LIMIT,
    LIVES,
    POLICY,
    PROTOCOL_ERROR,
    TOO_BIG,
    Case,
    close,
    cut,
    fragments,
    text,
)

MASK = b"\x9c\x01\xfe\x37"
SIZES = (125, 126, 127, 128, 65_535, 65_536)
RESERVED_OPCODES = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)


def framing() -> Iterator[Case]:
    """Lengths in each of their forms, masks, writes that cut frames anywhere."""
    yield Case("text of 0 bytes: no Engine.IO packet", [frame(b"")], POLICY)
    yield Case("binary of 0 bytes", [frame(b"", BINARY)], handled=[b""])
    for size in (1, *SIZES):
        rest = size - 1  # behind the 4
        said, data = "é" * (rest // 2) + "x" * (rest % 2), bytes(range(256)) * 257
        yield Case(f"text of {size} bytes", [text(said)], handled=[said])
        sent = frame(data[:size], BINARY, mask=MASK)
        yield Case(f"binary of {size} bytes", [sent], handled=[data[:size]])
    for size in range(1, 9):
        said = "abcdefgh"[:size]
        yield Case(f"a mask over {size} bytes", [text(said, mask=MASK)], handled=[said])
    long = "long " * 13_000
    yield Case("text of 65 kB in writes of 997", cut(text(long, mask=MASK), 997), handled=[long])
    yield Case("text of 201 bytes, byte by byte", cut(text("x" * 200), 1), handled=["x" * 200])
    data = b"\0\xff" * 9
    yield Case("binary, byte by byte", cut(frame(data, BINARY), 1), handled=[data])
    yield Case("fifty messages in one write", [text("m") * 50], handled=["m"] * 50)


def lengths_and_masks_that_are_wrong() -> Iterator[Case]:
    """RFC 6455, 5.1 and 5.2."""
    for size, width in ((0, 2), (5, 2), (125, 2), (5, 8), (126, 8), (65_535, 8)):
        for opcode, name in ((TEXT, "text"), (BINARY, "binary")):
            sent = frame(b"4" * size, opcode, width=width)
            yield Case(f"{name} of {size} bytes, a length of {width} bytes", [sent], PROTOCOL_ERROR)
    for size in (1 << 63, (1 << 64) - 1):
        for opcode in (TEXT, BINARY, CONTINUATION):
            sent = frame(b"", opcode, length=size, width=8)
            yield Case(f"opcode {opcode} of {size:#x} bytes", [sent], PROTOCOL_ERROR)
    for opcode in (TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE):
        sent = frame(b"\x03\xe8", opcode, mask=None)
        yield Case(f"opcode {opcode} without a mask", [sent], PROTOCOL_ERROR)
    after = [text("first"), text("second", mask=None)]
    yield Case("a message, then one without a mask", after, PROTOCOL_ERROR, ["first"])


def pings() -> Iterator[Case]:
    """Each ping is answered with its payload, a pong with nothing (RFC 6455, 5.5.2, 5.5.3)."""
    for payload in (b"", b"a", b"Hello", bytes(range(0, 250, 2)), b"\xff\xfe\x80"):
        sent = frame(payload, PING, mask=MASK)
        yield Case(f"a ping of {len(payload)} bytes", [sent], pongs=[payload])
        yield Case(f"a ping of {len(payload)} bytes, cut up", cut(sent, 1), pongs=[payload])
        yield Case(f"a pong of {len(payload)} bytes that nobody asked for", [frame(payload, PONG)])
    ten = [b"%d" % number for number in range(10)]
    yield Case("ten pings", [frame(one, PING) for one in ten], pongs=ten)
    yield Case("ten pings in one write", [b"".join(frame(one, PING) for one in ten)], pongs=ten)
    between = [frame(b"x", PONG), frame(b"y", PING), frame(b"z", PONG)]
    yield Case("a ping between pongs", between, pongs=[b"y"])
    for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        too_long = frame(b"\x03\xe8" + b"x" * 124, opcode)
        yield Case(f"{name} of 126 bytes", [too_long], PROTOCOL_ERROR)
        in_parts = [frame(b"\x03\xe8", opcode, fin=False), frame(b"", CONTINUATION)]
        yield Case(f"{name} in fragments", in_parts, PROTOCOL_ERROR)


def reserved() -> Iterator[Case]:
    """Bits and opcodes that no extension has claimed (RFC 6455, 5.2)."""
    for bits in range(1, 8):
        sent = text("no", reserved=bits)
        yield Case(f"reserved bits {bits}", [sent], PROTOCOL_ERROR)
        yield Case(f"reserved bits {bits}, cut up", cut(sent, 1), PROTOCOL_ERROR)
        after = [text("yes") + sent + frame(b"late", PING)]
        yield Case(f"reserved bits {bits} after a message", after, PROTOCOL_ERROR, ["yes"])
        for opcode, name in ((PING, "ping"), (CLOSE, "close")):
            sent = frame(b"\x03\xe8", opcode, reserved=bits)
            yield Case(f"reserved bits {bits} of a {name}", [sent], PROTOCOL_ERROR)
    for opcode in RESERVED_OPCODES:
        for payload in (b"", b"payload"):
            sent = frame(payload, opcode)
            name = f"opcode {opcode} with {len(payload)} bytes"
            yield Case(name, [sent], PROTOCOL_ERROR)
            late = frame(b"late", PING)
            after = [text("yes"), frame(b"early", PING), sent, late]
            yield Case(f"{name} after a message", after, PROTOCOL_ERROR, ["yes"], [b"early"])


def fragmentation() -> Iterator[Case]:
    """RFC 6455, 5.4."""
    yield Case("text in two", fragments(b"4one", b"two"), handled=["onetwo"])
    yield Case("binary in two", fragments(b"\0", b"\xff", opcode=BINARY), handled=[b"\0\xff"])
    yield Case("empty fragments", fragments(b"", b"4a", b"", b"b", b""), handled=["ab"])
    yield Case("nothing but empty fragments", fragments(b"", b"", b""), POLICY)
    yield Case("two hundred fragments", fragments(b"4", *[b"x"] * 200), handled=["x" * 200])
    yield Case("fragments in one write", [b"".join(fragments(b"4a", b"b"))], handled=["ab"])
    data = b"".join(fragments(b"4a", b"b", b"c"))
    yield Case("fragments, byte by byte", cut(data, 1), handled=["abc"])
    first, last = fragments(b"4one", b"two")
    for payload in (b"", b"between", bytes(125)):
        sent = [first, frame(payload, PING), last]
        name = f"a ping of {len(payload)} bytes between fragments"
        yield Case(name, sent, handled=["onetwo"], pongs=[payload])
        yield Case(f"{name}, cut up", cut(b"".join(sent), 1), LIVES, ["onetwo"], [payload])
    sent = [first, frame(b"1", PING), frame(b"x", PONG), frame(b"2", PING), last]
    yield Case("pings and a pong between", sent, handled=["onetwo"], pongs=[b"1", b"2"])
    yield Case("a close between fragments", [first, close(1000), last], 1000)
    for fin in (True, False):
        sent = [frame(b"lost", CONTINUATION, fin=fin)]
        yield Case(f"nothing to continue, final {fin}", sent, PROTOCOL_ERROR)
        after = [text("whole"), *sent]
        yield Case(f"nothing to continue any more, {fin}", after, PROTOCOL_ERROR, ["whole"])
        for opcode, name in ((TEXT, "text"), (BINARY, "binary")):
            begun = [frame(b"4begun", opcode, fin=False)]
            again = [*begun, frame(b"4other", TEXT, fin=fin)]
            yield Case(f"text in the middle of {name}, final {fin}", again, PROTOCOL_ERROR)
            again = [*begun, frame(b"other", BINARY, fin=fin)]
            yield Case(f"binary in the middle of {name}, final {fin}", again, PROTOCOL_ERROR)
    sent = [first, frame(b"two", CONTINUATION, reserved=4)]
    yield Case("a continuation with reserved bits", sent, PROTOCOL_ERROR)
    yield Case("a reserved opcode between fragments", [first, frame(b"", 3)], PROTOCOL_ERROR)


def sizes_over_the_limit() -> Iterator[Case]:
    """Too large (1009), in one or in many frames, and what is just not."""
    most = "x" * (LIMIT - 1)
    yield Case("text at the limit", [text(most)], handled=[most])
    yield Case("binary at the limit", [frame(bytes(LIMIT), BINARY)], handled=[bytes(LIMIT)])
    yield Case("text over the limit is dropped", [text(most + "x"), text("on")], handled=["on"])
    yield Case("the limit is one of bytes", [text("é" * (LIMIT // 2)), text("on")], handled=["on"])
    yield Case("binary over the limit", [frame(bytes(LIMIT + 1), BINARY)], TOO_BIG)
    half = bytes(LIMIT // 2 + 1)
    yield Case("binary over the limit in two", fragments(half, half, opcode=BINARY), TOO_BIG)
    yield Case("text far over the limit", [text("x" * DROPPED)], TOO_BIG)
    parts = [b"4", *[b"x" * LIMIT] * 8]
    yield Case("text far over the limit in parts", fragments(*parts), TOO_BIG)
    yield Case("and unfinished", fragments(*parts, b"")[:-1], TOO_BIG)
    yield Case("and more after the end of it", [*fragments(*parts), text("late")], TOO_BIG)
    sent = [text("before") + frame(bytes(LIMIT + 1), BINARY)]
    yield Case("a message, then one over the limit", sent, TOO_BIG, ["before"])
