"""The recipe of ``docs/protocol.md``, run as it is printed, as a reader of one stream."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reliability.cuts.case import TransportName, Trial
from reliability.cuts.verdict import Reading
from tests.support.running_server import ROOT

NODE = Path(__file__).parent / "node"
_RECIPE = re.compile(r"### A client that resumes.*?```js\n(.*?)```", re.DOTALL)
_MARGIN = 10.0
_STDERR = 2000


def printed() -> str:
    """Return the code as the documentation prints it."""
    found = _RECIPE.search((ROOT / "docs" / "protocol.md").read_text(encoding="utf-8"))
    assert found
    return found[1]


def missing() -> str:
    """Return what it needs and this machine lacks; empty: nothing."""
    if shutil.which("node") is None:
        return "Node.js 20 or later"
    if not (ROOT / "frontend" / "node_modules" / "socket.io-client").is_dir():
        return "the packages of the front end (npm ci, in frontend/)"
    return ""


def read(url: str, transport: TransportName, trial: Trial) -> Reading:
    """Stream what the trial says, to its end or for as long as it may take."""
    # The script gives up by itself, and says why; the limit here is for one that hangs.
    command = ["node", "--input-type=module", "-", url, transport, str(1000 * trial.patience)]
    try:
        done = subprocess.run(
            command,
            cwd=NODE,  # where its imports are looked up
            input=script(trial.request),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=trial.patience + _MARGIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Reading(error="the script hangs")
    if done.returncode:
        return Reading(error=f"exit code {done.returncode}: {done.stderr[-_STDERR:]}")
    return Reading(**json.loads(done.stdout))


def script(request: Mapping[str, Any], head: str = "head.mjs") -> str:
    """Return the recipe with `request` as its text, and what it needs before and after it."""
    recipe = printed()
    fields = ", ".join(f"{key}: {json.dumps(value)}" for key, value in request.items())
    for placeholder, meant in (("io(SERVER, ", "connect("), ("text: TEXT", fields)):
        assert recipe.count(placeholder) == 1
        recipe = recipe.replace(placeholder, meant)
    before, behind = ((NODE / name).read_text(encoding="utf-8") for name in (head, "tail.mjs"))
    return before + recipe + behind
