"""What the user hands in: argument, standard input, ``--param``, ``--rate``."""

from __future__ import annotations

import json
import math
import os
import stat
import sys
from typing import Any

import click

MAX_INPUT = 64 * 2**20
"""Bytes read from standard input, at most: what is longer no server takes."""


class RateType(click.ParamType[float | str]):
    """A pace: a number of units per second, 0 or more, or ``auto``."""

    name = "rate"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        """Return the pace, or fail with a usage error."""
        if value == "auto":
            return "auto"
        try:
            rate = float(value)
        except ValueError:
            rate = math.nan
        if not math.isfinite(rate) or rate < 0:
            self.fail(f"{value!r} is not a number from 0, nor auto.", param, ctx)
        return rate


def parse_params(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return the params given as ``key=value``; a value that parses as JSON is taken as that.

    Raises:
        click.UsageError: there is no key or no ``=``.

    """
    params: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.UsageError(f"--param is given as key=value, not {pair!r}.")
        try:
            params[key] = json.loads(value, parse_constant=_no_constant)
        except ValueError:
            params[key] = value
    return params


def read_stdin() -> str | None:
    """Return what is piped into standard input; None when there is nothing.

    A character device is not read: neither a terminal nor /dev/null has a prompt.

    Raises:
        click.UsageError: it is not UTF-8, or longer than any server takes.

    """
    if sys.stdin is None:
        return None
    try:
        if stat.S_ISCHR(os.fstat(sys.stdin.fileno()).st_mode):
            return None
        data = sys.stdin.buffer.read(MAX_INPUT + 1)
    except OSError as error:
        raise click.UsageError(f"Standard input cannot be read: {error.strerror}.") from None
    if len(data) > MAX_INPUT:
        raise click.UsageError(f"Standard input has more than {MAX_INPUT} bytes.")
    try:
        return data.decode() or None
    except UnicodeDecodeError as error:
        raise click.UsageError(
            f"Standard input is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}."
        ) from None


def join_input(argument: str | None, piped: str | None, *, verbatim: bool) -> str | None:
    """Return argument, blank line, standard input; or the one that is there.

    Unless `verbatim`, the line ends at the end of standard input go: a shell put them there, and
    no prompt means them.
    """
    if argument:
        argument = _as_utf8(argument)
    if piped is not None and not verbatim:
        piped = piped.rstrip("\r\n")
    parts = [part for part in (argument, piped) if part]
    return "\n\n".join(parts) or None


def _as_utf8(argument: str) -> str:
    # Python decoded it by the locale, which in LANG=C knows nothing but ASCII.
    try:
        return os.fsencode(argument).decode()
    except UnicodeError:
        raise click.UsageError("The prompt is not valid UTF-8.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
