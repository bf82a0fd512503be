"""What an attack knows of the server: its port, and what its processes use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.abuse.polling import POLLING, http
from benchmarks.abuse.wire import Ended
from benchmarks.cpu import cpu_seconds

PROC = Path("/proc")

CHECKS = 8
"""Sessions looked for at a time."""

UNKNOWN_SESSION = (b"Session ID unknown", b"Invalid session")
COUNTER_LOOKS = 60
COUNTERS = "counters {"


@dataclass(frozen=True)
class Target:
    """A running server."""

    port: int
    pids: frozenset[int]

    def threads(self) -> int:
        """Return how many threads it has."""
        return sum(_entries(PROC / str(pid) / "task") for pid in self.pids)

    def descriptors(self) -> int:
        """Return how many files and sockets it has open."""
        return sum(_entries(PROC / str(pid) / "fd") for pid in self.pids)

    def memory(self) -> int:
        """Return its resident bytes."""
        return sum(_status(pid, "VmRSS") for pid in self.pids)

    def peak_memory(self) -> int:
        """Return the most resident bytes since `forget_peak`."""
        return sum(_status(pid, "VmHWM") for pid in self.pids)

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used, of all threads, user and system."""
        return sum(cpu_seconds(pid) for pid in self.pids)

    def log(self) -> bytes:
        """Return what it has logged."""
        return (PROC / str(min(self.pids)) / "fd" / "1").read_bytes()

    async def counters(self) -> dict[str, Any] | None:
        """Return what it counts of itself; None: it does not tell, or not in time."""
        pid = min(self.pids)
        if not int(_status_line(pid, "SigCgt"), 16) & 1 << signal.SIGUSR1 - 1:
            return None  # the signal would end it
        before = len(self.log())
        os.kill(pid, signal.SIGUSR1)
        for _ in range(COUNTER_LOOKS):
            await asyncio.sleep(0.05)
            told = counters_in(self.log()[before:].decode("utf-8", "replace"))
            if told is not None:
                return told
        return None

    def setting(self, name: str) -> str:
        """Return one of its settings, as its environment has it."""
        for entry in (PROC / str(min(self.pids)) / "environ").read_bytes().split(b"\0"):
            if entry.startswith(f"{name}=".encode()):
                return entry.partition(b"=")[2].decode()
        return ""

    def forget_peak(self) -> None:
        """Let the peak be what is resident now (proc(5), ``clear_refs``)."""
        for pid in self.pids:
            (PROC / str(pid) / "clear_refs").write_text("5")

    async def streams(self) -> int:
        """Return how many streams run, as its figures say."""
        _, body = await http(self.port, "GET", "/metrics")
        running = re.findall(rb"^textstream_streams_running{.*} (.+)$", body, re.MULTILINE)
        return int(sum(map(float, running)))

    async def sessions(self, sids: Sequence[str]) -> set[str]:
        """Return those of the Engine.IO sessions that still exist.

        A pong that nobody waits for changes nothing; for a session that does not exist, and only
        for one, the answer is 400 and says so: our words, or Engine.IO's.
        """
        shares = (sids[number::CHECKS] for number in range(CHECKS))
        return set().union(*await asyncio.gather(*map(self._existing, shares)))

    async def _existing(self, sids: Iterable[str]) -> set[str]:
        left = set()
        for sid in sids:
            with contextlib.suppress(Ended, TimeoutError):
                status, body = await http(self.port, "POST", f"{POLLING}&sid={sid}", b"3")
                if status == 400 and any(words in body for words in UNKNOWN_SESSION):
                    continue
            left.add(sid)
        return left


def counters_in(log: str) -> dict[str, Any] | None:
    """Return the counters that a log tells first, as text or as JSON; None: it tells none yet."""
    for line in log.splitlines(keepends=True):
        if COUNTERS in line and line.endswith("\n"):
            message = str(json.loads(line)["message"]) if line.startswith("{") else line
            told: dict[str, Any] = json.loads("{" + message.partition(COUNTERS)[2])
            return told
    return None


def _entries(folder: Path) -> int:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:  # it has ended: that is noticed elsewhere
        return 0


def _status(pid: int, field: str) -> int:
    """Return a figure in bytes."""
    return int(_status_line(pid, field).partition(" ")[0]) * 1024


def _status_line(pid: int, field: str) -> str:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:  # it has ended: that is noticed elsewhere
        return "0"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "0")
