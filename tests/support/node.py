"""Runs the scripts in ``tests/live/node``: plain clients with the official JavaScript library."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from tests.support.chromium import node_module
from tests.support.requirement import require
from tests.support.running_server import ROOT
from tests.support.timing import patient

SCRIPTS = ROOT / "tests" / "live" / "node"


def run_script(script: str, url: str, mode: str, *more: str) -> dict[str, Any]:
    """Run a script to its end; return what it printed, a line of JSON.

    Args:
        script: a file's name.
        url: of the server.
        mode: ``websocket``, ``polling`` or ``upgrade``.
        more: what else it is told.

    """
    node = shutil.which("node")
    if node is None:
        require("Node.js 20 or later")
    node_module("socket.io-client/package.json")
    done = subprocess.run(
        [node, str(SCRIPTS / script), url, mode, *more],
        capture_output=True,
        text=True,
        timeout=patient(90),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
