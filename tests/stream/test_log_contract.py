"""The contract of a log, for every implementation. ``test_model.py`` is the rest of it."""

from __future__ import annotations

import hashlib
import threading

import pytest

from tests.stream.conftest import NewLog
from textstream.stream.log import Log, Read, ReadStatus


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_all(log: Log, offset: int = 0, limit: int = 3) -> list[str]:
    units: list[str] = []
    while (read := log.read(offset + len(units), limit)).status is ReadStatus.UNITS:
        assert 1 <= len(read.units) <= limit
        units += read.units
    return units


# Appending and reading


def test_an_empty_log_has_nothing_yet(log: Log) -> None:
    assert log.read(0, 10) == Read(ReadStatus.PENDING)
    assert (log.first, log.next, log.nbytes) == (0, 0, 0)
    assert log.sha256() == sha256("")


def test_append_says_where_and_read_gives_it_back(log: Log) -> None:
    assert log.append(["a", "é", "字"], keep_from=0) == 0
    assert log.append(["d"], keep_from=0) == 3
    assert list(log.read(0, 2).units) == ["a", "é"]
    assert list(log.read(2, 10).units) == ["字", "d"]
    assert log.read(4, 1).status is ReadStatus.PENDING
    assert log.next == 4
    assert log.nbytes == len("aé字d".encode())


def test_appending_nothing_changes_nothing(log: Log) -> None:
    log.append(["a"], keep_from=0)
    assert log.append([], keep_from=0) == 1
    assert log.next == 1


def test_a_string_is_a_sequence_of_units_of_one_code_point(log: Log) -> None:
    assert log.append("aé字👍", keep_from=0) == 0
    assert log.append("b", keep_from=0) == 4
    assert log.append("", keep_from=0) == 5
    assert read_all(log) == ["a", "é", "字", "👍", "b"]
    assert log.nbytes == len("aé字👍b".encode())


def test_one_read_goes_across_appends_of_every_kind(log: Log) -> None:
    batches = ["one " * 500, ["e\u0301", "to", " be"] * 300, "字" * 700, ["x"], "👍" * 5000]
    units = [unit for batch in batches for unit in batch]
    for batch in batches:
        log.append(batch, keep_from=0)
    read = log.read(0, len(units))
    assert len(read.units) == len(units)
    assert list(read.units) == units
    assert list(log.read(1, len(units)).units) == units[1:]


@pytest.mark.parametrize("units", [["a"], "a", ["to", " be"]])
def test_what_was_read_stays_as_it_was(log: Log, units: list[str]) -> None:
    log.append(units, keep_from=0)
    read = log.read(0, 10)
    log.append(units, keep_from=0)
    log.seal(0)
    assert list(read.units) == list(units)


def test_what_is_no_text_is_refused_whole(log: Log) -> None:
    """A lone surrogate has no UTF-8."""
    log.append(["a"], keep_from=0)
    for units in (["b", "\ud83d"], ["to", "\ud83d"], "b" * 5000 + "\ud83d"):
        with pytest.raises(UnicodeEncodeError):
            log.append(units, keep_from=0)
    assert read_all(log) == ["a"]
    assert (log.next, log.nbytes, log.sha256()) == (1, 1, sha256("a"))


def test_an_offset_behind_the_end_is_gone(log: Log) -> None:
    log.append(["a"], keep_from=0)
    assert log.read(2, 1).status is ReadStatus.GONE


# Sealing


def test_a_sealed_log_has_an_end_and_takes_no_more(log: Log) -> None:
    log.append(["a", "b"], keep_from=0)
    log.seal()
    assert read_all(log) == ["a", "b"]
    assert log.read(2, 1) == Read(ReadStatus.ENDED)
    assert log.read(3, 1).status is ReadStatus.GONE
    with pytest.raises(ValueError, match="sealed"):
        log.append(["c"], keep_from=0)


def test_sealing_at_an_offset_forgets_what_lies_behind(log: Log) -> None:
    log.append(["a", "b", "c", "d"], keep_from=0)
    log.seal(2)
    assert log.next == 2
    assert read_all(log) == ["a", "b"]
    assert log.read(2, 1).status is ReadStatus.ENDED
    assert log.read(3, 1).status is ReadStatus.GONE
    assert log.sha256() == sha256("ab")
    assert log.nbytes == 2


@pytest.mark.parametrize("offset", [0, 3, 9])
def test_sealing_at_the_start_the_end_or_behind_it(log: Log, offset: int) -> None:
    log.append(["a", "b", "c"], keep_from=0)
    log.seal(offset)
    assert log.next == min(offset, 3)


