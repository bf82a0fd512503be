"""The files of ``deploy/``, as their own tools see them, and as they fit together."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reliability.cluster.cluster import NAMES
from reliability.cluster.nginx import ROOT
from textstream.settings import Settings

DEPLOY = ROOT / "deploy"


def run(*command: str) -> str:
    """Return what a program says of a file that it finds in order."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def compose() -> dict[str, Any]:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def service() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment, method-assign]  # names have capitals
    parsed.read(DEPLOY / "textstream@.service", encoding="utf-8")
    return parsed


@pytest.mark.skipif(not shutil.which("caddy"), reason="Caddy is not installed")
def test_caddy_takes_its_file() -> None:
    run("caddy", "validate", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "textstream@.service").read_text(encoding="utf-8")
    there = text.replace("/opt/textstream/bin/textstream", sys.executable)
    unit = tmp_path / "textstream@a.service"
    unit.write_text(there, encoding="utf-8")
    run("systemd-analyze", "verify", str(unit))


def test_a_linter_of_dockerfiles_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    assert not run(str(hadolint), str(DEPLOY / "Dockerfile"))


def test_what_goes_down_has_the_time_for_it() -> None:
    assert int(service()["Service"]["TimeoutStopSec"]) > Settings().drain
    for name in NAMES:
        assert int(compose()["services"][name]["stop_grace_period"].removesuffix("s")) > (
            Settings().drain
        )


def test_all_files_know_the_same_servers() -> None:
    services = compose()["services"]
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    for name in NAMES:
        assert services[name]["environment"]["TEXTSTREAM_NAME"] == name
        assert f"~^{name}\\." in nginx
        assert f'startsWith("{name}.")' in caddy
    assert set(services["proxy"]["depends_on"]) == set(NAMES)
    assert "noeviction" in services["store"]["command"]


@pytest.mark.parametrize("file", ["compose.yaml", "Dockerfile", "textstream@.service"])
def test_every_setting_that_is_named_is_one(file: str) -> None:
    text = (DEPLOY / file).read_text(encoding="utf-8")
    named = {name.lower() for name in re.findall(r"\bTEXTSTREAM_([A-Z_]+)", text)}
    assert named
    assert named <= set(Settings.model_fields)
