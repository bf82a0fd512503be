"""What the process does about memory that is freed, and yet not given back."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.support.running_server import ROOT
from textstream.web.heap import ARENAS

COUNT_HEAPS = """
from tests.support.heaps import heaps
from textstream.web.heap import limit_heaps

assert LIMIT is False or limit_heaps()
print(heaps())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
@pytest.mark.parametrize("limit", [True, False])
def test_threads_share_few_heaps(limit: bool) -> None:
    code = COUNT_HEAPS.replace("LIMIT", str(limit))
    count = int(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True))
    assert count > 0
    assert (count <= ARENAS) is limit
