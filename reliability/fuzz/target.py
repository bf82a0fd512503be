"""The server that is attacked: start it, see what it uses, read its log."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from benchmarks.abuse.target import Target
from tests.live.gunicorn import RunningGunicorn
from tests.support.figures import Figures
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer

SERVERS = ("front", "gunicorn")

SETTINGS = {
    "TEXTSTREAM_GRACE": "1",
    "TEXTSTREAM_RETENTION": "1",
    "TEXTSTREAM_PING_INTERVAL": "3",
    "TEXTSTREAM_PING_TIMEOUT": "6",
    "TEXTSTREAM_LOG_LEVEL": "warning",
    "TEXTSTREAM_LLM_MODEL": "/there/is/none.gguf",
    "TEXTSTREAM_TRUSTED_PROXIES": "127.0.0.0/8",
}
"""What is left by itself goes soon: streams without readers, polls that nobody fetches. No model:
once an input has it loaded, its 330 MB and its threads stay by design, and would hide a leak. The
attackers are a proxy that is trusted, so that what they say of addresses is read."""

POLL_SECONDS = 0.1
SETTLE_SECONDS = 90.0
"""Longer than an HTTP connection is kept alive for a client that has left it open."""

THREADS = "4"
"""Of gunicorn. It starts them as requests come together, and keeps them: so few all are there when
the warm-up is over."""


@dataclass(frozen=True)
class Footprint:
    """What a server uses. `memory` is in bytes."""

    memory: int
    threads: int
    descriptors: int
    streams: int

    def within(self, before: Footprint) -> bool:
        """Return whether nothing is left of what came since; memory is judged elsewhere."""
        return (
            self.threads <= before.threads
            and self.descriptors <= before.descriptors
            and self.streams <= before.streams
        )


class Attacked:
    """A server in its own process. A context manager: ends it."""

    def __init__(self, name: str, leak_guard: LeakGuard) -> None:
        """Start it; `name` is one of `SERVERS`."""
        self._server: RunningServer | RunningGunicorn
        if name == "front":
            self._server = RunningServer(env=SETTINGS, leak_guard=leak_guard)
        else:
            self._server = RunningGunicorn(
                "--threads", THREADS, env=SETTINGS, leak_guard=leak_guard
            )
        self.url = self._server.url
        self.port = int(urlsplit(self.url).port or 0)
        self._target = Target(self.port, frozenset(_family(self._server.pid)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether all its processes are still there: none has ended and been replaced."""
        return frozenset(_family(self._server.pid)) == self._target.pids

    def log_text(self) -> str:
        """Return what it has logged so far."""
        return self._server.log_text()

    def footprint(self) -> Footprint:
        """Return what it uses now."""
        return Footprint(
            self._target.memory(),
            self._target.threads(),
            self._target.descriptors(),
            self.streams(),
        )

    def forget_peak(self) -> None:
        """Let the peak of memory be what it uses now."""
        self._target.forget_peak()

    def peak(self) -> int:
        """Return the most bytes of memory that it has used since `forget_peak`."""
        return self._target.peak_memory()

    def streams(self) -> int:
        """Return how many streams run, as its figures say."""
        return int(Figures.of(self.url).sum("textstream_streams_running"))

    def rest(self, quiet: float) -> Footprint:
        """Wait until nothing has changed for `quiet` seconds; return what it uses then."""
        deadline = time.monotonic() + SETTLE_SECONDS
        last, since = self.footprint(), time.monotonic()
        while time.monotonic() < min(deadline, since + quiet):
            time.sleep(POLL_SECONDS)
            now = self.footprint()
            if not (now.within(last) and last.within(now)):
                since = time.monotonic()
            last = now
        return last

    def back_to(self, before: Footprint) -> Footprint:
        """Wait until it is back where it was; return what it uses then, or after some time."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while not (now := self.footprint()).within(before) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return now

    def stop(self) -> int:
        """End it; return its exit code."""
        with contextlib.suppress(AssertionError):  # tracebacks in its log are judged elsewhere
            return self._server.stop()
        return 0


def _family(pid: int) -> list[int]:
    """Return a process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *map(int, children)]
