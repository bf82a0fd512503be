"""The contract of a log, for every implementation. A new one adds itself to ``LOGS``."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textstream.logs.base import Log, Read, ReadStatus
from textstream.logs.memory import MemoryLog

NewLog = Callable[[int], Log]
"""Makes an empty log that keeps so many bytes."""

LOGS: dict[str, NewLog] = {"memory": MemoryLog}

PLENTY = 2**20


@pytest.fixture(params=list(LOGS.values()), ids=list(LOGS))
def new_log(request: pytest.FixtureRequest) -> NewLog:
    made: NewLog = request.param
    return made


@pytest.fixture
def log(new_log: NewLog) -> Log:
    return new_log(PLENTY)


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


# Against a plain list

units = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    max_bytes=st.integers(1, 60),
    appends=st.lists(st.tuples(units, st.floats(0, 1)), max_size=12),
    seal_at=st.one_of(st.none(), st.integers(0, 60)),
)
def test_it_answers_as_a_list_would_but_for_what_it_trimmed(
    new_log: NewLog,
    max_bytes: int,
    appends: list[tuple[list[str], float]],
    seal_at: int | None,
) -> None:
    log = new_log(max_bytes)
    model: list[str] = []
    keep_from = 0
    for batch, fraction in appends:
        keep_from = max(keep_from, int(len(model) * fraction))
        assert log.append(batch, keep_from=keep_from) == len(model)
        model += batch
        kept = len("".join(model[log.first :]).encode())
        assert log.nbytes == kept
        assert log.first <= keep_from or log.first == 0
        assert kept <= max_bytes or log.first == keep_from
        needed = len("".join(model[keep_from:]).encode())
        assert log.has_room(keep_from=keep_from) == (needed < max_bytes)
    if seal_at is not None:
        log.seal(seal_at)
        del model[max(seal_at, log.first) :]
    assert log.next == len(model)
    for offset in range(log.first, len(model)):
        assert list(log.read(offset, 4).units) == model[offset : offset + 4]
    for offset in range(log.first):
        assert log.read(offset, 1).status is ReadStatus.GONE
    assert log.sha256() == sha256("".join(model))


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
