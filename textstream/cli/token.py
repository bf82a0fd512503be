"""The token that the command line shows, and where it has it from."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

TOKEN_VARIABLE = "TEXTSTREAM_TOKEN"  # noqa: S105 (its name)
FILE_VARIABLE = "TEXTSTREAM_TOKEN_FILE"

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""What a file of secrets lets nobody do but its owner."""

ADVICE = f" Give one with --token-file, or in {TOKEN_VARIABLE}."

Command = TypeVar("Command", bound=Callable[..., Any])


def token_options(command: Command) -> Command:
    """Add the flags for a token."""
    for option in (
        click.option(
            "--token-file",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar=FILE_VARIABLE,
            show_envvar=True,
            help="A file that has the token, of mode 0600; read again for each connection.",
        ),
        click.option(
            "--token",
            envvar=TOKEN_VARIABLE,
            show_envvar=True,
            help="Who you are, where the server asks. As a flag, whoever lists processes sees it.",
        ),
    ):
        command = option(command)
    return command


def auth_of(token: str | None, token_file: Path | None) -> str | Callable[[], str] | None:
    """Return what a client shows: the token, or what reads it from its file.

    Raises:
        UsageError: both are given, or the file cannot be used.

    """
    if token_file is None:
        return token or None
    if token:
        raise click.UsageError("Give a token, or a file that has it, not both.")
    _read(token_file)  # so that it is said before anything is asked
    return lambda: _read(token_file)


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & OTHERS:
                raise click.UsageError(
                    f"The token file {path} may be read by others. Change that: chmod 600 {path}"
                )
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise click.UsageError(f"The token file {path} cannot be read: {why}.") from None
    if not token:
        raise click.UsageError(f"The token file {path} is empty.")
    return token
