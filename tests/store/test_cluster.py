"""The kill test in small: ``python -m reliability.cluster`` is the same for ten minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from reliability.cluster.run import Options, run
from tests.support.leaks import LeakGuard

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]


@pytest.mark.parametrize("signal", ["kill", "term"])
def test_nothing_is_lost_where_servers_end(
    tmp_path: Path, leak_guard: LeakGuard, signal: str
) -> None:
    options = Options(
        seconds=12.0, clients=8, kill_every=2.0, signal=signal, lease=1.5, rate=(800, 1200)
    )
    report = run(options, tmp_path, leak_guard)
    assert report.wrong == []
    counts = report.tally.counts
    assert report.kills
    assert report.takeovers
    assert counts["texts"] == counts["texts exact"] > 0
    assert counts["viewers"] == counts["viewers exact"] > 0
    assert not {"keys", "scan", "xread"} & set(report.commands)
