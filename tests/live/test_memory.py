"""What the process does about memory that is freed, and yet not given back."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.support.running_server import ROOT
from textstream.web.heap import ARENAS

THREADS = 16

COUNT_HEAPS = f"""
import ctypes, os, threading
from textstream.web.heap import limit_arenas

assert LIMIT is False or limit_arenas()
barrier = threading.Barrier({THREADS} + 1)
def work():
    kept = bytes(1000)
    barrier.wait()
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range({THREADS})]
for thread in threads:
    thread.start()
barrier.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(out := libc.fdopen(1, b"w")))
libc.fflush(ctypes.c_void_p(out))
barrier.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
@pytest.mark.parametrize("limit", [True, False])
def test_threads_share_few_heaps(limit: bool) -> None:
    code = COUNT_HEAPS.replace("LIMIT", str(limit))
    info = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert (info.count("<heap nr=") <= ARENAS) is limit
