"""What the user hands in: argument, standard input, ``--param``, ``--rate``."""

from __future__ import annotations

import json
import math
import os
import select
import stat
import sys
from typing import Any

import click

from textstream.cli.output import complain

URL_VARIABLE = "TEXTSTREAM_URL"

STDIN = "-"
"""As the prompt: standard input, whatever it is."""

PATIENCE = 0.5
"""Seconds without a byte after which it is said what is waited for."""

LIMIT = 8.0
"""Seconds after which a prompt goes on without what might have joined it."""

_BLOCK = 65_536

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


def read_stdin(prompt: str | None, *, patient: bool = False) -> str | None:
    """Return what is piped into standard input, to its end; None when there is nothing.

    A character device is not read, unless the prompt is ``-``: neither a terminal nor /dev/null
    has one. A pipe may be open without anybody who means to write to it, as from ssh, CI and
    other programs. So standard error says what is waited for; and where there is a prompt and the
    first byte does not come within `LIMIT`, it goes on without, and says so. `patient` waits.

    Raises:
        click.UsageError: it is not UTF-8, longer than any server takes, or cannot be read.

    """
    if sys.stdin is None:
        return None
    joins = prompt not in {None, STDIN}
    try:
        descriptor = sys.stdin.fileno()
        if prompt != STDIN and stat.S_ISCHR(os.fstat(descriptor).st_mode):
            return None
        data = _read_to_end(descriptor, joins=joins, limited=joins and not patient)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.UsageError(f"Standard input cannot be read: {reason}.") from None
    if len(data) > MAX_INPUT:
        raise click.UsageError(f"Standard input has more than {MAX_INPUT} bytes.")
    try:
        return data.decode() or None
    except UnicodeDecodeError as error:
        raise click.UsageError(
            f"Standard input is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}."
        ) from None


def _read_to_end(descriptor: int, *, joins: bool, limited: bool) -> bytes:
    data = bytearray()
    said = os.isatty(descriptor)  # who types knows
    while len(data) <= MAX_INPUT:
        if not said and not _comes(descriptor, PATIENCE):
            said = True
            limited = limited and not data
            complain(_waiting(joins=joins, limited=limited))
            if limited and not _comes(descriptor, LIMIT - PATIENCE):
                complain("Nothing came from standard input: going on without it.")
                break
        block = os.read(descriptor, _BLOCK)
        if not block:
            break
        data += block
    return bytes(data)


def _waiting(*, joins: bool, limited: bool) -> str:
    use = "joins the prompt" if joins else "is the prompt"
    bound = f" After {LIMIT:g} s without a byte it goes on; --stdin waits." if limited else ""
    return (
        f"Waiting for the end of standard input, which {use}.{bound} "
        "Not to wait: --no-stdin, or </dev/null."
    )


def _comes(descriptor: int, seconds: float) -> bool:
    """Wait for bytes, or the end; return whether there was one in time."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


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
