"""The server under gunicorn: its threaded worker, and one of them, where nothing else is said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping

import requests

from tests.support.leaks import LeakGuard
from tests.support.running_server import ROOT, START_TIMEOUT
from tests.support.timing import patient
from textstream.chaos.address import Address, parse_address

LISTENING = re.compile(r"Listening at: (http://\S+)")
BOOTED = "Booting worker"
STOP_TIMEOUT = patient(60.0)


class RunningGunicorn:
    """``gunicorn … textstream.wsgi:app``, from its worker's start to its end."""

    def __init__(
        self,
        *options: str,
        app: str = "textstream.wsgi:app",
        env: Mapping[str, str] | None = None,
        leak_guard: LeakGuard,
    ) -> None:
        """Start it and wait until it answers.

        Args:
            options: gunicorn's, beside those that all have.
            app: what it serves.
            env: added to an environment without any ``TEXTSTREAM_*``.
            leak_guard: told of the thread and the pipe that live as long as the server.

        """
        foreign = ("TEXTSTREAM_", "WEB_CONCURRENCY")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--threads", "16"),
                *("--bind", "127.0.0.1:0", "--no-control-socket", *options, app),
            ],
            cwd=ROOT,
            env={**inherited, "TEXTSTREAM_DRAIN": "0", **(env or {})},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a process group of its own
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
        # It listens before its worker has loaded the app, which takes a busy machine long.
        requests.get(f"{self.url}/healthz", timeout=START_TIMEOUT).raise_for_status()

    @property
    def pid(self) -> int:
        """The process id of its arbiter, whose child the worker is."""
        return self._process.pid

    @property
    def address(self) -> Address:
        """Its host and port."""
        return parse_address(self.url.removeprefix("http://"))

    def reload(self) -> None:
        """Have its arbiter take a new worker for the one it has, and do not wait."""
        self._process.send_signal(signal.SIGHUP)

    def log_text(self) -> str:
        """Return what it has logged so far."""
        return "".join(self.log)

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Send its arbiter a signal and do not wait."""
        self._told_to_end = True
        self._process.send_signal(number)

    def terminate_group(self, number: int = signal.SIGTERM) -> None:
        """Send arbiter and worker a signal, as a terminal and systemd do, and do not wait."""
        self._told_to_end = True
        os.killpg(self.pid, number)

    def stop(self) -> int:
        """End it if it was not told to; return its exit code."""
        if self._process.poll() is None and not self._told_to_end:
            self.terminate()
        try:
            code = self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            code = self._process.wait(STOP_TIMEOUT)
        self._reader.join(STOP_TIMEOUT)
        assert self._process.stderr
        self._process.stderr.close()
        for complaint in ("Traceback", "[ERROR]"):
            assert complaint not in self.log_text(), self.log_text()
        return code
