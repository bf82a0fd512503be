"""The recipe of ``docs/protocol.md``, as printed, over connections that break again and again."""

from __future__ import annotations

import itertools
import json
import random
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from tests.client.proxy import proxy
from tests.live.streams import CLUSTERS
from tests.support.chromium import node_module
from tests.support.requirement import require
from tests.support.running_server import ROOT, RunningServer

pytestmark = pytest.mark.live

SCRIPTS = ROOT / "tests" / "live" / "node"
RECIPE = re.compile(r"### A client that resumes.*?```js\n(.*?)```", re.DOTALL)
CUTS = 40
TEXT = "".join(CLUSTERS) * 150


def recipe() -> str:
    """Return the code as the documentation prints it."""
    found = RECIPE.search((ROOT / "docs" / "protocol.md").read_text(encoding="utf-8"))
    assert found
    return found[1]


def test_the_recipe_has_about_ten_lines() -> None:
    assert len(recipe().splitlines()) <= 13


@pytest.mark.parametrize("mode", ["websocket", "polling", "upgrade"])
def test_the_recipe_loses_and_doubles_nothing(server: RunningServer, mode: str) -> None:
    node = shutil.which("node")
    if node is None:
        require("Node.js 20 or later")
    node_module("socket.io-client/package.json")
    port = urlsplit(server.url).port
    assert port
    seed = random.Random(mode)
    cuts = [seed.randint(1, 4000) for _ in range(CUTS)]
    script = (
        (SCRIPTS / "recipe_head.mjs").read_text(encoding="utf-8")
        + recipe().replace("io(SERVER)", "connect()")
        + (SCRIPTS / "recipe_tail.mjs").read_text(encoding="utf-8")
    )
    with proxy(port, itertools.chain(cuts)) as faulty:
        done = subprocess.run(
            [node, "--input-type=module", "-", faulty.url, mode],
            cwd=SCRIPTS,
            input=script.replace("TEXT,", f"{json.dumps(TEXT)}, rate: 2000,", 1),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        connections = faulty.connections
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["text"] == TEXT
    assert seen["sha256"] == seen["expected"]
    assert seen["reason"] == "completed"
    assert connections > CUTS / 2
