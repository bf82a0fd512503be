"""The fuzzer, with a small count."""

from __future__ import annotations

import pytest

from reliability.fuzz.inputs import Layer
from reliability.fuzz.run import run, shares
from tests.support.leaks import LeakGuard

FEW = 2000


@pytest.mark.live
def test_malformed_inputs_do_no_harm(leak_guard: LeakGuard) -> None:
    inputs = shares(FEW, list(Layer))
    report = run("front", 1, inputs, leak_guard=leak_guard, patient=False)
    assert sum(tally.inputs for tally in report.tallies) == FEW
    assert report.failures == [], str(report)
