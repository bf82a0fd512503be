"""The command: ``python -m reliability.cluster --minutes 10``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import click

from reliability.cluster.run import Options, Report, run
from reliability.cluster.stores import KINDS, Kind
from tests.support.leaks import LeakGuard


def lines_of(report: Report) -> list[str]:
    """Return what the command prints at the end."""
    tally = report.tally
    gaps = sorted(tally.gaps) or [0.0]
    counts = ", ".join(f"{number:,} {name}" for name, number in sorted(tally.counts.items()))
    asked = ", ".join(f"{number:,} {name}" for name, number in sorted(report.commands.items()))
    ends = f"{report.kills} servers ended, {report.cuts:,} connections cut"
    half, most = gaps[len(gaps) // 2], gaps[-1]
    return [
        counts,
        f"{ends}, {report.takeovers:,} streams taken over",
        f"largest gap within a stream: median {half:.2f} s, at most {most:.2f} s",
        f"commands of the store: {asked}",
        *(f"WRONG: {line}" for line in report.wrong[:40]),
        "Something is wrong." if report.wrong else "Nothing is wrong.",
    ]


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True)
@click.option("--clients", type=click.IntRange(min=1), default=50, show_default=True)
@click.option(
    "--kill-every",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Seconds between two ends of servers; 0: none.",
)
@click.option("--signal", type=click.Choice(["kill", "term"]), default="kill", show_default=True)
@click.option("--lease", type=click.FloatRange(min=1), default=2.0, show_default=True)
@click.option("--store", type=click.Choice(KINDS), default="one", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(
    *,
    minutes: float,
    clients: int,
    kill_every: float,
    signal: str,
    lease: float,
    store: Kind,
    seed: int,
) -> None:
    """Kill one of three servers after the other while clients read; tell what they lost."""
    options = Options(
        seconds=60 * minutes,
        clients=clients,
        kill_every=kill_every,
        signal=signal,
        lease=lease,
        store=store,
        seed=seed,
    )
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    report = run(options, folder, LeakGuard())
    click.echo("\n".join(lines_of(report)))
    if report.wrong:
        click.echo(f"The servers' logs: {folder}/servers.log")
    else:
        shutil.rmtree(folder)
    sys.exit(bool(report.wrong))


if __name__ == "__main__":
    main()
