"""The soak, in small: the same code as ``make soak``, for seconds instead of minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reliability.soak.__main__ import lines_of, write_json
from reliability.soak.run import Options, soak
from tests.support.leaks import LeakGuard

pytestmark = pytest.mark.live

SHORT = Options(seconds=10.0, warm_up=2.0, clients=4, seed=4)


def test_clients_come_and_go_and_nothing_is_left(leak_guard: LeakGuard, tmp_path: Path) -> None:
    said: list[str] = []
    report = soak(SHORT, said.append, leak_guard)
    # Nothing is asked of what rises: ten seconds are the warm-up of a server.
    assert report.wrong == []
    assert report.counts["texts"] >= 20
    assert report.counts["stops"] >= 1
    assert report.counts["replays"] >= 1
    assert report.counts["reconnections"] >= 1
    assert report.faults.cuts >= 5
    assert report.after.threads <= report.before.threads
    assert report.after.descriptors <= report.before.descriptors
    assert report.after.streams == 0
    assert "episodes" in said[-1]

    lines = lines_of(report)
    assert any(line.startswith("| resident, MB |") for line in lines)
    write_json(report, file := tmp_path / "soak.json")
    written = json.loads(file.read_text(encoding="utf-8"))
    assert len(written["samples"]) == len(report.samples)
    assert written["options"]["seed"] == SHORT.seed
    assert [v["figure"] for v in written["verdicts"]] == [v.series.name for v in report.verdicts]
