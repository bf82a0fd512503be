"""What a process has used of the CPU, and the whole machine."""

from __future__ import annotations

import time

import psutil


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process: user and system, all threads, those that ended too.

    The process's CPU-time clock (clock_getcpuclockid(3)): the sum of utime and stime in
    ``/proc/PID/stat``, in nanoseconds instead of hundredths of a second.
    """
    return time.clock_gettime((~pid << 3) | 2)


def busy_seconds() -> float:
    """Return the CPU-seconds of the whole machine so far, those taken by its host as well.

    In ticks of 10 ms of each core: for stretches of a second and more.
    """
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
