from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.client.conftest import text_server
from tests.support.running_server import ROOT, RunningServer

__all__ = ["text_server"]

PATIENCE = 30.0

COMMAND = (sys.executable, "-W", "error", "-m", "textstream")


def environment(server: RunningServer | None, more: Mapping[str, str] | None = None) -> Any:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TEXTSTREAM_")}
    if server:
        kept["TEXTSTREAM_URL"] = server.url
    return {**kept, **(more or {})}


@pytest.fixture
def run_cli(text_server: RunningServer) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the command line to its end against the server of these tests."""

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
