"""A terminal for the tests of the command line."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from types import TracebackType

from tests.cli.conftest import COMMAND, PATIENCE, environment
from tests.support.running_server import ROOT, RunningServer


class Terminal:
    """A pseudo-terminal with the command line running on it."""

    def __init__(self, server: RunningServer, *arguments: str, **env: str) -> None:
        self._master, slave = pty.openpty()
        self.text = ""
        try:
            self._process = subprocess.Popen(
                [*COMMAND, *arguments],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=ROOT,
                env=environment(server, env),
                start_new_session=True,
                # The terminal of the new session, or else Ctrl-C would be sent to nobody.
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
            )
        finally:
            os.close(slave)

    def press(self, keys: bytes) -> None:
        """Type `keys`."""
        os.write(self._master, keys)

    def wait_for(self, pattern: str) -> None:
        """Read until `pattern` is on the terminal."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text):
            assert self._read(deadline), f"no {pattern!r} in {self.text!r}"

    def finish(self) -> int:
        """Read to the end; return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self._process.wait(PATIENCE)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _read(self, deadline: float) -> bool:
        left = max(0.0, deadline - time.monotonic())
        assert select.select([self._master], [], [], left)[0], f"silent after {self.text!r}"
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # Linux says so when the last one has left the other side.
            return False
        self.text += data.decode()
        return bool(data)
