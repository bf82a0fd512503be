"""What a process and its children use, as the kernel counts it (proc(5); Linux)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """What processes use.

    Attributes:
        resident: bytes in memory, files that are mapped (code, a model's weights) included.
        anonymous: bytes in memory that no file stands behind: heap and stacks, what can leak.
        threads: how many.
        descriptors: open files and sockets.
        cpu: seconds of CPU so far, user and system, of all threads, also those that have ended.

    """

    resident: int
    anonymous: int
    threads: int
    descriptors: int
    cpu: float


def usage(pid: int) -> Usage:
    """Return what process `pid` and its children use now.

    Raises:
        ProcessLookupError: it has ended.

    """
    try:
        pids = [pid, *_children(pid)]
        rollups = [_kilobytes(PROC / str(pid) / "smaps_rollup") for pid in pids]
        return Usage(
            resident=sum(rollup["Rss"] for rollup in rollups) * 1024,
            anonymous=sum(rollup["Anonymous"] for rollup in rollups) * 1024,
            threads=sum(_entries(PROC / str(pid) / "task") for pid in pids),
            descriptors=sum(_entries(PROC / str(pid) / "fd") for pid in pids),
            cpu=sum(_cpu_seconds(pid) for pid in pids),
        )
    except (OSError, KeyError):  # a zombie's files are there, but empty
        raise ProcessLookupError(f"process {pid}, or a child of it, has ended") from None


def _children(pid: int) -> list[int]:
    return [int(child) for child in (PROC / f"{pid}/task/{pid}/children").read_text().split()]


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _kilobytes(path: Path) -> dict[str, int]:
    """Return the fields of a file with lines like ``Rss:  123 kB``."""
    fields = (line.split() for line in path.read_text().splitlines())
    return {field[0].rstrip(":"): int(field[1]) for field in fields if field[-1] == "kB"}


def _cpu_seconds(pid: int) -> float:
    # The process's CPU-time clock: clock_getcpuclockid(3) says how its number is made.
    return time.clock_gettime((~pid << 3) | 2)
