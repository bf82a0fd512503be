"""``textstream chaos``: the fault lab, for people and scripts."""

# ruff: noqa: PLC0415 (the signals are caught before anything that takes long is loaded)

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

import click

from textstream.cli import exit_codes
from textstream.cli.exit_codes import Interrupted
from textstream.cli.output import complain

if TYPE_CHECKING:
    from textstream.chaos import ByteRange, ChaosProxy
    from textstream.chaos.address import Address

MAX_BYTES = 10**12
MAX_SECONDS = 86_400.0
DEFAULT_STALL_EVERY = "2000-20000"

EPILOG = """\
\b
Examples:
  textstream chaos --cut-every 200-2000 --seed 7
  textstream chaos --stall forever --stall-every 5000
  textstream chaos --throttle 1000 --trickle 3
  textstream --url http://127.0.0.1:5003 "Tell me a story"

\b
Exit codes:
  0  ended by Ctrl-C or a signal
  2  wrong use, or an address that is not known
  3  cannot listen there
"""


class AddressType(click.ParamType["Address"]):
    """``HOST:PORT``; the host of IPv6 is in brackets."""

    name = "HOST:PORT"

    def __init__(self, *, any_port: bool) -> None:
        """Take port 0 for any free one, if `any_port`."""
        self._any_port = any_port

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """Return host and port, or fail with a usage error."""
        from textstream.chaos.address import parse_address

        try:
            host, port = parse_address(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        if port == 0 and not self._any_port:
            self.fail("port 0 is none that a server has.", param, ctx)
        return host, port


class ByteRangeType(click.ParamType["ByteRange"]):
    """A number of bytes, or ``MIN-MAX``."""

    name = "BYTES|MIN-MAX"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> ByteRange:
        """Return the range, or fail with a usage error."""
        from textstream.chaos.plan import ByteRange

        found = re.fullmatch("([0-9]{1,13})(?:-([0-9]{1,13}))?", str(value))
        low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= low <= high <= MAX_BYTES:
            self.fail(f"{value!r} is no number of bytes from 1, nor MIN-MAX.", param, ctx)
        return ByteRange(low, high)


class SecondsType(click.ParamType[float]):
    """A number of seconds, or ``forever``."""

    name = "SECONDS|forever"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, infinite for ever, or fail with a usage error."""
        if value == "forever":
            return math.inf
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= MAX_SECONDS:
            self.fail(
                f"{value!r} is no number of seconds above 0, up to {MAX_SECONDS:g}, nor forever.",
                param,
                ctx,
            )
        return seconds


@click.command(
    "chaos",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--listen",
    type=AddressType(any_port=True),
    default="127.0.0.1:5003",
    show_default=True,
    help="Where clients connect; port 0 picks a free one.",
)
@click.option(
    "--to",
    type=AddressType(any_port=False),
    default="127.0.0.1:5002",
    show_default=True,
    help="The server.",
)
@click.option(
    "--cut-every",
    type=ByteRangeType(),
    help="Cut each connection after so many bytes to the client; of MIN-MAX a random number.",
)
@click.option(
    "--cut",
    type=click.Choice(["fin", "rst", "both"]),
    help="How to cut: an orderly end, a reset, or by chance either.  [default: rst]",
)
@click.option("--max-cuts", type=click.IntRange(min=0), help="Then cut no more.")
@click.option(
    "--stall",
    type=SecondsType(),
    metavar="SECONDS|forever",
    help="Carry nothing, either way, for so long.",
)
@click.option(
    "--stall-every",
    type=ByteRangeType(),
    help=f"How many bytes to the client before a stall.  [default: {DEFAULT_STALL_EVERY}]",
)
@click.option(
    "--throttle",
    type=click.IntRange(1, MAX_BYTES),
    metavar="BYTES",
    help="Carry at most so many bytes per second to each client.",
)
@click.option(
    "--trickle",
    type=click.IntRange(1, MAX_BYTES),
    metavar="BYTES",
    help="Write at most so many bytes at a time, either way.",
)
@click.option("--seed", type=int, help="The same one gives the same faults. By default random.")
def chaos(
    *,
    listen: Address,
    to: Address,
    cut_every: ByteRange | None,
    cut: Literal["fin", "rst", "both"] | None,
    max_cuts: int | None,
    stall: float | None,
    stall_every: ByteRange | None,
    throttle: int | None,
    trickle: int | None,
    seed: int | None,
) -> int:
    """Stand between clients and a server, and do what networks do: cut, stall, throttle, trickle.

    Any TCP connection is carried. Each fault is logged on standard error: which connection,
    after how many bytes to the client, what. Ctrl-C ends it with a summary.
    """
    import secrets

    from textstream.chaos import RandomPlan

    if cut_every is None and (cut or max_cuts is not None):
        raise click.UsageError("--cut and --max-cuts need --cut-every, which says where.")
    if stall is None and stall_every:
        raise click.UsageError("--stall-every needs --stall, which says for how long.")
    if stall and not stall_every:
        stall_every = ByteRangeType().convert(DEFAULT_STALL_EVERY, None, None)
    seed = secrets.randbelow(2**32) if seed is None else seed
    plan = RandomPlan(
        seed,
        cut_every=cut_every,
        cut=cut or "rst",
        stall_every=stall_every,
        stall=stall or math.inf,
    )
    effects = {"plan": plan, "max_cuts": max_cuts, "throttle": throttle, "trickle": trickle}
    return _run(listen, to, seed, effects)


def _run(listen: Address, to: Address, seed: int, effects: dict[str, Any]) -> int:
    from textstream.chaos import ChaosProxy
    from textstream.chaos.address import format_address

    try:
        proxy = ChaosProxy(to, listen_on=listen, log=_say, **effects)
    except OSError as error:
        return _refuse(error, listen, to)
    try:
        _say(f"chaos listens on {format_address(proxy.address)}, seed {seed}")
        proxy.wait()
    except Interrupted:
        pass  # The way to end it.
    finally:
        proxy.close()
    _say(_summary(proxy))
    return exit_codes.COMPLETED


def _refuse(error: OSError, listen: Address, to: Address) -> int:
    import os
    import socket

    from textstream.chaos.address import format_address

    if isinstance(error, socket.gaierror):
        raise click.UsageError(
            f"{format_address(listen)} or {format_address(to)} is not known: {error.strerror}."
        )
    # Not its own text: Python adds the address to that.
    reason = os.strerror(error.errno) if error.errno else str(error)
    complain(
        f"Cannot listen on {format_address(listen)}: {reason}. "
        "Choose another with --listen (port 0 picks a free one)."
    )
    return exit_codes.UNREACHABLE


def _summary(proxy: ChaosProxy) -> str:
    totals = proxy.totals
    return (
        f"{totals.connections} connections, {totals.bytes_down} bytes to clients, "
        f"{totals.bytes_up} bytes to the server, {totals.cuts} cuts, {totals.stalls} stalls"
    )


def _say(line: str) -> None:
    complain(line, name=None)
