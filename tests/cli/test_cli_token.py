"""The token that the command line shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.running_server import RunningServer
from tests.support.tokens import make_token

pytestmark = pytest.mark.live


def token_file(folder: Path, token: str, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(f"{token}\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("command", [("--source", "text"), ("sources",)])
def test_each_place_for_it(
    guarded: RunningServer, run_cli: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    token = make_token()
    path = str(token_file(tmp_path, token))
    address = (*command, "--url", guarded.url)
    for given, env in [
        (("--token", token), {}),
        ((), {"TEXTSTREAM_TOKEN": token}),
        (("--token-file", path), {}),
        ((), {"TEXTSTREAM_TOKEN_FILE": path}),
    ]:
        result = run_cli(*address, *given, piped=b"abc", env=env)
        assert (result.returncode, result.stderr) == (0, b"")
    for given in ((), ("--token", "wrong")):
        result = run_cli(*address, *given, piped=b"abc")
        assert result.returncode == 1
        assert b"--token-file, or in TEXTSTREAM_TOKEN" in result.stderr
        assert b"wrong" not in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_may_read_is_refused(run_cli: Run, tmp_path: Path, mode: int) -> None:
    path = token_file(tmp_path, "secret", mode)
    result = run_cli("sources", "--token-file", str(path))
    assert result.returncode == 2
    assert b"chmod 600" in result.stderr
    assert b"secret" not in result.stderr


def test_a_file_that_is_none_is_refused(run_cli: Run, tmp_path: Path) -> None:
    empty = token_file(tmp_path, "")
    for path, why in ((empty, b"is empty"), (tmp_path / "none", b"No such file")):
        result = run_cli("sources", "--token-file", str(path))
        assert result.returncode == 2
        assert why in result.stderr
    result = run_cli("sources", "--token-file", str(empty), "--token", "x")
    assert result.returncode == 2
    assert b"not both" in result.stderr
