"""Turns: their order, and the median of them; and peers that cannot be had."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from benchmarks import javascript
from benchmarks.report import ratio, table
from benchmarks.result import Result
from benchmarks.servers import find
from benchmarks.turns import median_of, order


def test_the_order_is_turned_round_each_time() -> None:
    servers = [find("ours"), find("node"), find("bun")]
    assert [[server.name for server in order(servers, turn)] for turn in range(3)] == [
        ["ours", "node", "bun"],
        ["bun", "node", "ours"],
        ["ours", "node", "bun"],
    ]


def test_of_each_figure_the_median_counts() -> None:
    costs = [(300.0, 9, True), (100.0, 8, True), (150.0, 20, False)]
    turns = [
        Result("ours", "life30-4", 4, connected=4, cost=cost, threads=threads, exact=exact)
        for cost, threads, exact in costs
    ]
    turns[2].fail("1 of 4 texts not exact")
    turns[2].errors = {"x": 2}
    turns[0].errors = {"x": 1}
    result = median_of(turns)
    assert (result.server, result.workload, result.readers) == ("ours", "life30-4", 4)
    assert (result.cost, result.threads, result.exact) == (150.0, 9, False)
    assert result.failed == "1 of 4 texts not exact (1 of 3 turns)"
    assert result.errors == {"x": 3}
    assert result.turns == [300.0, 100.0, 150.0]
    assert result.gap_p99 is None


def test_one_turn_is_as_it_is() -> None:
    result = Result("ours", "life30-4", 4, failed="why")
    assert median_of([result]) is result


def test_of_costs_the_ratio_is_theirs_divided_by_ours() -> None:
    results = [
        Result("ours", "connect-4", 4, connected=4, cost=300.0),
        Result("node", "connect-4", 4, connected=4, cost=600.0),
        Result("bun", "connect-4", 4, connected=4, cost=150.0),
    ]
    assert ratio(results[0], results, "node") == 2
    assert ratio(results[0], results, "bun") == 0.5
    head, _, ours, *_ = table(results, "connect-4").splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        *("server", "readers", "µs each", "× Node", "× Bun"),
    ]
    assert [cell.strip() for cell in ours.strip("|").split("|")][2:] == ["300", "2.00", "0.50"]


def test_a_bun_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(javascript, "BUN", tmp_path)
    assert "run: npm --prefix benchmarks/bun ci" in str(javascript.bun_lacks())
    assert javascript.bun_version() == "none"


@pytest.mark.parametrize(
    ("script", "problem"),
    [("kill -ILL $$", "lacks instructions"), ("exit 3", "ends with 3"), ("exit 0", None)],
)
def test_a_bun_that_does_not_run_is_named(
    script: str, problem: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(javascript, "BUN", tmp_path)
    (tmp_path / "node_modules" / "socket.io").mkdir(parents=True)
    binary = tmp_path / "node_modules" / "@oven" / "bun-linux-x64" / "bin" / "bun"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    lacks = javascript.bun_lacks()
    assert lacks is None if problem is None else problem in str(lacks)
