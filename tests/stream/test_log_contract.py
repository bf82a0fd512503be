"""The contract of a log, for every implementation. ``test_model.py`` is the rest of it."""

from __future__ import annotations

import hashlib
import threading

import pytest

from tests.stream.conftest import MakeLog
from textstream.access.account import Account
from textstream.stream.log import Ending, Log


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_all(log: Log, offset: int = 0, limit: int = 3) -> list[str]:
    units: list[str] = []
    while read := log.read(offset + len(units), limit):
        assert len(read) <= limit
        units += read
    return units


def nothing_yet(log: Log, offset: int, limit: int) -> bool:
    read = log.read(offset, limit)
    return read is not None and not read and log.ending is None


def no_more(log: Log, offset: int, limit: int) -> bool:
    read = log.read(offset, limit)
    return read is not None and not read and log.ending is not None


# Appending and reading


def test_an_empty_log_has_nothing_yet(log: Log, kept: Account) -> None:
    assert nothing_yet(log, 0, 10)
    assert (log.first, log.next, kept.total) == (0, 0, 0)
    assert log.sha256() == sha256("")


def test_append_says_where_and_read_gives_it_back(log: Log, kept: Account) -> None:
    assert log.append(["a", "é", "字"], keep_from=0) == 0
    assert log.append(["d"], keep_from=0) == 3
    assert list(log.read(0, 2) or ()) == ["a", "é"]
    assert list(log.read(2, 10) or ()) == ["字", "d"]
    assert nothing_yet(log, 4, 1)
    assert log.next == 4
    assert kept.total == len("aé字d".encode())


def test_appending_nothing_changes_nothing(log: Log) -> None:
    log.append(["a"], keep_from=0)
    assert log.append([], keep_from=0) == 1
    assert log.next == 1


def test_a_string_is_a_sequence_of_units_of_one_code_point(log: Log, kept: Account) -> None:
    assert log.append("aé字👍", keep_from=0) == 0
    assert log.append("b", keep_from=0) == 4
    assert log.append("", keep_from=0) == 5
    assert read_all(log) == ["a", "é", "字", "👍", "b"]
    assert kept.total == len("aé字👍b".encode())


def test_one_read_goes_across_appends_of_every_kind(log: Log) -> None:
    batches = ["one " * 500, ["e\u0301", "to", " be"] * 300, "字" * 700, ["x"], "👍" * 5000]
    units = [unit for batch in batches for unit in batch]
    for batch in batches:
        log.append(batch, keep_from=0)
    read = log.read(0, len(units))
    assert len(read or ()) == len(units)
    assert list(read or ()) == units
    assert list(log.read(1, len(units)) or ()) == units[1:]


@pytest.mark.parametrize("units", [["a"], "a", ["to", " be"]])
def test_what_was_read_stays_as_it_was(log: Log, units: list[str]) -> None:
    log.append(units, keep_from=0)
    read = log.read(0, 10)
    log.append(units, keep_from=0)
    log.seal("stopped", 0)
    assert list(read or ()) == list(units)


def test_what_is_no_text_is_refused_whole(log: Log, kept: Account) -> None:
    """A lone surrogate has no UTF-8."""
    log.append(["a"], keep_from=0)
    for units in (["b", "\ud83d"], ["to", "\ud83d"], "b" * 5000 + "\ud83d"):
        with pytest.raises(UnicodeEncodeError):
            log.append(units, keep_from=0)
    assert read_all(log) == ["a"]
    assert (log.next, kept.total, log.sha256()) == (1, 1, sha256("a"))


def test_an_offset_behind_the_end_is_gone(log: Log) -> None:
    log.append(["a"], keep_from=0)
    assert log.read(2, 1) is None


# Sealing


def test_a_sealed_log_has_an_end_and_takes_no_more(log: Log) -> None:
    log.append(["a", "b"], keep_from=0)
    log.seal("completed")
    assert read_all(log) == ["a", "b"]
    assert no_more(log, 2, 1)
    assert log.read(3, 1) is None
    with pytest.raises(ValueError, match="sealed"):
        log.append(["c"], keep_from=0)


def test_sealing_at_an_offset_forgets_what_lies_behind(log: Log, kept: Account) -> None:
    log.append(["a", "b", "c", "d"], keep_from=0)
    log.seal("stopped", 2)
    assert log.next == 2
    assert read_all(log) == ["a", "b"]
    assert no_more(log, 2, 1)
    assert log.read(3, 1) is None
    assert log.sha256() == sha256("ab")
    assert kept.total == 2


@pytest.mark.parametrize("offset", [0, 3, 9])
def test_sealing_at_the_start_the_end_or_behind_it(log: Log, offset: int) -> None:
    log.append(["a", "b", "c"], keep_from=0)
    log.seal("stopped", offset)
    assert log.next == min(offset, 3)