def test_sealing_at_what_was_trimmed_forgets_all_that_is_left(new_log: NewLog) -> None:
    log = new_log(10)
    for _ in range(20):
        log.append("x", keep_from=log.next)
    first = log.first
    assert first > 1
    log.seal(first - 1)
    assert (log.first, log.next, log.nbytes) == (first, first, 0)
    assert log.sha256() == sha256("x" * first)


def test_sealing_again_does_nothing(log: Log) -> None:
    log.append(["a", "b"], keep_from=0)
    log.seal()
    log.seal(1)
    assert log.next == 2


# Proof


def test_the_hash_covers_the_units_before_an_offset(log: Log) -> None:
    log.append(["a", "字", "👍🏽"], keep_from=0)
    assert [log.sha256(n) for n in range(4)] == [
        sha256(""), sha256("a"), sha256("a字"), sha256("a字👍🏽"),
    ]  # fmt: skip
    assert log.sha256() == log.sha256(3)
    with pytest.raises(ValueError, match="4"):
        log.sha256(4)


def test_the_hash_covers_what_was_trimmed_too(new_log: NewLog) -> None:
    log = new_log(10)
    for letter in "abcdefghijklmnopqrst":
        log.append([letter], keep_from=log.next)
    assert log.first > 0
    assert log.sha256() == sha256("abcdefghijklmnopqrst")
    assert log.sha256(log.first) == sha256("abcdefghijklmnopqrst"[: log.first])
    with pytest.raises(ValueError, match=str(log.first - 1)):
        log.sha256(log.first - 1)


# The bound


def test_the_oldest_units_go_when_the_bound_is_reached(new_log: NewLog) -> None:
    log = new_log(100)
    for n in range(1000):
        log.append([f"{n % 10}"], keep_from=n)
        assert log.nbytes <= 100
    assert log.next == 1000
    assert log.read(log.first - 1, 1).status is ReadStatus.GONE
    assert read_all(log, log.first) == [str(n % 10) for n in range(log.first, 1000)]


@pytest.mark.parametrize("sizes", [[60, 50], [99, 99], [1, 100], [70, 20, 20], [40, 40, 40]])
def test_large_units_are_trimmed_down_to_the_bound(new_log: NewLog, sizes: list[int]) -> None:
    log = new_log(100)
    for size in sizes:
        log.append(["x" * size], keep_from=log.next)
        assert log.nbytes <= 100


def test_what_is_still_needed_is_never_trimmed(new_log: NewLog) -> None:
    log = new_log(10)
    log.append(["x"] * 50, keep_from=0)
    assert (log.first, log.nbytes) == (0, 50)
    log.append(["y"], keep_from=30)
    assert log.first == 30
    assert read_all(log, 30) == ["x"] * 20 + ["y"]


def test_there_is_room_while_what_must_be_kept_is_within_the_bound(new_log: NewLog) -> None:
    log = new_log(10)
    assert log.has_room(keep_from=0)
    log.append(["x"] * 9, keep_from=0)
    assert log.has_room(keep_from=0)
    log.append(["é"], keep_from=0)
    assert not log.has_room(keep_from=0)
    assert log.has_room(keep_from=5)
    assert log.has_room(keep_from=10)


def test_what_is_discarded_is_gone_but_its_hash_is_known(log: Log) -> None:
    log.append(["añ", "字", "🇩🇪"], keep_from=0)
    log.discard()
    assert log.nbytes == 0
    assert log.first == log.next == 3
    assert log.read(0, 3).status is ReadStatus.GONE
    assert log.read(3, 1).status is ReadStatus.ENDED
    assert log.sha256() == hashlib.sha256("añ字🇩🇪".encode()).hexdigest()
    with pytest.raises(ValueError, match="sealed"):
        log.append("x", keep_from=0)
    log.discard()
    assert log.next == 3


# Threads


def test_readers_of_a_growing_log_get_it_whole_and_in_order(log: Log) -> None:
    """Three read while one writes; each assembles what was written, to the end."""
    seen: list[list[str]] = []
    started = threading.Barrier(4)

    def read() -> None:
        started.wait()
        units: list[str] = []
        while (found := log.read(len(units), 4)).status is not ReadStatus.ENDED:
            units += found.units
        seen.append(units)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    offsets = [log.append([str(n)] * 4, keep_from=0) for n in range(1000)]
    log.seal()
    for thread in threads:
        thread.join()
    assert offsets == list(range(0, 4000, 4))
    assert seen == [[str(n // 4) for n in range(4000)]] * 3


def test_writers_never_share_an_offset(log: Log) -> None:
    found: list[tuple[int, str]] = []

    def write(name: str) -> None:
        found.extend((log.append([name, name], keep_from=0), name) for _ in range(300))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(offset for offset, _ in found) == list(range(0, 1800, 2))
    for offset, name in found:
        assert list(log.read(offset, 2).units) == [name, name]
