"""When free memory is given back, and that it is."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.clock import ManualClock
from tests.support.running_server import ROOT
from textstream.web.heap import BUSY, EVERY, GivingBack


def test_given_back_now_and_then_but_not_by_a_process_at_rest(clock: ManualClock) -> None:
    calls: list[tuple[float, Callable[[], None]]] = []
    used = [0.0]
    given: list[float] = []
    GivingBack(
        lambda when, call: calls.append((when, call)),
        lambda work: work(),
        clock=clock,
        cpu=lambda: used[0],
        work=lambda: given.append(clock.now),
    ).start()
    begun = clock.now
    for cpu in (BUSY, BUSY, BUSY * 1.5, BUSY * 2.5):  # of which the second adds nothing
        [(when, call)] = calls
        calls.clear()
        assert when == clock.now + EVERY
        clock.now, used[0] = when, cpu
        call()
    assert given == [begun + EVERY, begun + 4 * EVERY]


FREE_HALF = """
import os
from textstream.web.heap import give_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

pieces = [bytearray(700) for _ in range(60_000)]
end = bytearray(700)  # lives on behind them
del pieces
before = resident()
assert give_back()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are not told")
def test_what_lies_before_a_piece_that_lives_on_is_given_back() -> None:
    freed = subprocess.check_output([sys.executable, "-c", FREE_HALF], cwd=ROOT, text=True)
    assert int(freed) > 20_000_000
