"""Fixtures of the command line's tests.

- ``run_cli(*arguments, piped=None, env=None)``: run it in this process, to its end.
- ``run_process``: the same in a process of its own, for what the interpreter has a part in: how it
  starts and ends, its encodings, its pipes. It takes half a second, most of it to start.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.client.conftest import text_server
from tests.support.running_server import ROOT, RunningServer
from tests.support.timing import patient
from textstream import cli

__all__ = ["text_server"]

PATIENCE = patient(30.0)

COMMAND = (sys.executable, "-W", "error", "-m", "textstream")


class Run(Protocol):
    """Runs the command line to its end against the server of these tests."""

    def __call__(
        self, *arguments: str, piped: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]: ...


def environment(server: RunningServer | None, more: Mapping[str, str] | None = None) -> Any:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TEXTSTREAM_")}
    if server:
        kept["TEXTSTREAM_URL"] = server.url
    return {**kept, **(more or {})}


@contextmanager
def text_file(path: Path, mode: str) -> Iterator[io.TextIOWrapper]:
    """Open what stands in for a standard stream: the same class, on a real descriptor."""
    with path.open(mode) as file:
        assert isinstance(file, io.TextIOWrapper)
        yield file


@pytest.fixture
def run_cli(text_server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(
        *arguments: str, piped: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        given, out, err = (tmp_path / name for name in ("stdin", "stdout", "stderr"))
        if piped is not None:
            given.write_bytes(piped)
        with (
            monkeypatch.context() as patch,
            text_file(Path(os.devnull) if piped is None else given, "r") as stdin,
            text_file(out, "w") as stdout,
            text_file(err, "w") as stderr,
        ):
            for name, value in environment(text_server, env).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["textstream", *arguments])
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", stderr)
            code = cli._run(list(arguments))
        return subprocess.CompletedProcess(arguments, code, out.read_bytes(), err.read_bytes())

    return run


@pytest.fixture
def run_process(text_server: RunningServer) -> Run:
    def run(
        *arguments: str, piped: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        nothing: dict[str, Any] = {"stdin": subprocess.DEVNULL}
        source = nothing if piped is None else {"input": piped}
        return subprocess.run(
            [*COMMAND, *arguments],
            **source,
            capture_output=True,
            cwd=ROOT,
            env=environment(text_server, env),
            timeout=PATIENCE,
            check=False,
        )

    return run
