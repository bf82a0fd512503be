"""How many heaps the C library has in this process (malloc_info(3); glibc)."""

from __future__ import annotations

import ctypes
import tempfile
import threading
from pathlib import Path

THREADS = 16


def heaps() -> int:
    """Return how many heaps glibc has while `THREADS` threads keep memory; 0: it is not glibc."""
    barrier = threading.Barrier(THREADS + 1)

    def keep() -> None:
        kept = bytes(1000)
        barrier.wait()
        barrier.wait()
        del kept

    threads = [threading.Thread(target=keep) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    try:
        return _count_heaps()
    finally:
        barrier.wait()
        for thread in threads:
            thread.join()


def _count_heaps() -> int:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_info"):
        return 0
    libc.fopen.restype = ctypes.c_void_p
    with tempfile.NamedTemporaryFile() as file:
        stream = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        return Path(file.name).read_text().count("<heap nr=")
