"""What the log in memory takes, beyond the contract."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, repeat

import pytest

from textstream.access.account import Account, Kind
from textstream.stream.memory_log import HASHED_BYTES, MemoryLog

Batches = Callable[[], Iterator[Sequence[str]]]


def small_ascii() -> Iterator[Sequence[str]]:
    return repeat(["s", "m", "a", "l", "l"], 20_000)


def small_ascii_strings() -> Iterator[Sequence[str]]:
    return repeat("small", 20_000)


def cjk() -> Iterator[Sequence[str]]:
    """10,000 different characters, 10 at a time, each an object of its own."""
    for _ in range(10):
        for n in range(0x4E00, 0x4E00 + 10_000, 10):
            yield list(map(chr, range(n, n + 10)))


def words() -> Iterator[Sequence[str]]:
    for _ in range(20):
        for n in range(0, 10_000, 10):
            yield [f" word{n + i}" for i in range(10)]


def turns() -> Iterator[Sequence[str]]:
    """Clusters and letters in turn: the shortest segments that there could be."""
    for n in range(40_000):
        yield ["e\u0301"] * 5 if n % 2 else "plain"


@pytest.mark.parametrize(
    ("batches", "count", "most"),
    [
        (small_ascii, 100_000, 3),
        (small_ascii_strings, 100_000, 3),
        (cjk, 100_000, 6),
        (words, 200_000, 16),
        (turns, 200_000, 12),
    ],
)
def test_a_unit_takes_few_bytes(batches: Batches, count: int, most: float) -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        log = MemoryLog("s", partial(Account().add, Kind.TEXT), max_bytes=2**24)
        for units in batches():
            log.append(units, keep_from=0)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert log.next == count
    assert taken / count < most


def test_trimmed_text_takes_nothing() -> None:
    tracemalloc.start()
    try:
        log = MemoryLog("s", partial(Account().add, Kind.TEXT), max_bytes=10_000)
        before = tracemalloc.get_traced_memory()[0]
        for units in islice(small_ascii_strings(), 20_000):
            log.append(units, keep_from=log.next)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken < 30_000


def test_a_hash_of_what_lies_behind_the_seal_is_not_used() -> None:
    """The model reaches this seldom: it is a stop of a stream whose producer is far ahead."""
    piece = "0123456789" * 100
    logs = [MemoryLog("s", partial(Account().add, Kind.TEXT), max_bytes=2**22) for _ in range(2)]
    for log in logs:
        for _ in range(5 * HASHED_BYTES // len(piece)):
            log.append(piece, keep_from=0)
    ahead, behind = logs
    expected = behind.sha256(HASHED_BYTES + 7)
    ahead.seal("stopped", HASHED_BYTES + 7)
    assert ahead.sha256() == expected != behind.sha256()


def test_logs_count_together_what_they_keep() -> None:
    kept = Account()
    first, second = (
        MemoryLog("s", partial(kept.add, Kind.TEXT), max_bytes=1000),
        MemoryLog("s", partial(kept.add, Kind.TEXT), max_bytes=1000),
    )
    first.append("字" * 100, keep_from=0)
    second.append("x" * 950, keep_from=0)
    assert kept.total == 300 + 950
    second.append("x" * 100, keep_from=1050)
    assert second.first > 0, "trimmed"
    assert kept.total == 300 + second.next - second.first
    first.seal("stopped", 50)
    assert kept.total == 150 + second.next - second.first
    second.discard()
    assert kept.total == 150
    first.discard()
    assert kept.total == 0
