"""The server under gunicorn's threaded worker, with one worker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping

from tests.support.leaks import LeakGuard
from tests.support.running_server import ROOT

LISTENING = re.compile(r"Listening at: (http://\S+)")
BOOTED = "Booting worker"
STOP_TIMEOUT = 60.0


class RunningGunicorn:
    """``gunicorn … stream_server:app``, from its worker's start to its end."""

    def __init__(self, *, env: Mapping[str, str] | None = None, leak_guard: LeakGuard) -> None:
        """Start it and wait until it listens; `env` is added to one without ``TEXTSTREAM_*``."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TEXTSTREAM_")}
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "-w", "1", "--threads", "16"),
                *("--bind", "127.0.0.1:0", "--no-control-socket", "stream_server:app"),
            ],
            cwd=ROOT,
            env={**inherited, "TEXTSTREAM_DRAIN": "0", **(env or {})},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr
        leak_guard.allow_descriptor(self._process.stderr.fileno())
        self.url = ""
        self._told_to_end = False
        self.log: list[str] = []
        for line in self._process.stderr:
            self.log.append(line)
            if found := LISTENING.search(line):
                self.url = found[1]
            if BOOTED in line:
                break
        self._reader = threading.Thread(
            target=self.log.extend, args=(self._process.stderr,), daemon=True
        )
        leak_guard.allow_thread(self._reader)
        self._reader.start()
        assert self.url, "".join(self.log)

    @property
    def pid(self) -> int:
        """The process id of its arbiter, whose child the worker is."""
        return self._process.pid

    def log_text(self) -> str:
        """Return what it has logged so far."""
        return "".join(self.log)

    def terminate(self) -> None:
        """Ask it to end and do not wait."""
        self._told_to_end = True
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """End it if it was not told to; return its exit code."""
        if self._process.poll() is None and not self._told_to_end:
            self.terminate()
        code = self._process.wait(STOP_TIMEOUT)
        self._reader.join(STOP_TIMEOUT)
        assert self._process.stderr
        self._process.stderr.close()
        assert "Traceback" not in self.log_text(), self.log_text()
        return code
