"""A source that says what is set for the process of its server, loaded with `SETTING`."""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from engineio.payload import Payload

from textstream.sources.base import SourceRequest
from textstream.web.heap import GivingBack

SETTING = f"tuned={__name__}:tuned"

THREADS = 16


def tuned(request: SourceRequest) -> Iterator[str]:
    """Yield JSON."""
    yield json.dumps(
        {
            "switch_interval": sys.getswitchinterval(),
            "gc_threshold": gc.get_threshold(),
            "frozen": gc.get_freeze_count() > 0,
            "packets": Payload.max_decode_packets,
            "gives_back": any(isinstance(one, GivingBack) for one in gc.get_objects()),
            "heaps": heaps(),
        }
    )


tuned.needs_prompt = False  # type: ignore[attr-defined]  # read by the registry


def heaps() -> int:
    """Return how many heaps glibc has when that many threads keep memory; 0: it is not glibc."""
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
