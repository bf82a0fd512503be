"""Three servers that share a store, and nginx, on this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from reliability.cluster.nginx import Nginx
from tests.support.leaks import LeakGuard
from tests.support.ports import free_ports
from tests.support.running_server import RunningServer

NAMES = "abc"

SOURCES = "drip=tests.store.drip:drip"


class Cluster:
    """Servers that share their streams. `stop` ends them."""

    def __init__(
        self, folder: Path, leak_guard: LeakGuard, store: Mapping[str, str], **env: str
    ) -> None:
        """Start it; `env` is for the servers, as is what they are told of their `store`."""
        self.ended: list[RunningServer] = []
        self._guard = leak_guard
        self._env = {
            **store,
            "TEXTSTREAM_GRANT_SECRET": "of all servers of this cluster, for its links",
            "TEXTSTREAM_SOURCES": SOURCES,
            "TEXTSTREAM_TRUSTED_PROXIES": "127.0.0.1",
            "TEXTSTREAM_STREAMS_PER_ADDRESS": "0",
            "TEXTSTREAM_BYTES_PER_ADDRESS": "0",
            **env,
        }
        first = free_ports(3)
        self.ports = [first, first + 1, first + 2]
        self.servers = [self._serve(number) for number in range(3)]
        self.nginx = Nginx(folder, self.ports)
        self.url = self.nginx.url

    def kill(self, number: int) -> None:
        """Kill a server, as a crash does."""
        os.kill(self.servers[number].pid, signal.SIGKILL)

    def restart(self, number: int) -> None:
        """Wait for the end of a server, and start it anew on its port."""
        before = self.servers[number]
        before.terminate(signal.SIGKILL if not before.running else signal.SIGTERM)
        before.stop()
        self.ended.append(before)
        self.servers[number] = self._serve(number)

    def logs(self) -> str:
        """Return what all servers have logged."""
        return "".join(server.log_text() for server in [*self.ended, *self.servers])

    def stop(self) -> None:
        """End all of it."""
        self.nginx.stop()
        for server in self.servers:
            server.stop()

    def _serve(self, number: int) -> RunningServer:
        env = {**self._env, "TEXTSTREAM_NAME": NAMES[number]}
        return RunningServer("--port", str(self.ports[number]), env=env, leak_guard=self._guard)
