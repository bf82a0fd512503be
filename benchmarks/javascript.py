"""The peers in JavaScript: where their runtimes are, and what is missing to run them."""

from __future__ import annotations

import functools
import json
import shutil
import signal
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODE, BUN = HERE / "node", HERE / "bun"

_SECONDS = 20.0
"""For a runtime to say its version."""


def bun() -> Path:
    """Return where npm puts Bun's binary on this platform, or would put it.

    It is run out of the package for the platform: the package ``bun`` links it to its place by a
    script of its installation, which many do not allow.
    """
    found = sorted((BUN / "node_modules" / "@oven").glob("*/bin/bun"))
    return found[0] if found else BUN / "node_modules" / ".bin" / "bun"


def node_lacks() -> str | None:
    """Return what is missing to run Node, and the cure; None: nothing."""
    if shutil.which("node") is None:
        return "Node.js is not installed; version 20.19 or later is needed"
    if not (NODE / "node_modules" / "socket.io").is_dir():
        return "socket.io is not installed; run: npm --prefix benchmarks/node ci"
    return None


def bun_lacks() -> str | None:
    """Return what is missing to run Bun, and the cure; None: nothing."""
    binary = bun()
    if not binary.is_file() or not (BUN / "node_modules" / "socket.io").is_dir():
        return "it is not installed; run: npm --prefix benchmarks/bun ci (109 MB)"
    return _cannot_run(binary)


@functools.cache
def _cannot_run(binary: Path) -> str | None:
    try:
        code = subprocess.run(
            [binary, "--version"], capture_output=True, timeout=_SECONDS, check=False
        ).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"its binary does not run here: {error}"
    if code == -signal.SIGILL:
        return "this processor lacks instructions that its binary needs (AVX2 on x86-64)"
    return f"its binary ends with {code}" if code else None


def node_version() -> str:
    """Return the versions of Node and of its socket.io."""
    return f"{_version('node')}; socket.io {_package(NODE, 'socket.io')}"


def bun_version() -> str:
    """Return the versions of Bun, of its socket.io, and of the engine."""
    if bun_lacks():
        return "none"
    engine = _package(BUN, "@socket.io/bun-engine")
    return f"{_version(str(bun()))}; socket.io {_package(BUN, 'socket.io')}, bun-engine {engine}"


def _version(command: str) -> str:
    try:
        found = subprocess.run(
            [command, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "none"
    return found.stdout.strip().removeprefix("v")


def _package(folder: Path, name: str) -> str:
    package = folder / "node_modules" / name / "package.json"
    return str(json.loads(package.read_text())["version"]) if package.is_file() else "none"