def test_sealing_at_what_was_trimmed_forgets_all_that_is_left(
    make_log: MakeLog, kept: Account
) -> None:
    log = make_log(10)
    for _ in range(20):
        log.append("x", keep_from=log.next)
    first = log.first
    assert first > 1
    log.seal("stopped", first - 1)
    assert (log.first, log.next, kept.total) == (first, first, 0)
    assert log.sha256() == sha256("x" * first)


def test_sealing_again_does_nothing(log: Log) -> None:
    log.append(["a", "b"], keep_from=0)
    log.seal("completed")
    log.seal("stopped", 1)
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


def test_the_hash_covers_what_was_trimmed_too(make_log: MakeLog) -> None:
    log = make_log(10)
    for letter in "abcdefghijklmnopqrst":
        log.append([letter], keep_from=log.next)
    assert log.first > 0
    assert log.sha256() == sha256("abcdefghijklmnopqrst")
    assert log.sha256(log.first) == sha256("abcdefghijklmnopqrst"[: log.first])
    with pytest.raises(ValueError, match=str(log.first - 1)):
        log.sha256(log.first - 1)


# The ending


def test_a_sealed_log_knows_how_it_ended(log: Log) -> None:
    log.append(["a", "ñ", "c"], keep_from=0)
    error = {"code": "source_failed", "message": "It broke.", "retryable": True}
    assert log.ending is None
    ending = log.seal("error", 2, error)
    assert ending == log.ending == Ending("error", 2, sha256("añ"), error)
    assert log.seal("stopped", 1) == ending, "only the first time counts"


def test_what_was_forgotten_ended_all_the_same(log: Log) -> None:
    log.append(["a", "ñ"], keep_from=0)
    log.seal("completed")
    log.discard()
    assert log.ending == Ending("completed", 2, sha256("añ"))


# The bound


def test_the_oldest_units_go_when_the_bound_is_reached(make_log: MakeLog, kept: Account) -> None:
    log = make_log(100)
    for n in range(1000):
        log.append([f"{n % 10}"], keep_from=n)
        assert kept.total <= 100
    assert log.next == 1000
    assert log.read(log.first - 1, 1) is None
    assert read_all(log, log.first) == [str(n % 10) for n in range(log.first, 1000)]


@pytest.mark.parametrize("sizes", [[60, 50], [99, 99], [1, 100], [70, 20, 20], [40, 40, 40]])
def test_large_units_are_trimmed_down_to_the_bound(
    make_log: MakeLog, sizes: list[int], kept: Account
) -> None:
    log = make_log(100)
    for size in sizes:
        log.append(["x" * size], keep_from=log.next)
        assert kept.total <= 100


def test_what_is_still_needed_is_never_trimmed(make_log: MakeLog, kept: Account) -> None:
    log = make_log(10)
    log.append(["x"] * 50, keep_from=0)
    assert (log.first, kept.total) == (0, 50)
    log.append(["y"], keep_from=30)
    assert log.first == 30
    assert read_all(log, 30) == ["x"] * 20 + ["y"]


def test_there_is_room_while_what_must_be_kept_is_within_the_bound(make_log: MakeLog) -> None:
    log = make_log(10)
    assert log.has_room(keep_from=0)
    log.append(["x"] * 9, keep_from=0)
    assert log.has_room(keep_from=0)
    log.append(["é"], keep_from=0)
    assert not log.has_room(keep_from=0)
    assert log.has_room(keep_from=5)
    assert log.has_room(keep_from=10)


def test_what_is_discarded_is_gone_but_its_hash_is_known(log: Log, kept: Account) -> None:
    log.append(["añ", "字", "🇩🇪"], keep_from=0)
    log.discard()
    assert kept.total == 0
    assert log.first == log.next == 3
    assert log.read(0, 3) is None
    assert nothing_yet(log, 3, 1), "it was not sealed"
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
        while not no_more(log, len(units), 4):
            units += log.read(len(units), 4) or ()
        seen.append(units)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    offsets = [log.append([str(n)] * 4, keep_from=0) for n in range(1000)]
    log.seal("completed")
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
        assert list(log.read(offset, 2) or ()) == [name, name]


def test_there_is_room_for_fewer_bytes_than_are_asked_for(make_log: MakeLog) -> None:
    log = make_log(100)
    log.append("字" * 10, keep_from=0)
    assert log.has_room(keep_from=0, most=31)
    assert not log.has_room(keep_from=0, most=30)
    assert log.has_room(keep_from=5, most=16)
    assert not log.has_room(keep_from=5, most=15)
