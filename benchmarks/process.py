"""A server's process: start it, see what it uses, end it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

from benchmarks.cpu import cpu_seconds
from benchmarks.servers import Server

START_SECONDS = 60.0
STOP_SECONDS = 3.0
LOG_TAIL = 65_536

_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Usage:
    """What a server and its child processes use.

    Attributes:
        pids: the processes.
        cpu: seconds of CPU so far, user and system, of all threads, also those that have ended.
        memory: resident bytes.
        threads: how many.

    """

    pids: frozenset[int]
    cpu: float
    memory: int
    threads: int


class ServerProcess:
    """A running server. A context manager: ends it, if need be by force."""

    def __init__(self, server: Server) -> None:
        """Start it and wait until it listens.

        Raises:
            RuntimeError: it did not start; the message has the end of its log.

        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TEXTSTREAM_")}
        # A file, not a pipe: a server that logs a lot must not wait for a reader.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed in stop)
        self._process = subprocess.Popen(
            server.command,
            cwd=server.root,
            env={**inherited, **server.env},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its children can be ended with it
        )
        try:
            self.port = self._wait_for_port(server)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process that was started; it may have children."""
        return self._process.pid

    def usage(self) -> Usage:
        """Return what it uses now.

        Raises:
            RuntimeError: it has ended.

        """
        try:
            parent = psutil.Process(self._process.pid)
            processes = [parent, *parent.children(recursive=True)]
            return Usage(
                pids=frozenset(process.pid for process in processes),
                cpu=sum(cpu_seconds(process.pid) for process in processes),
                memory=sum(process.memory_info().rss for process in processes),
                threads=sum(process.num_threads() for process in processes),
            )
        except (psutil.Error, OSError) as error:
            raise RuntimeError(f"the server ended: {self.log_tail()}") from error

    def log_tail(self) -> str:
        """Return the last lines that it logged."""
        return b"\n".join(self._read_log().splitlines()[-3:]).decode(errors="replace")

    def stop(self) -> None:
        """End it with all its processes. Doing it again does nothing."""
        if self._log.closed:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _read_log(self) -> bytes:
        # pread: the server writes at the position that it shares with this descriptor.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), LOG_TAIL, max(0, size - LOG_TAIL))

    def _wait_for_port(self, server: Server) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if found := _ADDRESS.search(self._read_log()):
                return int(found[1])
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"{server.name} did not start: {self.log_tail()}")
