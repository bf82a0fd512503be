"""``textstream chaos`` as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.running_server import ROOT
from tests.support.timing import patient

PATIENCE = patient(30.0)
COMMAND = (sys.executable, "-W", "error", "-m", "textstream", "chaos")

_FIRST_LINE = re.compile(
    r"chaos listens on (?P<host>\S+):(?P<port>[0-9]+), seed (?P<seed>-?[0-9]+)"
)


@dataclass(frozen=True)
class RunningChaos:
    """The process, and what its first line says."""

    process: subprocess.Popen[str]
    host: str
    port: int
    seed: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def end(self, number: int = signal.SIGINT) -> list[str]:
        """Send it a signal; return the lines after the first. It must end with 0."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, out) == (0, ""), err
        return err.splitlines()


@contextmanager
def chaos(*arguments: str) -> Iterator[RunningChaos]:
    """Run it on a free port until the block ends."""
    with subprocess.Popen(
        [*COMMAND, "--listen", "127.0.0.1:0", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith("TEXTSTREAM_")},
    ) as process:
        try:
            assert process.stderr
            line = process.stderr.readline()
            found = _FIRST_LINE.fullmatch(line.rstrip("\n"))
            assert found, line + process.stderr.read()
            yield RunningChaos(process, found["host"], int(found["port"]), int(found["seed"]))
        finally:
            process.kill()
