"""Values and texts that parsers trip over, and what mutates bytes. Seeded by the caller."""

from __future__ import annotations

import json
from random import Random
from typing import Any

STRINGS = (
    "", " ", "\0", "a\0b", "\x1e", "\ud800", "\udfff", "x\ud83d", "\ufeff", "\u202e", "\uffff",
    "é" * 50, "👨‍👩‍👧‍👦" * 20, "\u0301" * 300, "../../etc/passwd", "{{7*7}}", "%s%n%x", "' OR 1=1",
    "__proto__", "__class__", "constructor", "null", "NaN", "-0", "1e999", "text", "llm", "openai",
    "nowhere", "x" * 200, "y" * 5000, "\r\nSet-Cookie: a=b", "٣", "²", "½", "\u2028", "auto",
    "char",
)  # fmt: skip

NUMBERS = (
    0, -0.0, -1, 1, 0.5, 1e-320, 2**31, 2**53, 2**53 - 1, 2**63, -(2**63), 2**64, 10**40, 1e308,
    float("inf"), float("-inf"), float("nan"), 100_000, 100_001,
)  # fmt: skip

LONG = (0, 1, 125, 126, 127, 1000, 65_535, 65_536, 70_000)
"""Lengths around which encodings change."""


def string(chance: Random) -> str:
    """Return a string that is seldom seen."""
    if chance.random() < 0.1:
        return chr(chance.randrange(0x110000)) * chance.choice((1, 3, 40))
    return chance.choice(STRINGS)


def value(chance: Random, depth: int = 0) -> Any:
    """Return any JSON value, NaN and lone surrogates among them."""
    kind = chance.randrange(7 if depth < 3 else 5)
    if kind == 0:
        return chance.choice((None, True, False))
    if kind == 1:
        return chance.choice(NUMBERS)
    if kind in {2, 3}:
        return string(chance)
    if kind == 4:
        return {"_placeholder": True, "num": chance.choice((0, 1, -1, 10**9, "0", None, 0.5))}
    if kind == 5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {string(chance): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def nested(chance: Random) -> str:
    """Return JSON, or nearly, that is deep."""
    depth = chance.choice((50, 500, 1000, 5000, 100_000))
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}"), ("[[{}],", "]")))
    return opening * depth + chance.choice(("", "1")) + closing * chance.choice((0, depth))


def json_text(chance: Random, what: Any) -> str:
    """Return `what` in JSON, often broken."""
    text = json.dumps(what, ensure_ascii=chance.random() < 0.7, separators=(",", ":"))
    kind = chance.randrange(10)
    if kind == 0:
        return text[: chance.randrange(len(text) + 1)]
    if kind == 1:
        place = chance.randrange(len(text) + 1)
        return text[:place] + chance.choice(',:"[]{}\\\0e-+.#') + text[place:]
    if kind == 2:
        return text + chance.choice((text, "]", "}", "\0", "//", " ", "\x1e4"))
    if kind == 3:
        return text.replace("[", chance.choice(("{", "[[", "[,")), 1)
    return text


def encoded(text: str) -> bytes:
    """Return UTF-8; lone surrogates as WTF-8 has them, which is not UTF-8."""
    return text.encode("utf-8", "surrogatepass")


def garbage(chance: Random, most: int = 64) -> bytes:
    """Return up to `most` random bytes."""
    return chance.randbytes(chance.randrange(most + 1))


def mutated(chance: Random, data: bytes) -> bytes:
    """Return `data` with one to four things wrong."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(out) + 1)
        kind = chance.randrange(6)
        if kind == 0 and place < len(out):
            out[place] ^= 1 << chance.randrange(8)
        elif kind == 1 and place < len(out):
            out[place] = chance.choice((0, 0x0A, 0x0D, 0x20, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            out[place:place] = garbage(chance, 8)
        elif kind == 3:
            del out[place : place + chance.choice((1, 2, 10))]
        elif kind == 4:
            out[place:place] = out[place : place + 20] * chance.choice((1, 30))
        else:
            del out[place:]
    return bytes(out)
