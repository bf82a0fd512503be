"""What a process has used of the CPU."""

from __future__ import annotations

import time


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process: user and system, all threads, those that ended too.

    The process's CPU-time clock (clock_getcpuclockid(3)): the sum of utime and stime in
    ``/proc/PID/stat``, in nanoseconds instead of hundredths of a second.
    """
    return time.clock_gettime((~pid << 3) | 2)
