"""The server under test: in its own process, forgetful, so that a steady state exists."""

from __future__ import annotations

import os
from typing import Literal

from reliability.soak import probe
from tests.live.gunicorn import RunningGunicorn
from tests.support.figures import Figures
from tests.support.leaks import LeakGuard
from tests.support.running_server import ROOT, RunningServer
from tests.support.usage import Usage, usage

ServerName = Literal["front", "gunicorn"]

GRACE = 6.0
RETENTION = 6.0
HEARTBEAT = 5.0
"""Seconds. All that is left alone is forgotten within a few of them, hundreds of times in a soak;
yet each is long beside what a cut, or a busy machine, keeps a client away."""

SPARE_THREADS = {"front": 0, "gunicorn": 16}
"""gunicorn's threads begin when there is work for them, and stay."""


class Target:
    """A running server. Close it in the end."""

    def __init__(self, server: ServerName, *, preload: bool, leak_guard: LeakGuard) -> None:
        """Start it and wait until it listens.

        Args:
            server: what serves.
            preload: whether the local model is loaded at the start.
            leak_guard: see `RunningServer`.

        Raises:
            RuntimeError: it did not start.

        """
        env = {
            "TEXTSTREAM_LOG_FORMAT": "json",
            "TEXTSTREAM_GRACE": str(GRACE),
            "TEXTSTREAM_RETENTION": str(RETENTION),
            "TEXTSTREAM_PING_INTERVAL": str(HEARTBEAT),
            "TEXTSTREAM_PING_TIMEOUT": str(HEARTBEAT),
            "TEXTSTREAM_SOURCES": probe.SETTING,
            "TEXTSTREAM_PRELOAD": str(preload).lower(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
        self.spare_threads = SPARE_THREADS[server]
        self._server: RunningServer | RunningGunicorn
        if server == "gunicorn":
            self._server = RunningGunicorn(env=env, leak_guard=leak_guard)
        else:
            self._server = RunningServer(env=env, leak_guard=leak_guard)
        self.url = self._server.url
        self.port = int(self.url.rpartition(":")[2])

    def usage(self) -> Usage:
        """Return what it uses now.

        Raises:
            ProcessLookupError: it has ended.

        """
        return usage(self._server.pid)

    def running_streams(self) -> int:
        """Return how many streams run, as its figures say.

        Raises:
            requests.RequestException: it does not answer.

        """
        return int(Figures.of(self.url).sum("textstream_streams_running"))

    def log_text(self) -> str:
        """Return what it has logged so far."""
        return self._server.log_text()

    def close(self) -> int:
        """End it as a service manager does; return its exit code."""
        return self._server.stop()
