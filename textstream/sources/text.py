"""The source ``text``: what the client sent, or a sample in many scripts."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator

import regex

from textstream.access.account import Holding
from textstream.sources.base import Source, SourceRequest

# Written with escapes where an editor could join what must stay apart: "e" and its accent, and
# the letters of a Hangul syllable.
SAMPLE_TEXT = (
    "This text reaches you one character at a time, each exactly once and in order. "
    "这是一段要逐步返回的文字。\n\n"
    "A character is what you see, not what a computer stores: a family 👨‍👩‍👧‍👦, a flag 🇳🇿, "
    "a cafe\u0301 with an accent of its own, क्षमा in Devanagari, "
    "\u1112\u1161\u11ab\u1100\u1173\u11af in Hangul, and مرحبا, which runs from right to left. "
    "None of them is ever cut.\n\n"
    "Now change the speed, stop it, or send some words of your own."
)
"""Streamed when nothing was sent. Its characters are hard to cut right; that is the point."""

DELTA = 1024
"""Code points handed over at once where nobody sees the deltas: cutting them fine takes longer."""

FIRST_DELTA = 256
"""The same of the first, which is cut in the thread that starts the stream: 0.4 ms at most."""

WHOLE_ASCII = 4096
WHOLE = 512
WHOLE_WORDS = 256
"""Code points of a text that is cut there as a whole: of ASCII, which is one slice, of other
characters, and where units are words. Each takes 0.4 ms at most."""

BLOCK = 8_192
"""Code points. A longer text is kept compressed while it waits for its readers, in blocks of these.

At a reader's pace half a million characters take hours, and there may be thousands of them.
Compressing them takes a tenth of the time of sending them. The block that is being sent is not
compressed: it takes 32 kB at most. Of larger ones deflate would make no less: it looks back 32 kB.
"""

MARGIN = 64
"""Code points at the end of a block whose pieces may be others when the next block is there.

A piece is decided by two code points behind it, at most.
"""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"

# Nothing follows that would join the cluster before (UAX #29, rules GB9 and GB9a).
_END = r"(?![\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}])"
# A word with the space behind it, flags, two characters of a script without spaces, or white
# space. Never cuts a grapheme cluster (\X). A piece has 24 characters at most, so that one
# unbroken run of letters still arrives bit by bit.
# The first branch is only there for speed: English goes through three times faster. So is the
# one for flags: at each flag \X counts all those before it, which takes minutes for a long row.
_PIECE = regex.compile(
    rf"[!-~]{{1,24}}+(?=[\t-\r -~]|\Z)(?: {_END})?"
    rf"|(?:\p{{RI}}{{2}}{_END}){{1,4}}"
    rf"|(?:(?=[{_UNSPACED}])\X){{1,2}}"
    rf"|(?:(?![\s\p{{RI}}{_UNSPACED}])\X){{1,24}}(?: {_END})?"
    r"|(?:(?=\s)\X){1,8}"
    r"|\X"
)


def pieces(text: str) -> Iterator[str]:
    """Cut `text` into small pieces, between characters and where possible between words.

    Lazily: a list of the pieces of a long text would take ten times its memory.
    """
    return (match.group() for match in _PIECE.finditer(text))


def _pack(text: str) -> list[bytes]:
    """Return `text` compressed, in blocks, so that little of it is unpacked at a time."""
    return [
        zlib.compress(text[start : start + BLOCK].encode("utf-8", "surrogatepass"), level=1)
        for start in range(0, len(text), BLOCK)
    ]


def _unpack(packed: list[bytes], holding: Holding | None) -> Iterator[str]:
    """Yield the blocks, and let go of each; count what is left."""
    packed.reverse()
    left = sum(map(len, packed))
    while packed:
        block = zlib.decompress(packed[-1]).decode("utf-8", "surrogatepass")
        left -= len(packed.pop())
        if holding:
            holding.set(left + sys.getsizeof(block))
        yield block


def pieces_of(blocks: Iterator[str]) -> Iterator[str]:
    """Cut a text that comes in blocks into the same `pieces` as the whole of it."""
    kept = ""
    for block in blocks:
        text, kept = kept + block, ""
        sure = len(text) - MARGIN
        for match in _PIECE.finditer(text):
            if match.end() > sure:
                kept = text[match.start() :]
                break
            yield match.group()
    yield from pieces(kept)


def _whole(request: SourceRequest) -> str | None:
    text = SAMPLE_TEXT if request.prompt is None else request.prompt
    size, unit = len(text), request.unit
    if unit == "char":
        return text if size <= WHOLE or (size <= WHOLE_ASCII and text.isascii()) else None
    return text if unit == "word" and size <= WHOLE_WORDS else None


def _generate(request: SourceRequest) -> Iterator[str]:
    text = SAMPLE_TEXT if request.prompt is None else request.prompt
    unit = request.unit
    if len(text) <= BLOCK:
        if unit == "token":
            yield from pieces(text)
        else:
            yield from _parts(text)
        return
    packed, holding = _pack(text), request.holding
    del request, text
    blocks = _unpack(packed, holding)
    if unit == "token":
        yield from pieces_of(blocks)
    else:
        for block in blocks:
            yield from _parts(block)


def _parts(text: str) -> Iterator[str]:
    if text:
        yield text[:FIRST_DELTA]
    for start in range(FIRST_DELTA, len(text), DELTA):
        yield text[start : start + DELTA]


def text_source() -> Source:
    """Return the source ``text``. It needs nothing and takes no params."""
    return Source(
        name="text",
        generate=_generate,
        description="The text that you send, or a sample in many scripts.",
        live=False,
        immediate=True,
        quick=True,
        whole=_whole,
        deterministic=True,
        contextual=False,
        needs_prompt=False,
    )
