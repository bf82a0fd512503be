"""Cut connections, a thousand times: ``python -m reliability.cuts``; see ``--help``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import click

from reliability.cuts import recipe
from reliability.cuts.case import CLIENTS, SOURCES, TRANSPORTS, Case
from reliability.cuts.run import Tally, run
from reliability.cuts.table import table
from tests.support.leaks import LeakGuard
from tests.support.running_server import RunningServer

Name = TypeVar("Name", bound=str)


def _choice(name: str, names: Sequence[str], default: str, help_: str) -> Callable[[Any], Any]:
    return click.option(
        f"--{name}",
        type=click.Choice([*names, "all"]),
        default=default,
        show_default=True,
        help=help_,
    )


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--cuts",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="For each client and source, spread over the transports.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Decides the texts and where each connection is cut.",
)
@_choice("client", CLIENTS, "all", "Who reads.")
@_choice("transport", TRANSPORTS, "all", "How it connects.")
@_choice("source", SOURCES, "text", "What is streamed; llm is the local model.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 16),
    default=3,
    show_default=True,
    help="Streams at a time.",
)
@click.option(
    "--limit",
    type=click.FloatRange(1, 86_400),
    default=3600.0,
    show_default=True,
    help="Seconds after which no stream begins any more.",
)
def main(
    *,
    cuts: int,
    seed: int,
    client: str,
    transport: str,
    source: str,
    jobs: int,
    limit: float,
) -> None:
    """Stream over connections that are cut again and again, and compare what arrived.

    The exit code is 1 if a character was lost or doubled, a hash differs, or a stream failed.
    """
    clients, transports = _chosen(client, CLIENTS), _chosen(transport, TRANSPORTS)
    if "recipe" in clients and (lacking := recipe.missing()):
        raise click.ClickException(f"the recipe needs {lacking}")
    cases = [Case(c, t, s) for s in _chosen(source, SOURCES) for c in clients for t in transports]
    started = time.monotonic()
    tallies, failures = _run_all(cases, cuts, seed, jobs, started + limit)
    click.echo(table(tallies))
    click.echo(f"\nSeed {seed}; {time.monotonic() - started:.0f} s.")
    for failure in failures:
        click.echo(failure, err=True)
    if failures:
        click.echo(f"{len(failures)} failures", err=True)
        sys.exit(1)


def _chosen(wanted: str, names: Sequence[Name]) -> Sequence[Name]:
    return names if wanted == "all" else [name for name in names if name == wanted]


def _run_all(
    cases: list[Case], cuts: int, seed: int, jobs: int, until: float
) -> tuple[list[Tally], list[str]]:
    server = RunningServer("--log-format", "json", leak_guard=LeakGuard())
    try:
        with ThreadPoolExecutor(jobs) as threads:
            shares = _shares(cuts, [case.transport for case in cases])
            futures = [
                threads.submit(run, case, server, cuts=share, seed=seed, until=until, say=_say)
                for case, share in zip(cases, shares, strict=True)
            ]
            tallies = [future.result() for future in futures]
    finally:
        code = server.stop()
    failures = [failure for tally in tallies for failure in tally.failures]
    if code or "traceback" in server.log_text().lower():
        failures.append(f"the server, exit code {code}:\n{server.log_text()[-4000:]}")
    return tallies, failures


def _shares(cuts: int, transports: list[str]) -> list[int]:
    """Return how many cuts each case makes: those over one transport share alike."""
    names = sorted(set(transports))
    each, more = divmod(cuts, len(names))
    return [each + (names.index(transport) < more) for transport in transports]


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
