"""The server on a Unix socket, as a proxy on the same machine asks for it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.leaks import LeakGuard
from tests.support.running_server import ROOT, RunningServer
from tests.support.timing import patient

pytestmark = pytest.mark.live

TIMEOUT = patient(20.0)


class UnixServer(RunningServer):
    """One that listens on a Unix socket."""

    LISTENING = re.compile(r"^textstream is listening on (unix://\S+)$", re.MULTILINE)


def test_a_unix_socket(leak_guard: LeakGuard) -> None:
    with tempfile.TemporaryDirectory() as folder:  # whose path is short enough
        path = Path(folder) / "server.sock"
        server = UnixServer("--host", f"unix://{path}", leak_guard=leak_guard)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(TIMEOUT)
            client.connect(str(path))
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
        second = subprocess.run(
            [sys.executable, ROOT / "stream_server.py", "--host", f"unix://{path}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 3
        assert f"Cannot listen on unix://{path}: Address already in use." in second.stderr
        assert path.is_socket()
        assert server.stop() == 0
        assert not path.exists()
