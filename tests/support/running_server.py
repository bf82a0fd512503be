"""A server in its own process, on a port of its own, with its log at hand."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from tests.support.leaks import LeakGuard
from tests.support.timing import patient
from textstream.chaos.address import Address, parse_address

ROOT = Path(__file__).resolve().parents[2]

START_TIMEOUT = patient(60.0)
"""Seconds to the first line: a machine that does much else imports slowly."""

STOP_TIMEOUT = patient(20.0)

LOG_TIMEOUT = patient(10.0)


class RunningServer:
    """``stream_server.py --port 0 …``, from its first line on standard error to its end."""

    COMMAND: tuple[str, ...] = (str(ROOT / "stream_server.py"), "--port", "0")
    LISTENING = re.compile(r"^textstream is listening on (http://\S+)$", re.MULTILINE)

    def __init__(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        leak_guard: LeakGuard,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        """Start it and wait until it listens.

        Args:
            args: flags, beside those of `COMMAND`.
            env: added to an environment without any ``TEXTSTREAM_*``.
            leak_guard: told of the thread and the pipe that live as long as the server.
            stdout: where its standard output goes, which is not its log.

        Raises:
            RuntimeError: it ended instead, or said nothing in time.

        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TEXTSTREAM_")}
        self._process = subprocess.Popen(
            [sys.executable, *self.COMMAND, *args],
            cwd=ROOT,
            # Most tests have no use for streams that go on when they have ended.
            env={**inherited, "PYTHONUNBUFFERED": "1", "TEXTSTREAM_DRAIN": "0", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the test run is not its business
        )
        assert self._process.stderr
        self._told_to_end = False
        self._changed = threading.Condition()  # guards _log and _log_ended
        self._log: list[str] = []
        self._log_ended = False
        self._reader = threading.Thread(
            target=self._read_log, name=f"log of {self.pid}", daemon=True
        )
        leak_guard.allow_thread(self._reader)
        leak_guard.allow_descriptor(self._process.stderr.fileno())
        self._reader.start()
        self.url = self._wait_until_it_listens()

    @property
    def pid(self) -> int:
        """Its process id, which is that of its process group too."""
        return self._process.pid

    @property
    def address(self) -> Address:
        """Its host and port."""
        return parse_address(self.url.removeprefix("http://"))

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def log_text(self) -> str:
        """Return what it has logged so far."""
        with self._changed:
            return "".join(self._log)

    def wait_for_log(self, predicate: Callable[[str], object], timeout: float = LOG_TIMEOUT) -> str:
        """Wait until `predicate` is true of the whole log; return the log.

        Raises:
            TimeoutError: it did not become true in `timeout` seconds, or the server ended.

        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._log_ended or predicate("".join(self._log)), timeout
            )
            text = "".join(self._log)
        if not predicate(text):
            raise TimeoutError(f"not logged in {timeout} s; the log:\n{text}")
        return text

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Send it a signal and do not wait. A second one ends it at once."""
        self._told_to_end = True
        self._process.send_signal(number)

    def terminate_another_thread(self) -> None:
        """Send SIGTERM to a thread that is not the main one, as the kernel may (Linux)."""
        self._told_to_end = True
        threads = {int(task.name) for task in Path(f"/proc/{self.pid}/task").iterdir()}
        tgkill = {"x86_64": 234}.get(platform.machine(), 131)  # of arm64
        thread = min(threads - {self.pid})
        assert ctypes.CDLL(None).syscall(tgkill, self.pid, thread, signal.SIGTERM) == 0

    def stop(self) -> int:
        """Terminate it if it was not told to end, wait for its end, return its exit code.

        One that does not end in time is killed, with all that it has started: the code is
        then negative.
        """
        if self.running and not self._told_to_end:
            self.terminate()
        try:
            code = self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            code = self._process.wait(STOP_TIMEOUT)
        self._reader.join(STOP_TIMEOUT)
        assert self._process.stderr
        self._process.stderr.close()
        return code

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            with self._changed:
                self._log.append(line.decode(errors="replace"))
                self._changed.notify_all()
        with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    def _wait_until_it_listens(self) -> str:
        try:
            text = self.wait_for_log(lambda log: bool(self.LISTENING.search(log)), START_TIMEOUT)
        except TimeoutError as error:
            code = self.stop()
            raise RuntimeError(f"the server did not start (exit code {code}): {error}") from None
        found = self.LISTENING.search(text)
        assert found
        return found[1]
