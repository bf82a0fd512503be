"""How many descriptors there may be, and what is said before they run out."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys

import pytest

from tests.support.clock import ManualClock
from tests.support.running_server import ROOT
from textstream.web.descriptors import (
    FALLBACK,
    MOST,
    RECOUNT_SECONDS,
    STALE_SECONDS,
    Recent,
    Usage,
    for_connections,
    in_use,
    limit,
    raise_limit,
)

RAISED = """
import resource
from textstream.settings import Settings
from textstream.web.app import create_app
from textstream.web.process import tune_process

resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))
app = create_app(Settings())
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
tune_process(app.extensions["textstream"])
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_whoever_serves_raises_the_soft_limit_to_the_hard_one() -> None:
    output = subprocess.check_output([sys.executable, "-c", RAISED], cwd=ROOT, text=True)
    assert output.splitlines() == ["100 300", "300 300"]


ENDLESS = -1


@pytest.mark.parametrize(
    ("before", "allowed", "after"),
    [
        ((1024, ENDLESS), MOST, MOST),
        ((256, ENDLESS), FALLBACK, FALLBACK),  # macOS
        ((1024, 2**30), MOST, MOST),  # a container's
        ((1024, 4096), 0, 1024),  # not allowed at all
        ((ENDLESS, ENDLESS), MOST, ENDLESS),
        ((2**21, 2**30), MOST, 2**21),
    ],
)
def test_what_systems_allow(
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int], allowed: int, after: int
) -> None:
    limits = [before]

    def set_limit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[0] > allowed:
            raise ValueError("current limit exceeds maximum limit")
        limits.append(wanted)

    monkeypatch.setattr("resource.RLIM_INFINITY", ENDLESS)
    monkeypatch.setattr("resource.getrlimit", lambda _: limits[-1])
    monkeypatch.setattr("resource.setrlimit", set_limit)
    raise_limit()
    assert limits[-1] == (after, before[1])
    assert limit() == (MOST if after == ENDLESS else after)


def test_they_are_counted() -> None:
    before = in_use()
    with open(__file__, encoding="utf-8"):  # noqa: PTH123 (a descriptor is wanted)
        assert in_use() == before + 1
    assert in_use() == before


@pytest.mark.parametrize(("most", "some"), [(256, 224), (64, 48), (1024, 896), (65_536, 65_408)])
def test_some_are_not_for_connections(most: int, some: int) -> None:
    assert for_connections(most) == some


def test_a_figure_is_read_once_a_second_at_most(clock: ManualClock) -> None:
    figures = iter([3, 4])
    recent = Recent(lambda: next(figures), clock)
    assert (recent(), recent()) == (3, 3)
    clock.advance(0.9)
    assert recent() == 3
    clock.advance(0.1)
    assert recent() == 4


class Table:
    """So many descriptors in use of a hundred."""

    def __init__(self, clock: ManualClock, used: int) -> None:
        self.used = used
        self.counted = 0
        self.usage = Usage(clock=clock, limit=lambda: 100, in_use=self._in_use)

    def _in_use(self) -> int:
        self.counted += 1
        return self.used


def test_they_are_counted_when_they_may_be_many(clock: ManualClock) -> None:
    table = Table(clock, 10)
    clock.advance(RECOUNT_SECONDS)
    assert [table.usage.opened(7) for _ in range(24)] == list(range(11, 35))
    assert table.counted == 1
    table.used = 12  # most of them have closed again
    assert table.usage.opened(7) == 12
    assert table.usage.opened(64) == 65, "as many at least as the number says"
    table.used = 70  # and then some other part took many
    clock.advance(RECOUNT_SECONDS)
    assert table.usage.opened(7) == 14
    clock.advance(STALE_SECONDS)
    assert table.usage.opened(7) == 70


def test_they_are_not_counted_all_the_time(clock: ManualClock) -> None:
    table = Table(clock, 70)
    assert [table.usage.opened(7) for _ in range(3)] == [71, 72, 73]
    table.usage.closed(2)
    assert table.usage.opened(7) == 72
    assert table.counted == 1
    clock.advance(RECOUNT_SECONDS)
    assert [table.usage.opened(7) for _ in range(2)] == [70, 71]
    assert table.counted == 2


def test_counting_takes_little_of_the_time(clock: ManualClock) -> None:
    def in_use() -> int:
        counted.append(clock.advance(0.05))
        return 90

    counted: list[float] = []
    usage = Usage(clock=clock, limit=lambda: 100, in_use=in_use)
    for _ in range(300):
        clock.advance(0.01)
        usage.opened(7)
    assert len(counted) == 4, "a twentieth"


def test_where_they_cannot_be_counted_there_are_none_left(clock: ManualClock) -> None:
    def in_use() -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    assert Usage(clock=clock, limit=lambda: 100, in_use=in_use).opened(7) == 101


def test_it_is_said_once_each_time_that_they_run_out(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table(clock, 78)

    def opened(used: int) -> int:
        clock.advance(RECOUNT_SECONDS)
        table.used = used
        table.usage.opened(7)
        return len(caplog.records)

    assert [opened(used) for used in (79, 80, 81, 79, 60, 90)] == [0, 1, 1, 1, 1, 1]
    assert [opened(used) for used in (59, 79, 80, 99)] == [1, 1, 2, 2]
    for record in caplog.records:
        assert record.levelno == logging.WARNING
        assert "80 of 100" in record.getMessage()
        assert "ulimit -n" in record.getMessage()
        assert "LimitNOFILE" in record.getMessage()
