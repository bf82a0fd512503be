"""What is kept of messages while they arrive. That they are understood: see ``test_frames``."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.transport.raw import frame
from textstream.transport.assembler import FRAMES, Assembler, Broken, Closed, Incoming, Ping
from textstream.transport.bounds import LARGE, Bounds, Limit, Parts
from textstream.transport.large import Large, Oversized

BOUNDS = Bounds(
    max_message=2_000_000,
    max_dropped=3_000_000,
    max_plain=LARGE,
    may_be_large=lambda head: head.startswith('42["big"'),
    max_parts=Parts(),
)

TEXT, BINARY, MORE, CLOSE, PING = 1, 2, 0, 8, 9


def pieces(kind: int, payload: bytes, size: int = 8192) -> Iterator[bytes]:
    """Yield the frames of a message in fragments of `size` bytes."""
    for start in range(0, len(payload), size):
        part = payload[start : start + size]
        yield frame(MORE if start else kind, part, fin=start + size >= len(payload))


def feed(assembler: Assembler, data: bytes) -> list[Incoming]:
    """Feed `data`, and go on until there is no more in it."""
    found = assembler.feed(data)
    while assembler.pending:
        found += assembler.feed(b"")
    return found


def assemble(assembler: Assembler, kind: int, payload: bytes) -> Incoming:
    """Return the one thing that a message in fragments makes, which comes with its last one."""
    found = [
        (one, assembler.kept) for part in pieces(kind, payload) for one in feed(assembler, part)
    ]
    ((one, kept),) = found
    assert kept == 0
    return one


@pytest.mark.parametrize("character", ["a", "\u0100", "😀"])
def test_small_fragments_are_joined_as_they_come(character: str) -> None:
    """983,000 of them made 83 MB of 7.5."""
    assembler, count = Assembler(Bounds()), 20_000
    part = frame(MORE, character.encode(), fin=False)
    feed(assembler, frame(TEXT, character.encode(), fin=False))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(count // 100):
            assert feed(assembler, part * 100) == []
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    size = (count + 1) * len(character.encode())
    assert assembler.kept == size
    assert kept < 1.5 * size + 10_000
    (message,) = feed(assembler, frame(MORE))
    made = message.take() if isinstance(message, Large) else message
    assert made == character * (count + 1)


def test_a_few_frames_are_looked_at_at_a_time_and_none_is_lost() -> None:
    assembler = Assembler(Bounds())
    data = b"".join(frame(PING, str(number).encode()) for number in range(3 * FRAMES + 1))
    found = assembler.feed(data + frame(CLOSE, b"\x03\xe8") + frame(PING, b"after it"))
    assert len(found) == assembler.frames == FRAMES
    assert assembler.pending
    while assembler.pending:
        found += assembler.feed(b"")
        assert assembler.frames <= FRAMES
    assert found == [*(Ping(str(n).encode()) for n in range(3 * FRAMES + 1)), Closed(1000)]


def test_a_frame_counts_when_it_ends() -> None:
    assembler = Assembler(Bounds())
    data = frame(TEXT, b"abc")
    assert [(assembler.feed(data[n : n + 1]), assembler.frames) for n in range(len(data))] == [
        *[([], 0)] * (len(data) - 1),
        (["abc"], 1),
    ]
    assert assembler.feed(frame(TEXT, b"a", fin=False)) == []
    assert assembler.frames == 1


def test_only_what_may_be_large_is_kept() -> None:
    assembler = Assembler(BOUNDS)
    text = '42["any","' + "é" * 500_000 + '"]'
    kept = [(feed(assembler, part), assembler.kept)[1] for part in pieces(TEXT, text.encode())]
    assert max(kept) <= LARGE
    assert kept[-100:] == [0] * 100
    assert assemble(assembler, TEXT, text.encode()) == Oversized(
        text[:1024], len(text.encode()), Limit.PLAIN
    )
    big = text.replace("any", "big")
    message = assemble(assembler, TEXT, big.encode())
    assert isinstance(message, Large)
    assert message.head == big[:1024]
    assert isinstance(message.measured(BOUNDS), Large)
    assert message.take(2) == big[2:]
    assert message.nbytes == 0, "it is not kept twice"


def test_small_parts_are_refused_long_before_the_end() -> None:
    assembler = Assembler(BOUNDS)
    text = '42["big",' + json.dumps({str(n): 1 for n in range(100_000)}) + "]"
    kept = [(feed(assembler, part), assembler.kept)[1] for part in pieces(TEXT, text.encode())]
    assert max(kept) <= LARGE
    assert assemble(assembler, TEXT, text.encode()) == Oversized(
        text[:1024], len(text), Limit.PARTS
    )


def test_small_parts_behind_a_long_text_are_refused_at_the_end() -> None:
    text = '42["big","' + "a" * 100_000 + '",' + json.dumps([1] * 100_000) + "]"
    message = assemble(Assembler(BOUNDS), TEXT, text.encode())
    assert isinstance(message, Large)
    assert message.measured(BOUNDS) == Oversized(text[:1024], len(text), Limit.PARTS)


def test_what_is_over_several_limits_is_told_the_first() -> None:
    text = b'42["big","' + b"a" * 2_000_000
    assert assemble(Assembler(BOUNDS), TEXT, text) == Oversized(
        text[:1024].decode(), len(text), Limit.MESSAGE
    )
    text = b'42["any","' + b"a" * 2_000_000
    assert assemble(Assembler(BOUNDS), TEXT, text) == Oversized(
        text[:1024].decode(), len(text), Limit.PLAIN
    )


@pytest.mark.parametrize(("kind", "size"), [(BINARY, LARGE + 1), (TEXT, 3_000_001)])
def test_what_cannot_be_answered_ends_the_connection(kind: int, size: int) -> None:
    assembler = Assembler(BOUNDS)
    assert assemble(assembler, kind, b"x" * size) == Broken(1009, "Message is too big")
    assert not assembler.unfinished


@pytest.mark.parametrize("kind", [TEXT, BINARY])
def test_without_such_limits_all_may_be_large(kind: int) -> None:
    message = assemble(Assembler(Bounds()), kind, b"[" * 1_000_000)
    assert isinstance(message, Large)
    assert isinstance(message.measured(Bounds()), Large)
    assert message.take() == (b"[" * 1_000_000 if kind == BINARY else "[" * 1_000_000)


def test_of_what_is_discarded_nothing_is_kept() -> None:
    assembler = Assembler(Bounds())
    feed(assembler, frame(TEXT, b"begun", fin=False))
    assert (assembler.unfinished, assembler.kept) == (True, 5)
    assembler.discard()
    assert (assembler.unfinished, assembler.kept) == (False, 0)
    end = frame(MORE, b"ended") + frame(TEXT, b"another") + frame(BINARY, b"half", fin=False)
    assert feed(assembler, end + frame(CLOSE)) == [Closed(1000)]
    assert (assembler.unfinished, assembler.kept) == (False, 0)
