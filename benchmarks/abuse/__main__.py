"""Attack a server and print how it fared; ``--help`` lists the flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from benchmarks.abuse.catalogue import SECONDS, all_attacks
from benchmarks.abuse.run import Verdict, run
from benchmarks.servers import OURS, find

CONNECTIONS = 10_000
NAMES = [attack.name for attack in all_attacks(CONNECTIONS)]

TITLES = (
    *("attack", "sent MB", "growth MB", "kept MB", "CPU s", "threads"),
    *("gap p99 / max ms", "calm", "newcomers s", "offenders", "verdict"),
)


def _chosen(_context: object, _parameter: object, value: str) -> list[str]:
    names = value.split(",") if value else NAMES
    for name in names:
        if name not in NAMES:
            raise click.BadParameter(f"no attack {name!r}; --list lists them")
    return names


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--server",
    "server_name",
    type=click.Choice(OURS),
    default="ours",
    show_default=True,
    help="Which one.",
)
@click.option(
    "--only", "names", default="", callback=_chosen, help="Only these attacks, comma separated."
)
@click.option("--list", "listed", is_flag=True, help="List the attacks, and make none.")
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    default=CONNECTIONS,
    show_default=True,
    help="Connections that come and go in churn.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(5.0, 90.0),
    default=SECONDS,
    show_default=True,
    help="How long the longest goes on; floods, a tenth of that.",
)
def main(*, server_name: str, names: list[str], listed: bool, count: int, seconds: float) -> None:
    """Attack a fresh server process with each, while good readers stream and others come.

    Exit code 1: a limit was passed.
    """
    chosen = [attack for attack in all_attacks(count, seconds) if attack.name in names]
    if listed:
        for attack in chosen:
            click.echo(f"{attack.name:<24}{attack.what}")
        return
    verdicts = []
    for attack in chosen:
        click.echo(f"{attack.name} …", err=True)
        verdicts.append(run(find(server_name), attack))
        click.echo("\n".join(remarks(verdicts[-1])), err=True)
    click.echo(table(verdicts))
    sys.exit(any(verdict.failures for verdict in verdicts))


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the Markdown table, with what failed and what else was seen below it."""
    rows = [TITLES, *map(_cells, verdicts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    lines.append("")
    for verdict in verdicts:
        lines += remarks(verdict)
    return "\n".join(lines)


def remarks(verdict: Verdict) -> list[str]:
    """Return what was seen of an attack beside the figures, and what was wrong."""
    lines = [f"- {verdict.attack}: {note}" for note in ("; ".join(verdict.notes),) if note]
    return lines + [f"- ✗ {verdict.attack}: {failure}" for failure in verdict.failures]


def _cells(verdict: Verdict) -> tuple[str, ...]:
    served, calm, welcomed = verdict.served, verdict.calm, verdict.welcomed
    return (
        verdict.attack,
        f"{verdict.sent:.1f}",
        f"{verdict.growth:.1f}",
        f"{verdict.kept:.1f}",
        f"{verdict.cpu:.1f}",
        str(verdict.threads),
        f"{served.gap_p99:.0f} / {served.gap_max:.0f}" if served else "–",
        f"{calm.gap_p99:.0f} / {calm.gap_max:.0f}" if calm else "–",
        f"{welcomed.worst:.2f}" if welcomed else "–",
        ", ".join(f"{ending}: {count:,}" for ending, count in verdict.endings.most_common()),
        "✗" if verdict.failures else "passed" if served else "not tried",
    )


if __name__ == "__main__":
    main()
