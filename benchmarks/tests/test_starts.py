"""What a start costs: the table, and a few starts for real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import starts
from benchmarks.servers import ROOT, find
from benchmarks.trees import Tree


def test_the_ratio_is_that_of_the_medians_to_the_first() -> None:
    servers = [find("ours"), Tree("before", ROOT).server(find("ours"))]
    costs = {"ours": [300.0, 200.0, 1000.0], "ours@before": [450.0, 600.0, 100.0]}
    lines = starts.table(servers, costs).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["server", "µs/start", "least", "most", "× ours"]
    assert cells[2] == ["textstream", "300", "200", "1,000", "1.00"]
    assert cells[3] == ["textstream (before)", "450", "100", "600", "1.50"]


def test_this_checkout_is_measured_in_turn_with_itself(tmp_path: Path) -> None:
    path = tmp_path / "starts.json"
    flags = {"--rounds": 2, "--starts": 8, "--connections": 2, "--tree": f"same={ROOT}"}
    arguments = [str(part) for flag in flags.items() for part in flag]
    answer = CliRunner().invoke(starts.main, [*arguments, "--json", str(path)])
    assert answer.exit_code == 0, answer.output
    costs = json.loads(path.read_text())
    assert list(costs) == ["ours", "ours@same"]
    assert all(len(turns) == 2 and min(turns) > 0 for turns in costs.values())


@pytest.mark.parametrize(
    ("server", "text", "problem"),
    [
        ("ours", "a\0", "invalid_request"),
        ("floor", "é", "Ended"),  # it has ready-made frames for ASCII, and ends with anything else
    ],
)
def test_what_is_no_start_is_no_figure(
    monkeypatch: pytest.MonkeyPatch, server: str, text: str, problem: str
) -> None:
    monkeypatch.setattr(starts, "TEXT", text)
    answer = CliRunner().invoke(starts.main, ["--servers", server, "--rounds", "1"])
    assert answer.exit_code == 1
    assert problem in answer.output
