"""From what was seen to figures, tables and a chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import report
from benchmarks.chart import draw
from benchmarks.load.messages import Connected, Report
from benchmarks.process import Usage
from benchmarks.result import Result
from benchmarks.servers import SERVERS
from benchmarks.storage import load, save
from benchmarks.workloads import MAX_READERS, STANDARD, parse


def seen(**changes: object) -> Report:
    fields: dict[str, Any] = {
        "seconds": 10.0,
        "counts": np.array([200, 200, 100, 200]),
        "first": np.array([0.001, 0.002, 0.003, 0.004]),
        "gaps": np.array([0.05] * 98 + [0.1, 0.2], dtype=np.float32),
        "round_trips": np.array([0.002]),
        "pings": 0.5,
        "cpu": 1.0,
        "cpu_of_all": 1.0,
        "lost": 0,
        "exact": True,
    }
    return Report(**{**fields, **changes})


def result_of(observed: Report, cpu: float = 0.5) -> Result:
    result = Result("ours", "paced-4", 4)
    result.add_connected(Connected(4, 0.5))
    result.add_report(observed, parse("paced-4"), cpu)
    return result


def test_characters_per_cpu_second_are_those_received_per_second_of_the_server() -> None:
    result = result_of(seen())
    assert result.characters_per_second == 70
    assert result.characters_per_cpu_second == 140
    assert result.delivered == 70 / 80
    assert result.slowest_share == 0.5
    assert result.connections_per_second == 8
    assert result.failed is None


def test_percentiles_are_in_milliseconds() -> None:
    result = result_of(seen())
    assert result.first_p50 == pytest.approx(2.5)
    assert result.gap_p50 == pytest.approx(50)
    assert result.gap_max == pytest.approx(200)


def test_a_window_in_which_a_server_caught_up_is_no_figure() -> None:
    result = result_of(seen(counts=np.array([300] * 4)))
    assert result.failed == "still catching up (150% of the pace)"


def test_characters_that_come_together_are_counted() -> None:
    result = result_of(seen(gaps=np.array([0.0002, 0.1, 0.0003, 0.1], dtype=np.float32)))
    assert result.in_bursts == 0.5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"lost": 2}, "2 connections lost"), ({"exact": False}, "the text was not exact")],
)
def test_what_went_wrong_is_said(changes: dict[str, object], reason: str) -> None:
    assert result_of(seen(**changes)).failed == reason


def test_a_server_that_takes_not_all_readers_has_failed() -> None:
    result = Result("ours", "paced-4", 4)
    result.add_connected(Connected(3, 1.0))
    assert result.failed == "3 of 4 connected"


def test_a_reader_without_a_character_makes_no_figure_fail() -> None:
    result = result_of(seen(counts=np.zeros(4, np.int64), first=np.array([]), gaps=np.array([])))
    assert result.delivered == 0
    assert result.slowest_share is None
    assert result.gap_p99 is None


def test_memory_is_the_growth_over_the_idle_server() -> None:
    result = Result("ours", "idle-4", 4, connected=4)
    one = frozenset({1})
    result.add_usage(Usage(one, 0, 1000, 2), Usage(one, 0, 0, 2), Usage(one, 0, 5000, 3), 7)
    assert result.bytes_per_connection == 1000
    assert result.threads == 7
    assert result.failed is None


def test_a_process_that_was_replaced_makes_the_cpu_meaningless() -> None:
    result = Result("ours", "idle-4", 4, connected=4)
    before, after = (Usage(frozenset({pid}), 0, 0, 1) for pid in (1, 2))
    result.add_usage(before, before, after, 1)
    assert result.failed == "a process of the server ended"


def test_the_table_has_ratios_and_no_empty_column() -> None:
    results = [
        Result("ours", "paced-4", 4, connected=4, characters_per_cpu_second=300.0),
        Result("node", "paced-4", 4, connected=4, characters_per_cpu_second=100.0),
        Result("floor", "paced-4", 4, connected=2, characters_per_cpu_second=900.0, failed="why"),
    ]
    lines = report.table(results, "paced-4").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:5]]
    assert cells[0] == ["server", "readers", "chars/CPU-s", "× Node"]
    assert cells[2] == ["textstream", "4", "300", "3.00"]
    assert cells[3] == ["Node socket.io", "4", "100", "1.00"]
    assert cells[4] == ["bare sock.send ✗", "2 of 4", "900", "–"]
    assert lines[-1] == "- ✗ bare sock.send: why"


def test_overload_is_compared_with_saturation() -> None:
    results = [
        Result("ours", "saturation", 2, connected=2, characters_per_second=50.0),
        Result("ours", "overload", 4, connected=4, characters_per_second=60.0),
    ]
    lines = report.table(results, "overload").splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")][-1] == "1.20"


def test_results_survive_a_file(tmp_path: Path) -> None:
    result = result_of(seen(errors={"x": 1}))
    save(tmp_path / "r.json", [result], {"date": "today"})
    (loaded,), setup = load(tmp_path / "r.json")
    assert setup == {"date": "today"}
    assert loaded.errors == result.errors
    assert loaded.exact is True
    assert loaded.threads is None
    assert loaded.gap_p99 == pytest.approx(result.gap_p99)


def test_only_what_is_between_the_markers_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_between_markers(page, "new")
    assert page.read_text() == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match="has no lines"):
        report.write_between_markers(page, "new")


def test_the_readme_has_the_markers() -> None:
    page = (Path(__file__).parents[1] / "README.md").read_text()
    assert page.count(report.BEGIN) == page.count(report.END) == 1


def test_the_chart_is_the_same_for_the_same_results(tmp_path: Path) -> None:
    results = [
        Result(server.name, name, 4, characters_per_cpu_second=100.0, gap_p99=50.0)
        for server in SERVERS
        for name in ("unpaced-1", "paced-100")
    ]
    results[0].failed = "why"
    draw(results, tmp_path / "a.svg")
    draw(results, tmp_path / "b.svg")
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn == (tmp_path / "b.svg").read_text()
    assert all(server.title in drawn for server in SERVERS)


def test_names_of_workloads() -> None:
    assert all(parse(workload.name) == workload for workload in STANDARD)
    assert parse("paced-7").readers == 7
    for name in ("paced", "paced-0", "paced-x", f"paced-{MAX_READERS + 1}", "what-1"):
        with pytest.raises(ValueError, match="no workload"):
            parse(name)


def test_a_paced_text_lasts_and_needs_no_escape() -> None:
    text = parse("paced-1").text(30)
    assert len(text) >= 20 * 30
    assert text.isascii()
    assert not set(text) & set('"\\\n')
