"""Results as JSON, with the set-up that they were made on."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.javascript import bun_version, node_version
from benchmarks.measure import Options
from benchmarks.result import Result

PACKAGES = ("Flask-SocketIO", "python-socketio", "Werkzeug", "gunicorn", "uvicorn", "picows")


def describe_setup(options: Options) -> dict[str, str]:
    """Return what the figures depend on: machine, versions, how it was measured."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{_cpu_model()}, {os.cpu_count()} cores, {platform.system()}",
        "Python": f"{platform.python_version()}; "
        + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "Node": node_version(),
        "Bun": bun_version(),
        "measured": f"{options.seconds:g} s for each, {options.generators} generator process"
        + ("es" if options.generators > 1 else "")
        + f", the median of {options.rounds}",
    }


def save(path: Path, results: Sequence[Result], setup: dict[str, str]) -> None:
    """Write results and set-up."""
    data = {"setup": setup, "results": [_rounded(dataclasses.asdict(r)) for r in results]}
    path.write_text(json.dumps(data, indent=1) + "\n")


def load(path: Path) -> tuple[list[Result], dict[str, str]]:
    """Read results and set-up."""
    data = json.loads(path.read_text())
    return [Result(**result) for result in data["results"]], data["setup"]


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    """Drop what was not measured, and digits that mean nothing."""
    return {
        key: float(f"{value:.6g}") if isinstance(value, float) else value
        for key, value in fields.items()
        if value is not None
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()
