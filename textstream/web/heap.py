"""Memory that is freed and yet not given back: what the C library can be told about it.

Only glibc is told (malloc_trim(3), mallopt(3)); elsewhere nothing of this does anything.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

ARENAS = 2
"""Heaps between which glibc lets threads choose, at most.

Left to itself it makes eight for each core, and with a thread per request they fragment: 6,000
malformed events left 12 MB that nobody used, 10,000 with one heap 1 MB. Threads that wait for the
interpreter's lock anyway gain little from more.
"""

M_ARENA_MAX = -8
"""mallopt(3): the parameter, as in glibc's ``malloc.h``."""

LARGE = 1 << 20
"""Bytes from which on a block of memory is a mapping of its own, and goes back when it is freed.

Left to itself glibc raises this with the largest block that was freed, up to 32 MB, and takes large
messages out of a heap that fragments: after 800 of 2 MB, four at a time, 9 MB more of it stayed.
"""

M_MMAP_THRESHOLD = -3
"""mallopt(3): the parameter, as in glibc's ``malloc.h``."""

EVERY = 15.0
"""Seconds between two times at which free memory is given back.

It takes 0.3 to 11 ms (100,000 pieces of 700 bytes, every second one of them free), and meanwhile
other threads may wait for memory.
"""

BUSY = 0.25
"""Seconds of CPU since the last time from which on there may be something to give back."""


def limit_heaps() -> bool:
    """Let this process have `ARENAS` heaps, for what is not `LARGE`.

    Return whether its C library knows of them.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(M_ARENA_MAX, ARENAS) and mallopt(M_MMAP_THRESHOLD, LARGE))
    except (OSError, AttributeError):  # not glibc
        return False


def give_back() -> bool:
    """Give whole pages of free memory back to the system; return whether there were any.

    By itself glibc gives back the end of a heap only: after a burst, one piece that lives on at
    its end keeps all that is before it. Another thread may run meanwhile.
    """
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError):  # not glibc
        return False


class GivingBack:
    """Gives free memory back now and then, while the process is at work."""

    def __init__(
        self,
        call_at: Callable[[float, Callable[[], None]], None],
        in_thread: Callable[[Callable[[], Any]], Any],
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
        work: Callable[[], Any] = give_back,
    ) -> None:
        """Make it; `start` begins.

        Args:
            call_at: calls a function at a time of `clock`.
            in_thread: calls a function in a thread of its own.
            clock: seconds.
            cpu: seconds of CPU that the process has used.
            work: what is done.

        """
        self._call_at = call_at
        self._in_thread = in_thread
        self._clock = clock
        self._cpu = cpu
        self._work = work
        self._used = cpu()

    def start(self) -> None:
        """Begin: the first time is `EVERY` seconds from now."""
        self._call_at(self._clock() + EVERY, self._look)

    def _look(self) -> None:
        used = self._cpu()
        if used - self._used >= BUSY:
            self._in_thread(self._work)
        self._used = used
        self.start()
